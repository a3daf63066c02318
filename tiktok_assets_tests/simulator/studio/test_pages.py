"""What is on the pages, as HTML: languages, hooks, classes, and the faults of a page."""

import re

import pytest

from tiktok_assets.simulator.studio import StudioAccount, StudioWorld
from tiktok_assets.simulator.studio.markup import CAPTCHAS, Markup, boot, text
from tiktok_assets.simulator.studio.texts import TEXTS
from tiktok_assets_tests.simulator.studio.conftest import NOW
from tiktok_assets_tests.simulator.studio.studio_client import STUDIO, StudioClient


def test_pages_are_in_the_language_of_the_account(anonymous_client: StudioClient, south: StudioAccount) -> None:
    anonymous_client.log_in(south)
    for tab in ("overview", "content", "viewers", "followers"):
        html = anonymous_client.get(f"{STUDIO}/{tab}").text
        assert '<html lang="el">' in html
        assert f"<h2>Λήψη δεδομένων: {getattr(TEXTS['el'], tab)}</h2>" in html


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_before_a_login_pages_are_in_the_language_of_the_browser(anonymous_client: StudioClient, language: str) -> None:
    anonymous_client.http.headers["accept-language"] = f"{language}-XX,{language};q=0.9,fr;q=0.8"
    assert TEXTS[language].login_title in anonymous_client.get("/login").text


def test_no_two_labels_of_a_language_are_equal() -> None:
    for texts in TEXTS.values():
        buttons = [texts.download_data, texts.download, texts.cancel, texts.apply, texts.custom, texts.got_it]
        tabs = [texts.overview, texts.content, texts.viewers, texts.followers]
        assert len({*buttons, *tabs}) == 10
        assert "{days}" in texts.last_days
        assert "{section}" in texts.download_title


def test_a_page_has_the_known_hooks_and_classes_and_no_tab_role(client: StudioClient) -> None:
    html = client.get(STUDIO).text
    for name in ("TUXButton", "TUXModal", "TUXTabBar-item", "month-title", "year-title"):
        assert f'class="{name}' in html
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
        client = StudioClient(StudioWorld(accounts, clock=lambda: NOW))
        client.log_in(north)
        html = client.get(STUDIO).text
        built.append({*re.findall(r"css-\w+", html), *re.findall(r' id="([^_"]+)"', html)} - {"captcha"})
    assert len(built[0]) > 15
    assert not built[0] & built[1] - {"captcha_container"}


def test_every_normal_page_contains_hidden_captcha_containers(client: StudioClient) -> None:
    for path in (STUDIO, f"{STUDIO}/content", "/login"):
        html = client.get(path).text
        assert '<div id="captcha_container" style="display:none">' in html
        assert '<div class="captcha_verify_container" hidden>' in html


@pytest.mark.parametrize("container", CAPTCHAS)
def test_a_captcha_covers_the_page_under_each_of_its_names(
    client: StudioClient, world: StudioWorld, container: str
) -> None:
    world.faults.add("captcha", section="content", parameter=container)
    covered, free = (client.get(f"{STUDIO}/content").text.split("</script>", 1)[1] for _ in range(2))
    attribute = f'id="{container[1:]}"' if container[0] == "#" else f'class="{container[1:]}"'
    shown = f'<div {attribute} style="background'
    assert (shown in covered, shown in free) == (True, False)
    assert (TEXTS["en"].captcha in covered, TEXTS["en"].captcha in free) == (True, False)
    assert "Analytics_Download_Trigger" in covered


def test_a_captcha_may_appear_in_the_middle_of_a_login(
    anonymous_client: StudioClient, world: StudioWorld, north: StudioAccount
) -> None:
    world.faults.add("captcha", section="login")
    anonymous_client.http.post(
        "/login/phone-or-email/email", data={"username": north.handle, "password": north.password}
    )
    assert 'id="captcha-verify-container"' in anonymous_client.get("/login/2sv").text
    assert 'id="captcha-verify-container"' not in anonymous_client.get("/login/2sv").text


def test_a_changed_page_has_neither_hook_nor_label(client: StudioClient, world: StudioWorld) -> None:
    world.faults.add("dom_changed")
    body = client.get(STUDIO).text.split("</script>", 1)[1]
    assert "data-tt" not in body
    assert f">{TEXTS['en'].download_data}<" not in body


def test_a_page_may_lose_its_hooks_and_keep_its_labels(client: StudioClient, world: StudioWorld) -> None:
    world.faults.add("dom_changed", parameter="hooks")
    body = client.get(STUDIO).text.split("</script>", 1)[1]
    assert "data-tt" not in body
    assert f">{TEXTS['en'].download_data}<" in body


def test_a_first_run_modal_shows_once(client: StudioClient, world: StudioWorld) -> None:
    world.faults.add("first_run_modal")
    shown = [f"<h2>{TEXTS['en'].news_title.replace(chr(39), '&#x27;')}</h2>" in client.get(STUDIO).text for _ in "12"]
    assert shown == [True, False]


def test_only_videos_of_the_account_have_a_page(
    client: StudioClient, north: StudioAccount, south: StudioAccount
) -> None:
    own, other = (account.truth.posted[0].video_id for account in (north, south))
    assert f'"videoId": "{own}"' in client.get(f"{STUDIO}/{own}").text
    assert client.get(f"{STUDIO}/{other}").status_code == 404
    assert client.get(f"{STUDIO}/settings").status_code == 404


def test_everything_a_page_loads_comes_from_the_simulator(client: StudioClient) -> None:
    html = client.get(STUDIO).text
    loaded = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert [client.get(path).status_code for path in loaded if path != "data:,"] == [200, 200, 200]
    assert "//" not in html.replace("</", "")


def test_a_title_cannot_break_the_page() -> None:
    markup = Markup(language="en", css_class=lambda name: f"css-{name}")
    assert "</script><b>" not in boot(markup, {"title": "</script><b>"})
    assert text('"<b>') == "&quot;&lt;b&gt;"


def test_every_language_has_twelve_months() -> None:
    assert {language: len(set(texts.months)) for language, texts in TEXTS.items()} == dict.fromkeys(TEXTS, 12)
