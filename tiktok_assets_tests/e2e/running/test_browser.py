"""Dagster's pages in a real browser: what a person sees of the graph, a table and its checks."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tiktok_assets_tests.e2e.dagster_dev import DagsterDev

pytestmark = pytest.mark.e2e

GROUPS = ("landing", "raw", "staging", "curated", "warehouse", "reports")
SLOW = 60_000  # milliseconds; guards against hanging


def browser_path(playwrights_own: str) -> str | None:
    """The browser that setup finds, too: from the setting, from the system, or Playwright's."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
    candidates = (os.environ.get("TIKTOK_BROWSER_PATH"), *map(shutil.which, names), playwrights_own)
    return next((path for path in candidates if path and Path(path).exists()), None)


@pytest.fixture(scope="module")
def page(dagster_dev: DagsterDev, seconds_from_drop_to_warehouse: float) -> Iterator[Page]:
    """A page of a browser that requests only from our own server, once the exports are processed."""
    with sync_playwright() as playwright:
        path = browser_path(playwright.chromium.executable_path)
        if path is None:
            pytest.skip("no browser found")
        quiet = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run")
        browser = playwright.chromium.launch(executable_path=path, args=list(quiet))
        page = browser.new_page(viewport={"width": 1500, "height": 1260})
        page.set_default_timeout(SLOW)
        expect.set_options(timeout=SLOW)
        page.route(lambda address: not address.startswith(dagster_dev.url), lambda route: route.abort())
        yield page
        browser.close()


def test_the_graph_shows_every_layer(dagster_dev: DagsterDev, page: Page, tmp_path: Path) -> None:
    page.goto(f"{dagster_dev.url}/asset-groups")
    for name in GROUPS:
        expect(page.get_by_text(name, exact=True).last).to_be_visible()  # the first one is in the list next to it
    page.mouse.move(900, 1240)
    page.wait_for_timeout(1000)  # the lines are drawn after the boxes
    page.screenshot(path=tmp_path / "asset-graph.png")
    assert (tmp_path / "asset-graph.png").stat().st_size > 10_000


def test_a_table_shows_its_rows_columns_and_owner(dagster_dev: DagsterDev, page: Page, tmp_path: Path) -> None:
    page.goto(f"{dagster_dev.url}/assets/staging/overview")
    expect(page.get_by_text("Row count").first).to_be_visible()
    expect(page.get_by_text("365", exact=True).first).to_be_visible()
    expect(page.get_by_text("One row per account, date. Views, profile views")).to_be_visible()
    expect(page.get_by_text("likes given less likes taken back; may be negative")).to_be_visible()
    expect(page.get_by_text("data-platform").first).to_be_visible()
    page.screenshot(path=tmp_path / "asset.png")


def test_a_materialization_shows_coverage_and_source(dagster_dev: DagsterDev, page: Page, tmp_path: Path) -> None:
    page.goto(f"{dagster_dev.url}/assets/staging/overview?view=events")
    expect(page.get_by_text("days_covered").first).to_be_visible()
    expect(page.get_by_text("missing_days").first).to_be_visible()
    expect(page.get_by_text("Overview_2025-01-01_").first).to_be_visible()
    page.screenshot(path=tmp_path / "materialization.png")


def test_the_days_of_an_account_show_their_chart(dagster_dev: DagsterDev, page: Page, tmp_path: Path) -> None:
    page.goto(f"{dagster_dev.url}/assets/curated/account_daily")
    chart = page.get_by_role("img", name="chart").first
    expect(chart).to_be_visible()
    chart.scroll_into_view_if_needed()
    drawn = "image => image.complete && image.naturalWidth"
    assert chart.evaluate(drawn) == 360  # the browser could read the drawing, and nobody had to click for it
    table = page.locator("table", has=page.get_by_text("Video views", exact=True)).last
    expect(table).to_contain_text("28 days")
    page.screenshot(path=tmp_path / "account-daily.png")


