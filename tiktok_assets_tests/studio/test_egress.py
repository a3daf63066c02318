"""Egresses: which machine visits an account, through which proxy, and that its password is shown nowhere."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import http.server
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tiktok_assets.accounts import Account, load_roster
from tiktok_assets.cli.app import app
from tiktok_assets.failures import EgressElsewhere
from tiktok_assets.settings import InvalidSettings, Settings, load_settings
from tiktok_assets.studio.browser import open_browser
from tiktok_assets.studio.browser_studio import BrowserStudio
from tiktok_assets.studio.egress import is_here, proxy_of, require_egress
from tiktok_assets.studio.extraction import ExtractionRequest
from tiktok_assets.studio.login import log_in
from tiktok_assets_tests.conftest import Install
from tiktok_assets_tests.fakes import Clock, PaperStudio

HERE = Account(key="here", handle="here", egress="lisbon")
ELSEWHERE = Account(key="elsewhere", handle="elsewhere", egress="porto")
NOW = dt.datetime(2026, 1, 10, 18, tzinfo=dt.UTC)
PROXIES = "lisbon=http://me:gehe%20im@192.0.2.7:3128 porto=socks5://192.0.2.8:1080"


@pytest.fixture
def settings(install: Install) -> Settings:
    return install("here", "elsewhere", egress=("lisbon", "faro"))


def test_a_machine_has_the_egresses_it_names_or_all(settings: Settings, install: Install) -> None:
    assert (is_here(settings, HERE), is_here(settings, ELSEWHERE)) == (True, False)
    assert is_here(install(), ELSEWHERE)


def test_a_visit_on_a_machine_without_the_egress_is_refused_before_a_browser_opens(settings: Settings) -> None:
    sentence = r"elsewhere: its egress is porto, and this machine has only lisbon, faro \(TIKTOK_EGRESS\)"
    with pytest.raises(EgressElsewhere, match=sentence), BrowserStudio(settings=settings).visit(ELSEWHERE):
        pass
    with pytest.raises(EgressElsewhere, match=sentence):
        log_in(settings, ELSEWHERE)
    require_egress(settings, HERE)


def test_an_extraction_elsewhere_stops_with_the_sentence_and_requests_nothing(settings: Settings) -> None:
    studio, day = PaperStudio(settings=settings, clock=Clock(NOW)), dt.date(2026, 1, 8)
    request = ExtractionRequest(account=ELSEWHERE, sections=["overview"], first=day, last=day)
    outcome = studio.extractor()(request)
    assert outcome.message is not None
    assert "its egress is porto" in outcome.message
    assert (studio.visits, len(outcome.remaining)) == ([], 1)


def test_extract_of_all_accounts_leaves_those_of_other_egresses_to_their_machines(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = install()
    listed = "".join(f'[accounts.{one}]\negress = "{egress}"\n' for one, egress in (("a", "lisbon"), ("b", "porto")))
    settings.accounts_file.write_text(listed)
    monkeypatch.setenv("TIKTOK_ACCOUNTS_FILE", str(settings.accounts_file))
    monkeypatch.setenv("TIKTOK_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("TIKTOK_EGRESS", "porto")
    said = CliRunner().invoke(app, ["extract"]).stderr.splitlines()
    assert said[0] == "Accounts left to the machines that have their egress (lisbon): 1 of 2."
    assert [line.partition(":")[0] for line in said[1:]] == ["b"], (
        "no login, which only an account of this machine lacks"
    )
    assert CliRunner().invoke(app, ["extract", "a"]).stderr.startswith("a: its egress is lisbon, and this machine has")


def test_an_account_without_an_egress_has_the_default_one(install: Install) -> None:
    settings = install()
    settings.accounts_file.write_text('[accounts.a]\n[accounts.b]\negress = "lisbon"\n')
    assert [account.egress for account in load_roster(settings).values()] == ["default", "lisbon"]


def test_each_egress_has_its_proxy_or_none(install: Install) -> None:
    settings = install(egress_proxy=PROXIES)
    assert proxy_of(settings, "lisbon") == {
        "server": "http://192.0.2.7:3128",
        "username": "me",
        "password": "gehe im",
    }
    assert proxy_of(settings, "porto") == {"server": "socks5://192.0.2.8:1080"}
    assert proxy_of(settings, "default") is None
    assert proxy_of(install(), "lisbon") is None


def test_the_password_of_a_proxy_is_shown_nowhere(install: Install) -> None:
    settings = install(egress_proxy=PROXIES)
    assert "gehe" not in f"{settings!r} {settings} {settings.model_dump_json()}"
    with pytest.raises(InvalidSettings) as refused:
        load_settings(egress_proxy="lisbon=ftp://me:geheim@192.0.2.7")
    assert "geheim" not in str(refused.value)
    assert "TIKTOK_EGRESS_PROXY=(hidden)" in str(refused.value)


@pytest.mark.parametrize(
    "entry",
    ["http://192.0.2.7:3128", "Lisbon=http://192.0.2.7", "lisbon=http://", "lisbon=socks5://me:x@192.0.2.7:1080"],
)
def test_a_proxy_that_could_not_work_is_refused(entry: str) -> None:
    with pytest.raises(InvalidSettings, match="lisbon=http://user:password@"):
        load_settings(egress_proxy=entry)


@pytest.mark.parametrize("name", ["Lisbon", "li sbon", "-lisbon", "lisbon-", "x" * 25])
def test_a_name_that_cannot_be_a_part_of_a_queue_is_refused(name: str) -> None:
    with pytest.raises(InvalidSettings, match="lower-case letters, digits and hyphens"):
        load_settings(egress=(name,))


@contextlib.contextmanager
def proxy_that_asks_for(user: str) -> Iterator[tuple[str, list[str]]]:
    """A proxy that answers by itself those who name ``user``: its address, and the addresses asked for."""
    asked: list[str] = []
    expected = f"Basic {base64.b64encode(user.encode()).decode()}"

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # what follows CONNECT comes over the same connection
        tunnel = ""

        def do_CONNECT(self) -> None:
            if self.answer():
                self.tunnel = f"http://{self.path.removesuffix(':80')}"

        def do_GET(self) -> None:
            if self.answer(b"lisbon"):
                asked.append(self.tunnel + self.path)

        def answer(self, content: bytes = b"") -> bool:
            is_known = bool(self.tunnel) or self.headers["Proxy-Authorization"] == expected
            self.send_response(200 if is_known else 407)
            self.send_header("Proxy-Authenticate", 'Basic realm="lisbon"')
            if content or not is_known:
                self.send_header("Content-Length", f"{len(content)}")
            self.end_headers()
            self.wfile.write(content)
            return is_known

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}", asked
        server.shutdown()


def visit_through(settings: Settings, trace: Path) -> None:
    with open_browser(settings, headless=True, egress="lisbon") as browser:
        context = browser.new_context()
        context.tracing.start(snapshots=True)
        page = context.new_page()
        page.goto("http://studio.invalid/page")
        assert page.inner_text("body") == "lisbon"
        assert context.request.get("http://studio.invalid/download").text() == "lisbon"
        context.tracing.stop(path=trace)


@pytest.mark.e2e
def test_pages_and_downloads_of_an_egress_leave_through_its_proxy_and_no_trace_has_the_password(
    install: Install, tmp_path: Path
) -> None:
    with proxy_that_asks_for("me:gehe im") as (address, asked), ThreadPoolExecutor(1) as thread:
        settings = install(egress_proxy=f"lisbon=http://me:gehe%20im@{address}")
        thread.submit(
            visit_through, settings, tmp_path / "trace.zip"
        ).result()  # other tests keep Playwright in this one
    assert {"http://studio.invalid/page", "http://studio.invalid/download"} <= set(asked)
    with zipfile.ZipFile(tmp_path / "trace.zip") as trace:
        content = b"".join(trace.read(name) for name in trace.namelist())
    assert b"studio.invalid/page" in content
    assert not [form for form in (b"gehe im", b"gehe%20im", base64.b64encode(b"me:gehe im")) if form in content]
