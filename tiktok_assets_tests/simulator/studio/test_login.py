"""The ways to log in, and the ways a session ends."""

import re

import pytest

from tiktok_assets.simulator.studio import StudioAccount, StudioWorld
from tiktok_assets.simulator.studio.texts import TEXTS
from tiktok_assets_tests.simulator.studio.conftest import NOW
from tiktok_assets_tests.simulator.studio.studio_client import STUDIO, StudioClient

COOKIES = {"sessionid", "sessionid_ss", "sid_tt", "sid_guard", "tt_csrf_token"}
EXPIRED = {"status_code": 8, "status_msg": "Login expired"}
USER = "/tiktokstudio/api/web/user"


def test_password_and_code_open_studio_and_set_the_cookies(
    anonymous_client: StudioClient, north: StudioAccount
) -> None:
    answer = anonymous_client.log_in(north)
    assert (answer.status_code, answer.headers["location"]) == (303, STUDIO)
    assert set(anonymous_client.http.cookies) == COOKIES
    assert anonymous_client.get(STUDIO).status_code == 200


def test_the_email_works_like_the_handle(anonymous_client: StudioClient, north: StudioAccount) -> None:
    form = {"username": north.email, "password": north.password}
    answer = anonymous_client.http.post("/login/phone-or-email/email", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login/2sv")


def test_a_wrong_password_is_reported_and_refused(anonymous_client: StudioClient, north: StudioAccount) -> None:
    answer = anonymous_client.http.post(
        "/login/phone-or-email/email", data={"username": north.handle, "password": "guess"}
    )
    assert "doesn&#x27;t match our records" in answer.text
    assert anonymous_client.json(USER) == EXPIRED


def test_a_wrong_code_is_reported_in_the_accounts_language(
    anonymous_client: StudioClient, south: StudioAccount
) -> None:
    anonymous_client.http.post(
        "/login/phone-or-email/email", data={"username": south.handle, "password": south.password}
    )
    answer = anonymous_client.http.post("/login/2sv", data={"code": "000000"})
    assert TEXTS["el"].wrong_code in answer.text
    assert anonymous_client.json(USER) == EXPIRED


def test_an_account_without_a_second_factor_needs_none(north: StudioAccount) -> None:
    plain = StudioAccount(truth=north.truth, password="x")
    anonymous_client = StudioClient(StudioWorld([plain], clock=lambda: NOW))
    assert anonymous_client.log_in(plain).headers["location"] == STUDIO
    assert set(anonymous_client.http.cookies) == COOKIES


def test_the_code_page_without_a_password_leads_back_to_the_login(anonymous_client: StudioClient) -> None:
    assert anonymous_client.get("/login/2sv").headers["location"] == "/login"


@pytest.mark.parametrize(
    ("asked", "reached"), [(f"{STUDIO}/viewers", f"{STUDIO}/viewers"), ("//elsewhere.example", STUDIO)]
)
def test_a_login_leads_back_only_to_where_it_was_requested(
    world: StudioWorld, north: StudioAccount, asked: str, reached: str
) -> None:
    account = StudioAccount(truth=north.truth, password="x")
    anonymous_client = StudioClient(StudioWorld([account], clock=lambda: NOW))
    form = {"username": account.handle, "password": "x"}
    answer = anonymous_client.http.post("/login/phone-or-email/email", params={"redirect_url": asked}, data=form)
    assert answer.headers["location"] == reached


def test_a_scanned_qr_code_opens_studio(anonymous_client: StudioClient, world: StudioWorld) -> None:
    page = anonymous_client.get("/login/qrcode")
    token = re.search(r'"token": "(\w+)"', page.text)
    assert token is not None
    check = "/passport/web/check_qrconnect/"
    assert anonymous_client.json(check, token=token[1])["data"] == {"status": "new"}
    anonymous_client.http.post("/sim/control", json={"scan": "south_pier"})
    assert anonymous_client.json(check, token=token[1])["data"] == {"status": "confirmed", "redirect_url": STUDIO}
    assert anonymous_client.json(USER)["userBaseInfo"]["UserProfile"]["UserBase"]["UniqId"] == "south_pier"


def test_without_a_session_a_page_leads_to_the_login_and_json_says_status_8(anonymous_client: StudioClient) -> None:
    answer = anonymous_client.get(f"{STUDIO}/content", dateRange="x")
    assert answer.status_code == 302
    assert answer.headers["location"] == "/login?redirect_url=%2Ftiktokstudio%2Fanalytics%2Fcontent%3FdateRange%3Dx"
    assert anonymous_client.get("/login").status_code == 200
    for path in (USER, "/aweme/v2/data/insight/", "/tiktokstudio/api/web/relation/multiGetFollowRelationCount"):
        assert (anonymous_client.get(path).status_code, anonymous_client.json(path)) == (200, EXPIRED)
    assert anonymous_client.request_export().json() == EXPIRED


def test_logging_out_ends_the_session(client: StudioClient) -> None:
    client.get("/logout")
    assert client.json(USER) == EXPIRED


def test_redirect_to_login_ends_the_session_at_the_next_page(client: StudioClient, world: StudioWorld) -> None:
    world.faults.add("redirect_to_login")
    assert client.json(USER)["statusCode"] == 0, "the fault is one of pages"
    assert client.get(STUDIO).headers["location"].startswith("/login?redirect_url=")
    assert client.json(USER) == EXPIRED


def test_login_panel_shows_a_login_at_the_same_address(client: StudioClient, world: StudioWorld) -> None:
    world.faults.add("login_panel", section="viewers")
    assert "login-title" not in client.get(STUDIO).text
    panel = client.get(f"{STUDIO}/viewers")
    assert panel.status_code == 200
    assert 'data-e2e="login-title"' in panel.text
    assert "Analytics_Download_Trigger" not in panel.text


def test_status_8_leaves_the_pages_open_and_their_json_closed(client: StudioClient, world: StudioWorld) -> None:
    world.faults.add("status_8")
    assert client.get(STUDIO).status_code == 200
    assert client.json(USER) == EXPIRED
    assert "Analytics_Download_Trigger" in client.get(STUDIO).text
    assert client.request_export().json() == EXPIRED


def test_status_8_can_wait_until_the_export_is_requested(client: StudioClient, world: StudioWorld) -> None:
    world.faults.add("status_8", section="followers")
    assert client.request_export("overview").json()["status_code"] == 0
    assert client.json(USER)["statusCode"] == 0
    assert client.request_export("followers").json() == EXPIRED


def test_wrong_account_turns_the_session_into_that_of_another(client: StudioClient, world: StudioWorld) -> None:
    world.faults.add("wrong_account")
    base = client.json(USER)["userBaseInfo"]["UserProfile"]["UserBase"]
    assert base["UniqId"] == "south_pier"
    assert TEXTS["el"].download_data in client.get(STUDIO).text
