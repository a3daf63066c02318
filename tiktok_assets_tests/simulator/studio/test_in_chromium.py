"""The simulator in a real browser, driven by what a person sees."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

from tiktok_assets.simulator.exports import studio_export, usual_quirks
from tiktok_assets.simulator.studio import StudioAccount, StudioWorld, invent_account, serve
from tiktok_assets_tests.simulator.studio.browser_steps import (
    FIRST,
    LANGUAGES,
    LAST,
    download,
    log_in,
    pick_day,
    pick_range,
)
from tiktok_assets_tests.simulator.studio.conftest import NOW
from tiktok_assets_tests.simulator.studio.studio_client import STUDIO, tables

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or else Playwright's own."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def polyglots() -> dict[str, StudioAccount]:
    """An account of each language."""
    first, last = date(2025, 6, 1), date(2026, 1, 31)
    return {locale: invent_account(f"to.{locale}", 1, first, last, locale=locale) for locale in LANGUAGES}


@pytest.fixture
def world(polyglots: dict[str, StudioAccount]) -> StudioWorld:
    return StudioWorld(polyglots.values(), clock=lambda: NOW, prepare_seconds=0.05)


@pytest.fixture
def address(world: StudioWorld) -> Iterator[str]:
    with serve(world) as address:
        yield address


@pytest.fixture
def context(browser: Browser, address: str) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=address, accept_downloads=True)
    context.set_default_timeout(5000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, world: StudioWorld, polyglots: dict[str, StudioAccount]) -> Page:
    """Logged in to the English account without a form."""
    session = world.sessions.open("to.en")
    context.add_cookies([{"name": "sessionid", "value": session.id, "domain": "127.0.0.1", "path": "/"}])
    return context.new_page()


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_a_person_of_any_language_logs_in_picks_days_and_gets_the_right_file(
    context: BrowserContext,
    world: StudioWorld,
    polyglots: dict[str, StudioAccount],
    tmp_path: Path,
    language: str,
) -> None:
    labels, account = LANGUAGES[language], polyglots[language]
    page = context.new_page()
    errors: list[Error] = []
    page.on("pageerror", lambda error: errors.append(error))
    log_in(page, account, world)
    page.locator(".TUXTabBar-item").get_by_text(labels.viewers, exact=True).click()
    page.wait_for_url("**/viewers")
    pick_range(page, labels)
    path = download(page, labels, tmp_path)
    expected = studio_export(
        account.truth,
        "viewers",
        FIRST,
        LAST,
        downloaded_at=NOW,
        locale=language,
        quirks=usual_quirks(account.truth, NOW),
    )
    assert (path.name, path.read_bytes()) == (expected.name, expected.content)
    _, *rows = tables(path.read_bytes())["Viewers.csv"]
    assert (len(rows), rows[0][0]) == (37, labels.first_row)
    assert errors == []


def test_a_preset_can_be_requested_in_the_address(page: Page, world: StudioWorld, tmp_path: Path) -> None:
    page.goto(f"{STUDIO}/viewers?dateRange=%7B%22type%22%3A%22fixed%22%2C%22pastDay%22%3A60%7D")
    expect(page.get_by_role("button", name="Last 60 days")).to_be_visible()
    path = download(page, LANGUAGES["en"], tmp_path)
    assert len(tables(path.read_bytes())["Viewers.csv"]) == 61


def test_a_page_loads_its_json_by_itself_and_the_next_videos_when_scrolled(page: Page, world: StudioWorld) -> None:
    page.goto(f"{STUDIO}/content")
    expect(page.locator("a[href*='/tiktokstudio/analytics/']")).to_have_count(20)
    page.mouse.wheel(0, 5000)
    expect(page.locator("a[href*='/tiktokstudio/analytics/']")).to_have_count(40)
    page.locator("a[href*='/tiktokstudio/analytics/']").first.click()
    expect(page.get_by_text("Average watch time")).to_be_visible()
    paths = [request.path for request in world.requests]
    for path in ("/tiktokstudio/api/web/user", "/tiktokstudio/api/web/relation/multiGetFollowRelationCount"):
        assert paths.count(path) == 2
    assert paths.count("/tiktok/creator/manage/item_list/v1/") == 2
    assert paths.count("/aweme/v2/data/insight/") == 2


@pytest.mark.parametrize(
    ("fault", "message"),
    [("limit_message", "reached the export limit"), ("http_429", "Too many attempts"), ("status_8", "Login expired")],
)
def test_a_refusal_is_an_alert(page: Page, world: StudioWorld, fault: str, message: str) -> None:
    world.faults.add(fault, section="viewers")
    page.goto(f"{STUDIO}/viewers")
    page.get_by_role("button", name="Download data").click()
    page.get_by_role("button", name="Download", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text=re.compile(message))).to_be_visible()
    assert world.exports.made == []


def test_more_days_than_allowed_are_refused_in_the_calendar(page: Page, world: StudioWorld) -> None:
    world.exports.max_days = 30
    page.goto(f"{STUDIO}/viewers")
    page.get_by_role("button", name="Last 7 days").click()
    page.get_by_role("menuitem", name="Custom").click()
    calendar = page.get_by_role("dialog", name="Custom")
    pick_day(page, "November", "2025", 30)
    page.get_by_role("button", name="Next month").click()
    pick_day(page, "December", "2025", 30)
    calendar.get_by_role("button", name="Apply").click()
    expect(calendar.get_by_role("alert")).to_have_text("Select up to 30 days")
    expect(calendar.locator(".day:not(.valid)")).to_have_count(0)
    page.get_by_role("button", name="Next month").click()
    expect(calendar.locator(".day.valid")).to_have_count(0)  # 1 January 2026 has no data yet


def test_chromium_resumes_a_download_after_one_interruption(page: Page, world: StudioWorld, tmp_path: Path) -> None:
    world.faults.add("reset_once")
    page.goto(f"{STUDIO}/viewers")
    path = download(page, LANGUAGES["en"], tmp_path)
    with ZipFile(path) as archive:
        assert archive.testzip() is None
    assert world.exports.made[0].downloads == 2


def test_a_download_that_is_always_interrupted_fails(page: Page, world: StudioWorld, tmp_path: Path) -> None:
    world.faults.add("reset_always")
    page.goto(f"{STUDIO}/viewers")
    with pytest.raises(Error, match="canceled"):
        download(page, LANGUAGES["en"], tmp_path)


def test_only_a_real_captcha_is_visible(page: Page, world: StudioWorld) -> None:
    containers = "#captcha-verify-container, .captcha-verify-container, .captcha_verify_container, #captcha_container"
    page.goto(STUDIO)
    assert page.locator(containers).count() == 2
    expect(page.locator(containers).filter(visible=True)).to_have_count(0)
    world.faults.add("captcha")
    page.reload()
    expect(page.locator(containers).filter(visible=True)).to_have_count(1)
    page.locator("[class^=captcha_verify_slide]").click()
    expect(page.locator(containers).filter(visible=True)).to_have_count(0)


def test_a_first_run_modal_covers_the_buttons_until_it_is_closed(page: Page, world: StudioWorld) -> None:
    world.faults.add("first_run_modal")
    page.goto(STUDIO)
    button = page.get_by_role("button", name="Download data")
    expect(button).to_be_visible()
    with pytest.raises(Error, match="intercepts pointer events"):
        button.click(timeout=2_000)
    page.get_by_role("button", name="Got it").click()
    button.click()
    expect(page.get_by_role("dialog", name="Download Overview data")).to_be_visible()


def test_a_scanned_qr_code_leads_into_studio(context: BrowserContext, world: StudioWorld) -> None:
    page = context.new_page()
    page.goto("/login")
    page.get_by_text("Use QR code").click()
    expect(page.get_by_role("img", name="QR")).to_be_visible()
    world.sessions.scan("to.vi")
    page.wait_for_url(f"**{STUDIO}")
    expect(page.get_by_role("button", name="Tải dữ liệu xuống")).to_be_visible()
    ends = {cookie.get("name"): cookie.get("expires", 0) for cookie in context.cookies()}
    assert ends["sessionid"] == pytest.approx(time.time() + timedelta(days=180).total_seconds(), abs=600)
