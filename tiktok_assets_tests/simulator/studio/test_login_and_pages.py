"""The ways in, the ways a session ends, and what is on the pages, as HTML."""

import re

import pytest

from tiktok_assets.simulator.studio import StudioAccount, StudioWorld
from tiktok_assets.simulator.studio.markup import CAPTCHAS
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


def test_pages_are_in_the_language_of_the_account(stranger: Visitor, south: StudioAccount) -> None:
    stranger.log_in(south)
    for tab in ("overview", "content", "viewers", "followers"):
        html = stranger.get(f"{STUDIO}/{tab}").text
        assert '<html lang="el">' in html
        assert f"<h2>Λήψη δεδομένων: {getattr(TEXTS['el'], tab)}</h2>" in html


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_before_a_login_pages_are_in_the_language_of_the_browser(stranger: Visitor, language: str) -> None:
    stranger.http.headers["accept-language"] = f"{language}-XX,{language};q=0.9,fr;q=0.8"
    assert TEXTS[language].login_title in stranger.get("/login").text


def test_no_two_labels_of_a_language_can_be_mixed_up() -> None:
    for texts in TEXTS.values():
        buttons = [texts.download_data, texts.download, texts.cancel, texts.apply, texts.custom, texts.got_it]
        tabs = [texts.overview, texts.content, texts.viewers, texts.followers]
        assert len({*buttons, *tabs}) == 10
        assert "{days}" in texts.last_days
        assert "{section}" in texts.download_title


def test_a_page_has_the_hooks_and_classes_that_are_known_and_no_tab_role(visitor: Visitor) -> None:
    html = visitor.get(STUDIO).text
    for known in ("TUXButton", "TUXModal", "TUXTabBar-item", "month-title", "year-title"):
        assert f'class="{known}' in html
    assert html.count('class="TUXTabBar-item TUX') + html.count('class="TUXTabBar-item css-') == 4
    assert "role=tab" not in html
    assert 'role="tab"' not in html
    assert re.findall(r"<input type=radio name=format value=(\w+) (\w*)>", html) == [("XLSX", "checked"), ("CSV", "")]
    assert len(re.findall(r'class="TUXTextInputCore-input" type=text readonly', html)) == 2


def test_ids_and_build_classes_change_with_every_start(
    accounts: tuple[StudioAccount, StudioAccount], north: StudioAccount
) -> None:
    built = []
    for _ in range(2):
        visitor = Visitor(StudioWorld(accounts, clock=lambda: NOW))
        visitor.log_in(north)
        html = visitor.get(STUDIO).text
        built.append({*re.findall(r"css-\w+", html), *re.findall(r' id="([^_"]+)"', html)} - {"captcha"})
    assert len(built[0]) > 15
    assert not built[0] & built[1] - {"captcha_container"}


def test_every_normal_page_holds_captcha_containers_that_are_not_visible(visitor: Visitor) -> None:
    for path in (STUDIO, f"{STUDIO}/content", "/login"):
        html = visitor.get(path).text
        assert '<div id="captcha_container" style="display:none">' in html
        assert '<div class="captcha_verify_container" hidden>' in html


@pytest.mark.parametrize("container", CAPTCHAS)
def test_a_captcha_covers_the_page_under_each_of_its_names(
    visitor: Visitor, world: StudioWorld, container: str
) -> None:
    world.faults.add("captcha", section="content", parameter=container)
    html = visitor.get(f"{STUDIO}/content").text
    attribute = f'id="{container[1:]}"' if container[0] == "#" else f'class="{container[1:]}"'
    assert f"<div {attribute} style=" in html.replace(' style="display:none"', "")
    assert "Analytics_Download_Trigger" in html
    assert (
        TEXTS["en"].captcha not in visitor.get(f"{STUDIO}/content").text.replace("__BOOT__", "").split("</script>")[1]
    )


def test_a_captcha_may_stand_in_the_middle_of_a_login(
    stranger: Visitor, world: StudioWorld, north: StudioAccount
) -> None:
    world.faults.add("captcha", section="login")
    stranger.http.post("/login/phone-or-email/email", data={"username": north.handle, "password": north.password})
    assert 'id="captcha-verify-container"' in stranger.get("/login/2sv").text
    assert 'id="captcha-verify-container"' not in stranger.get("/login/2sv").text


def test_a_changed_page_has_neither_hook_nor_label(visitor: Visitor, world: StudioWorld) -> None:
    world.faults.add("dom_changed")
    body = visitor.get(STUDIO).text.split("</script>", 1)[1]
    assert "data-tt" not in body
    assert f">{TEXTS['en'].download_data}<" not in body


def test_a_page_may_lose_its_hooks_and_keep_its_labels(visitor: Visitor, world: StudioWorld) -> None:
    world.faults.add("dom_changed", parameter="hooks")
    body = visitor.get(STUDIO).text.split("</script>", 1)[1]
    assert "data-tt" not in body
    assert f">{TEXTS['en'].download_data}<" in body


def test_a_first_run_modal_shows_once(visitor: Visitor, world: StudioWorld) -> None:
    world.faults.add("first_run_modal")
    shown = [f"<h2>{TEXTS['en'].news_title.replace(chr(39), '&#x27;')}</h2>" in visitor.get(STUDIO).text for _ in "12"]
    assert shown == [True, False]


def test_a_video_has_a_page_and_a_strangers_video_has_none(
    visitor: Visitor, north: StudioAccount, south: StudioAccount
) -> None:
    own, other = (account.truth.posted[0].video_id for account in (north, south))
    assert f'"videoId": "{own}"' in visitor.get(f"{STUDIO}/{own}").text
    assert visitor.get(f"{STUDIO}/{other}").status_code == 404
    assert visitor.get(f"{STUDIO}/settings").status_code == 404


def test_everything_a_page_loads_comes_from_the_look_alike(visitor: Visitor) -> None:
    html = visitor.get(STUDIO).text
    loaded = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert [visitor.get(path).status_code for path in loaded if path != "data:,"] == [200, 200, 200]
    assert "//" not in html.replace("</", "")


def test_a_title_cannot_break_the_page(north: StudioAccount) -> None:
    from tiktok_assets.simulator.studio.markup import Markup, boot, text

    markup = Markup(language="en", css_class=lambda name: f"css-{name}")
    assert "</script><b>" not in boot(markup, {"title": "</script><b>"})
    assert text('"<b>') == "&quot;&lt;b&gt;"


def test_every_language_has_twelve_months() -> None:
    assert {language: len(set(texts.months)) for language, texts in TEXTS.items()} == dict.fromkeys(TEXTS, 12)
