"""The page in a real browser, opened from disk: what it shows, on a desk and on a phone, in light and dark mode."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, expect, sync_playwright

from tiktok_assets.reporting.front_page import front_page
from tiktok_assets.reporting.page import page as page_of
from tiktok_assets.reporting.roster_line import RosterLine, roster_line
from tiktok_assets.reporting.writing import write_file
from tiktok_assets.settings import Settings
from tiktok_assets.studio.browser import find_browser
from tiktok_assets_tests.reporting.simulated_tables import LAST, TITLE, VIRAL, simulated, tables

pytestmark = pytest.mark.e2e

MADE = dt.datetime(2025, 12, 1, 9, 30, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = find_browser(Settings(), headless=True, playwrights_own=Path(playwright.chromium.executable_path))
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One page of two accounts, the second without a timezone."""
    accounts = [tables(simulated()), tables(simulated("zonea0"), timezone=None)]
    return write_file(tmp_path_factory.mktemp("report") / "report.html", page_of(accounts, MADE))


def opened(browser: Browser, report: Path, width: int, scheme: str) -> tuple[Page, list[str], list[str]]:
    """The drawn page, the requests it made beside its own file, and what it complained of."""
    context = browser.new_context(viewport={"width": width, "height": 900}, timezone_id="America/New_York")
    requests: list[str] = []
    complaints: list[str] = []

    def meet(route: Route) -> None:
        if route.request.url != report.as_uri():
            requests.append(route.request.url)
            route.abort()
            return
        route.continue_()

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    context.route("**/*", meet)
    page = context.new_page()
    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(report.as_uri())
    page.wait_for_selector(f"html[data-drawn={scheme}]")
    return page, requests, complaints


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_the_true_numbers_are_shown_without_any_network_request(
    browser: Browser, report: Path, tmp_path: Path, width: int, scheme: str
) -> None:
    page, requests, complaints = opened(browser, report, width, scheme)
    truth = simulated()
    month = truth.days[-28:]
    first = page.locator("article#pig1987")
    for number in (sum(day.video_views for day in month), truth.days[-1].followers):
        expect(first.locator(".headlines").first.get_by_text(f"{number:,}", exact=True)).to_be_visible()
    viral = truth.on(VIRAL)
    assert viral is not None
    expect(first.get_by_text(f"{viral.video_views:,} views are")).to_be_visible()
    for chart in first.locator(".chart").all():
        expect(chart.locator("svg path").first).to_be_attached()
        box = chart.locator("svg").bounding_box()
        assert box is not None
        assert 60 < box["width"] <= width
    assert first.locator(".chart").count() == 4
    page.screenshot(path=tmp_path / f"report-{width}-{scheme}.png", full_page=True)
    assert (requests, complaints) == ([], [])
    assert page.evaluate("document.documentElement.scrollWidth") <= width  # nobody has to scroll sideways


def test_the_title_that_is_a_script_is_read_and_not_run(browser: Browser, report: Path) -> None:
    page, _, _ = opened(browser, report, 1200, "light")
    expect(page.locator("article#pig1987").get_by_text(TITLE).first).to_be_visible()
    assert page.evaluate("window.stolen") is None


def test_the_page_itself_forbids_requests_and_unknown_scripts(browser: Browser, report: Path) -> None:
    page, requests, _ = opened(browser, report, 1200, "light")
    refused = page.evaluate("fetch('https://example.com/').then(() => false, () => true)")
    page.evaluate("""() => {
        const strange = document.createElement("script");
        strange.textContent = "window.stolen = true";
        document.body.append(strange);
        document.body.append(Object.assign(new Image(), {src: "https://example.com/pixel.png"}));
    }""")
    page.wait_for_timeout(200)
    assert refused
    assert page.evaluate("window.stolen") is None
    assert requests == []


def test_the_colours_follow_the_scheme_while_the_page_is_open(browser: Browser, report: Path) -> None:
    page, _, _ = opened(browser, report, 1200, "light")
    paper = "getComputedStyle(document.body).backgroundColor"
    line = "document.querySelector('#views-pig1987 .mark-line path').getAttribute('stroke')"
    light = (page.evaluate(paper), page.evaluate(line))
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("html[data-drawn=dark]")
    dark = (page.evaluate(paper), page.evaluate(line))
    assert light[0] != dark[0]
    assert light[1] != dark[1]


def test_a_day_is_the_same_day_west_of_greenwich(browser: Browser, report: Path) -> None:
    page, _, _ = opened(browser, report, 1200, "light")
    axis = page.locator("#views-pig1987 .role-axis-label").first
    expect(axis).to_contain_text("Jan 2025")


def test_unknown_numbers_of_the_second_account_are_named(browser: Browser, report: Path) -> None:
    page, _, _ = opened(browser, report, 390, "light")
    second = page.locator("article#zonea0")
    expect(second.get_by_text("accounts.toml has no timezone for zonea0")).to_be_visible()
    assert second.locator("#posting-zonea0").count() == 0
    expect(second.locator("#activity-zonea0 svg").first).to_be_visible()


def test_the_front_page_shows_a_client_and_saves_what_is_shown(browser: Browser, tmp_path: Path) -> None:
    line = roster_line(tables(simulated()), LAST)
    lines = [
        dataclasses.replace(line, key="one", handle="one", client="Blue Note", problems=['=1+1, "quoted"']),
        dataclasses.replace(line, key="two", handle="two", client="Verve"),
        RosterLine(key="new", handle="new"),
    ]
    path = write_file(tmp_path / "index.html", front_page(lines, MADE))
    page = browser.new_page(viewport={"width": 1600, "height": 900})
    page.goto(path.as_uri())
    expect(page.locator("#shown")).to_have_text("3 of 3")
    page.select_option("#client", "Blue Note")
    expect(page.locator("#shown")).to_have_text("1 of 3")
    with page.expect_download() as saved:
        page.locator("#roster").locator("xpath=preceding-sibling::button").click()
    header, row = csv.reader(io.StringIO(saved.value.path().read_text(encoding="utf-8-sig")))
    shown = dict(zip(header, row, strict=True))
    week = line.numbers["Video views", 7].value
    assert shown["Views 7 d"] == f"{week}"  # exact, and no text
    assert shown["Problems"] == '\'=1+1, "quoted"'
    page.select_option("#client", "(no client)")
    expect(page.locator("#roster tbody tr:visible")).to_contain_text("@new")
    page.close()
