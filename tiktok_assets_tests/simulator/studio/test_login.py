"""The ways in, and the ways a session ends."""

import re

import pytest

from tiktok_assets.simulator.studio import StudioAccount, StudioWorld
from tiktok_assets.simulator.studio.texts import TEXTS
from tiktok_assets_tests.simulator.studio.conftest import NOW
from tiktok_assets_tests.simulator.studio.visitor import STUDIO, Visitor

COOKIES = {"sessionid", "sessionid_ss", "sid_tt", "sid_guard", "tt_csrf_token"}
EXPIRED = {"status_code": 8, "status_msg": "Login expired"}
USER = "/tiktokstudio/api/web/user"


def test_password_and_code_open_studio_and_set_the_cookies(stranger: Visitor, north: StudioAccount) -> None:
    answer = stranger.log_in(north)
    assert (answer.status_code, answer.headers["location"]) == (303, STUDIO)
    assert set(stranger.http.cookies) == COOKIES
    assert stranger.get(STUDIO).status_code == 200


def test_the_email_is_as_good_as_the_handle(stranger: Visitor, north: StudioAccount) -> None:
    form = {"username": north.email, "password": north.password}
    answer = stranger.http.post("/login/phone-or-email/email", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login/2sv")


def test_a_wrong_password_says_so_and_lets_nobody_in(stranger: Visitor, north: StudioAccount) -> None:
    answer = stranger.http.post("/login/phone-or-email/email", data={"username": north.handle, "password": "guess"})
    assert "doesn&#x27;t match our records" in answer.text
    assert stranger.json(USER) == EXPIRED


def test_a_wrong_code_says_so_in_the_language_of_the_account(stranger: Visitor, south: StudioAccount) -> None:
    stranger.http.post("/login/phone-or-email/email", data={"username": south.handle, "password": south.password})
    answer = stranger.http.post("/login/2sv", data={"code": "000000"})
    assert TEXTS["el"].wrong_code in answer.text
    assert stranger.json(USER) == EXPIRED


def test_an_account_without_a_second_factor_needs_none(north: StudioAccount) -> None:
    plain = StudioAccount(truth=north.truth, password="x")
    stranger = Visitor(StudioWorld([plain], clock=lambda: NOW))
    assert stranger.log_in(plain).headers["location"] == STUDIO
    assert set(stranger.http.cookies) == COOKIES


def test_the_code_page_without_a_password_leads_back_to_the_login(stranger: Visitor) -> None:
    assert stranger.get("/login/2sv").headers["location"] == "/login"


@pytest.mark.parametrize(
    ("asked", "reached"), [(f"{STUDIO}/viewers", f"{STUDIO}/viewers"), ("//elsewhere.example", STUDIO)]
)
def test_a_login_leads_back_to_where_it_was_asked_for_and_nowhere_else(
    world: StudioWorld, north: StudioAccount, asked: str, reached: str
) -> None:
    account = StudioAccount(truth=north.truth, password="x")
    stranger = Visitor(StudioWorld([account], clock=lambda: NOW))
    form = {"username": account.handle, "password": "x"}
    answer = stranger.http.post("/login/phone-or-email/email", params={"redirect_url": asked}, data=form)
    assert answer.headers["location"] == reached


def test_a_scanned_qr_code_opens_studio(stranger: Visitor, world: StudioWorld) -> None:
    page = stranger.get("/login/qrcode")
    token = re.search(r'"token": "(\w+)"', page.text)
    assert token is not None
    check = "/passport/web/check_qrconnect/"
    assert stranger.json(check, token=token[1])["data"] == {"status": "new"}
    stranger.http.post("/sim/control", json={"scan": "south_pier"})
    assert stranger.json(check, token=token[1])["data"] == {"status": "confirmed", "redirect_url": STUDIO}
    assert stranger.json(USER)["userBaseInfo"]["UserProfile"]["UserBase"]["UniqId"] == "south_pier"


def test_without_a_session_a_page_leads_to_the_login_and_json_says_status_8(stranger: Visitor) -> None:
    answer = stranger.get(f"{STUDIO}/content", dateRange="x")
    assert answer.status_code == 302
    assert answer.headers["location"] == "/login?redirect_url=%2Ftiktokstudio%2Fanalytics%2Fcontent%3FdateRange%3Dx"
    assert stranger.get("/login").status_code == 200
    for path in (USER, "/aweme/v2/data/insight/", "/tiktokstudio/api/web/relation/multiGetFollowRelationCount"):
        assert (stranger.get(path).status_code, stranger.json(path)) == (200, EXPIRED)
    assert stranger.ask().json() == EXPIRED


def test_logging_out_ends_the_session(visitor: Visitor) -> None:
    visitor.get("/logout")
    assert visitor.json(USER) == EXPIRED


def test_redirect_to_login_ends_the_session_at_the_next_page(visitor: Visitor, world: StudioWorld) -> None:
    world.faults.add("redirect_to_login")
    assert visitor.json(USER)["statusCode"] == 0, "the fault is one of pages"
    assert visitor.get(STUDIO).headers["location"].startswith("/login?redirect_url=")
    assert visitor.json(USER) == EXPIRED


def test_login_panel_shows_a_login_at_the_same_address(visitor: Visitor, world: StudioWorld) -> None:
    world.faults.add("login_panel", section="viewers")
    assert "login-title" not in visitor.get(STUDIO).text
    panel = visitor.get(f"{STUDIO}/viewers")
    assert panel.status_code == 200
    assert 'data-e2e="login-title"' in panel.text
    assert "Analytics_Download_Trigger" not in panel.text


def test_status_8_leaves_the_pages_open_and_their_json_closed(visitor: Visitor, world: StudioWorld) -> None:
    world.faults.add("status_8")
    assert visitor.get(STUDIO).status_code == 200
    assert visitor.json(USER) == EXPIRED
    assert "Analytics_Download_Trigger" in visitor.get(STUDIO).text
    assert visitor.ask().json() == EXPIRED


def test_status_8_can_wait_until_the_export_is_asked_for(visitor: Visitor, world: StudioWorld) -> None:
    world.faults.add("status_8", section="followers")
    assert visitor.ask("overview").json()["status_code"] == 0
    assert visitor.json(USER)["statusCode"] == 0
    assert visitor.ask("followers").json() == EXPIRED


def test_wrong_account_turns_the_session_into_that_of_another(visitor: Visitor, world: StudioWorld) -> None:
    world.faults.add("wrong_account")
    base = visitor.json(USER)["userBaseInfo"]["UserProfile"]["UserBase"]
    assert base["UniqId"] == "south_pier"
    assert TEXTS["el"].download_data in visitor.get(STUDIO).text
