"""One file: fetched or not, inspected before it may land; and what a scrubbed trace still contains."""

from __future__ import annotations

import io
import json
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from upath import UPath

from tiktok_assets.exports.archive import export_id
from tiktok_assets.exports.problems import AccountConflict, BrokenFile, ExportProblem, WrongSection
from tiktok_assets.exports.windows import Window
from tiktok_assets.failures import DownloadFailed
from tiktok_assets.settings import load_settings
from tiktok_assets.simulator.exports import studio_export
from tiktok_assets.simulator.studio import StudioAccount
from tiktok_assets.storage.documents import FileDocuments
from tiktok_assets.storage.lake import Lake
from tiktok_assets.studio.delivery import Delivery
from tiktok_assets.studio.download import fetch, inspect_file, safe_name, save
from tiktok_assets.studio.evidence import KEPT, Evidence, scrub_trace, secrets_of
from tiktok_assets.studio.ledger_store import LedgerFile
from tiktok_assets.studio.limits import Ledger
from tiktok_assets_tests.studio.conftest import FIRST, LAST, NORTH, NOW, SOUTH

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Download

SECRET = "0123456789abcdef"
Accounts = tuple[StudioAccount, StudioAccount]


def export_of(accounts: Accounts, folder: Path, section: str = "viewers") -> Path:
    made = studio_export(accounts[0].truth, section, FIRST, LAST, downloaded_at=NOW)  # pyright: ignore[reportArgumentType]
    path = folder / made.name
    path.write_bytes(made.content)
    return path


def test_a_valid_file_is_described_by_its_contents(studio_accounts: Accounts, tmp_path: Path) -> None:
    contents = inspect_file(export_of(studio_accounts, tmp_path), "viewers", NORTH)
    assert (contents.rows, contents.warnings) == (15, ())


@pytest.mark.parametrize(
    ("content", "problem", "says"),
    [
        (b"", BrokenFile, "is empty"),
        (b"<!doctype html><html>", BrokenFile, "is a web page"),
        (b"\n<html>", BrokenFile, "is a web page"),
        (b"Date,Video Views\n", BrokenFile, "begins with b'Date'"),
        (b"PK\x03\x04 and then nothing", BrokenFile, "damaged or incomplete"),
    ],
)
def test_what_is_not_a_zip_is_not_an_export(
    tmp_path: Path, content: bytes, problem: type[ExportProblem], says: str
) -> None:
    path = tmp_path / "Viewers_north.pier.zip"
    path.write_bytes(content)
    with pytest.raises(problem, match=says):
        inspect_file(path, "viewers", NORTH)


def test_every_missing_byte_is_noticed(studio_accounts: Accounts, tmp_path: Path) -> None:
    path = export_of(studio_accounts, tmp_path)
    whole = path.read_bytes()
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        with pytest.raises(BrokenFile):
            inspect_file(path, "viewers", NORTH)


def test_another_section_and_another_account_are_refused(studio_accounts: Accounts, tmp_path: Path) -> None:
    path = export_of(studio_accounts, tmp_path, "overview")
    with pytest.raises(WrongSection, match="contains overview, but viewers was requested"):
        inspect_file(path, "viewers", NORTH)
    with pytest.raises(AccountConflict, match=r"belongs to @north.pier, but @south_pier's export was requested"):
        inspect_file(path, "overview", SOUTH)


@pytest.mark.parametrize(
    ("served", "name"),
    [
        ("Overview_2025-12-04_1767198030_north.pier.zip", "Overview_2025-12-04_1767198030_north.pier.zip"),
        ("../../etc/Viewers_a.zip", "Viewers_a.zip"),
        ("..\\Viewers_a.zip", "Viewers_a.zip"),
        ("", "north_overview.zip"),
        ("....", "north_overview.zip"),
        ("Content_a", "Content_a.zip"),
        ("Content_a.html", "Content_a.html.zip"),
        ("Viewers.XLSX", "Viewers.XLSX"),
        ("a\x00b\n.zip", "a_b_.zip"),
    ],
)
def test_a_served_name_becomes_a_plain_file_name(served: str, name: str) -> None:
    assert safe_name(served, "north, overview") == name