def test_every_promise_of_a_table_is_listed_under_checks(dagster_dev: DagsterDev, page: Page, tmp_path: Path) -> None:
    page.goto(f"{dagster_dev.url}/assets/staging/overview?view=checks")
    for name in ("keeps_schema", "has_rows", "days_are_contiguous", "has_no_duplicates"):
        expect(page.get_by_text(name, exact=True).first).to_be_visible()
    expect(page.get_by_text("Passed").first).to_be_visible()
    expect(page.get_by_text(": 2025-01 to 2025-12").first).to_be_visible()
    page.screenshot(path=tmp_path / "checks.png")


def test_the_front_page_is_made_after_the_runs_and_served_beside_dagster(
    dagster_dev: DagsterDev, page: Page, tmp_path: Path
) -> None:
    front = dagster_dev.home / "data" / "reports" / "index.html"
    dagster_dev.wait_for("the front page", lambda: front.exists() and "pig1987.html" in front.read_text())
    page.goto(f"{dagster_dev.url}/assets/reports/front_page")
    page.get_by_role("link", name="/roster/").first.click()
    shown = page.context.pages[-1]
    shown.goto(f"{dagster_dev.url}/roster/")
    expect(shown.locator("#shown")).to_have_text("5 of 5")  # its script runs, in an origin of its own
    shown.get_by_placeholder("an account").fill("zonea0")
    expect(shown.locator("#shown")).to_have_text("1 of 5")
    shown.screenshot(path=tmp_path / "front-page.png")
    shown.get_by_role("link", name="@zonea0").last.click()
    expect(shown.get_by_role("heading", name="@zonea0")).to_be_visible()


ATTACK = """
async target => {
    const mutation = '{"query": "mutation { shutdownRepositoryLocation(repositoryLocationName: \\\\"tiktok_assets\\\\")'
        + ' { __typename } }"}';
    const outcome = (name, asked) => asked.then(answer => `${name}: ${answer.type}`, () => `${name}: failed`);
    const socket = new Promise(resolve => {
        const opened = new WebSocket(target.replace('http', 'ws') + '/graphql', 'graphql-ws');
        opened.onopen = () => resolve('socket: opened');
        opened.onerror = () => resolve('socket: failed');
    });
    const json = {method: 'POST', headers: {'content-type': 'application/json'}, body: mutation};
    return Promise.all([
        outcome('json', fetch(target + '/graphql', json)),
        outcome('read', fetch(target + '/server_info')),
        outcome('form', fetch(target + '/graphql', {method: 'POST', mode: 'no-cors', body: mutation})),
        outcome('image', fetch(target + '/graphql?query=mutation%20%7B__typename%7D', {mode: 'no-cors'})),
        socket,
    ]);
}
"""


def test_a_page_of_another_origin_can_start_and_read_nothing(dagster_dev: DagsterDev, page: Page) -> None:
    """The page lies on another port of this machine; ``localhost`` is another name of it."""
    with serving(b"<title>elsewhere</title>") as elsewhere:
        other = page.context.browser.new_page()  # pyright: ignore[reportOptionalMemberAccess]
        refused: list[tuple[str, int]] = []
        other.on("response", lambda answer: refused.append((answer.url, answer.status)))
        other.goto(elsewhere)
        outcomes = other.evaluate(ATTACK, dagster_dev.url)
        other.close()
    assert outcomes == ["json: failed", "read: failed", "form: opaque", "image: opaque", "socket: failed"]
    statuses = {status for url, status in refused if url.startswith(dagster_dev.url)}
    assert statuses == {403}
    query = "{ locationStatusesOrError { ... on WorkspaceLocationStatusEntries { entries { loadStatus } } } }"
    assert dagster_dev.ask(query)["locationStatusesOrError"]["entries"] == [{"loadStatus": "LOADED"}]


@contextmanager
def serving(body: bytes) -> Iterator[str]:
    """The address of a page with ``body``."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