@pytest.mark.parametrize("place", ["", "memory://delivered/data"])
def test_a_file_that_was_named_before_a_crash_is_recognised_wherever_the_lake_is(
    studio_accounts: Accounts, tmp_path: Path, place: str
) -> None:
    lake = Lake(load_settings(data_dir=place or tmp_path / "data"))
    ledger = Ledger(store=LedgerFile(tmp_path / "limits.sqlite"), export_interval=3600, account_spacing=0)
    path = export_of(studio_accounts, tmp_path)
    asked = ledger.ask(ledger.reserve(NORTH.key, NOW), "viewers", Window(first=FIRST, last=LAST), NOW)
    ledger.landing(asked, path.name, export_id(path))
    lake.copy(UPath(path), lake.settings.landing / NORTH.key / path.name)  # and here the process dies
    (pending,) = ledger.pending(NORTH.key, NOW)
    unused: dict[str, Any] = dict.fromkeys(("context", "retries", "clock"))
    delivery = Delivery(
        checkpoint=pending, account=NORTH, ledger=ledger, lake=lake, timeout=1, began=time.monotonic(), **unused
    )
    landed = delivery.named_before()
    assert landed is not None and (landed.path.name, landed.rows) == (path.name, 15)
    assert ledger.pending(NORTH.key, NOW) == []


@pytest.fixture
def stalling_server() -> Iterator[str]:
    """Begins every file and never continues."""
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Disposition: attachment; filename=x.zip\r\nContent-Length: 999\r\n\r\nPK\x03\x04"
    )
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 26\r\n\r\n<a href=/file download>a</a"
    listener, connections = socket.create_server(("127.0.0.1", 0)), list[socket.socket]()

    def answer() -> None:
        while True:
            try:
                connection, _ = listener.accept()
                connections.append(connection)
                connection.sendall(head if b"/file" in connection.recv(4096) else page)
            except OSError:
                return

    thread = threading.Thread(target=answer)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)
    for connection in connections:
        connection.close()


@pytest.mark.e2e
def test_a_stalled_transfer_times_out(chromium: Browser, tmp_path: Path, stalling_server: str) -> None:
    context = chromium.new_context()
    page, begun = context.new_page(), list["Download"]()
    page.on("download", lambda download: begun.append(download))
    page.goto(stalling_server)
    page.evaluate("location.assign('/file')")
    while not begun:
        page.wait_for_timeout(20)
    with pytest.raises(DownloadFailed, match=r"was interrupted \(not complete after 0.3 s\)"):
        save(begun[0], tmp_path, where="north, overview", seconds=0.3)
    with pytest.raises(DownloadFailed, match="did not arrive"):
        fetch(context, f"{stalling_server}/file", tmp_path, where="north, overview", seconds=0.3)
    assert list(tmp_path.iterdir()) == []
    context.close()


def test_a_scrubbed_trace_contains_no_cookie_in_any_encoding(tmp_path: Path) -> None:
    state = {"cookies": [{"name": "sessionid", "value": SECRET}]}
    events = [
        {"type": "x", "headers": [{"name": "Cookie", "value": "a=unknown-to-us"}, {"name": "Accept", "value": "*/*"}]},
        {"type": "x", "headers": {"Set-Cookie": "b=unknown-to-us", "accept": "kept"}, "storageState": state},
        {"type": "x", "cookies": [{"name": "c", "value": "unknown-to-us"}], "url": f"/?s={SECRET}%7C1"},
    ]
    with zipfile.ZipFile(tmp_path / "raw.zip", "w") as raw:
        raw.writestr("1.network", "\n".join([*map(json.dumps, events), "no json: unknown-to-us"]))
        raw.writestr("resources/page.html", f"<p>{SECRET}</p>")
        raw.writestr("resources/a.jpeg", b"\xff\xd8")
    scrub_trace(tmp_path / "raw.zip", tmp_path / "clean.zip", secrets_of(state["cookies"]))
    with zipfile.ZipFile(tmp_path / "clean.zip") as clean:
        content = {name: clean.read(name) for name in clean.namelist()}
    everything = io.BytesIO(b"".join(content.values())).getvalue()
    assert SECRET.encode() not in everything and b"unknown-to-us" not in everything
    assert b"*/*" in everything and b"kept" in everything and content["resources/a.jpeg"] == b"\xff\xd8"


def test_short_values_are_not_secrets() -> None:
    assert secrets_of([{"value": "en"}, {"value": "1"}, {"value": SECRET}, {}]) == [SECRET]


def test_only_the_last_failures_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "failures"
    folder.mkdir()
    for number in range(KEPT + 5):
        (folder / f"20260101T0000{number:02}Z_north.png").touch()
    Evidence(documents=FileDocuments(tmp_path)).forget_old()
    left = sorted(path.name for path in folder.iterdir())
    assert len(left) == KEPT and left[0] == "20260101T000005Z_north.png"
