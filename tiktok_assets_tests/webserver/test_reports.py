"""The reports are served beside Dagster, each an origin of its own, and nothing else of the disk is."""

from __future__ import annotations

from pathlib import Path

import pytest
from fsspec import AbstractFileSystem
from starlette.types import Message, Receive, Scope, Send
from upath import UPath

from tiktok_assets.webserver.reports import with_reports
from tiktok_assets_tests.webserver.asgi import sent


async def dagster(scope: Scope, _: Receive, send: Send) -> None:
    await send({"type": f"Dagster, {scope['path']}"})


def answer(folder: Path | UPath, path: str) -> list[Message]:
    return sent(with_reports(dagster, folder), "http", path)


@pytest.fixture
def stored(memory: AbstractFileSystem) -> UPath:
    """The same reports in an object storage."""
    memory.pipe({"/lake/secret": b"of the data folder", "/lake/reports/index.html": b"the front page"})
    memory.pipe({"/lake/reports/pig1987.html": b"an account", "/lake/reports/a/b.html": b"of the data folder"})
    return UPath("memory://lake/reports")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("of the data folder")
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports/index.html").write_text("the front page")
    (tmp_path / "reports/pig1987.html").write_text("an account")
    (tmp_path / "reports/link").symlink_to(tmp_path / "secret")
    return tmp_path / "reports"


@pytest.mark.parametrize(("path", "text"), [("/roster/", "the front page"), ("/roster/pig1987.html", "an account")])
def test_a_report_is_an_origin_of_its_own(folder: Path, path: str, text: str) -> None:
    start, *body = answer(folder, path)
    assert start["status"] == 200
    assert (
        b"sandbox allow-scripts allow-downloads allow-popups allow-popups-to-escape-sandbox"
        in dict(start["headers"]).values()
    )
    assert text in b"".join(part["body"] for part in body).decode()


@pytest.mark.parametrize(("path", "text"), [("/roster/", "the front page"), ("/roster/pig1987.html", "an account")])
def test_a_report_in_an_object_storage_is_read_when_it_is_asked_for(stored: UPath, path: str, text: str) -> None:
    (stored / "pig1987.html").write_text("an older account")
    served = with_reports(dagster, stored)
    (stored / "pig1987.html").write_text("an account")
    start, *body = sent(served, "http", path)
    headers = dict(start["headers"])
    assert (start["status"], headers[b"content-type"]) == (200, b"text/html; charset=utf-8")
    assert headers[b"content-security-policy"].startswith(b"sandbox ")
    assert b"".join(part["body"] for part in body).decode() == text


@pytest.mark.parametrize("path", ["/roster/../secret", "/roster/a/b.html", "/roster/..", "/roster/none.html"])
def test_nothing_else_of_an_object_storage_is_served(stored: UPath, path: str) -> None:
    start, *body = answer(stored, path)
    assert start["status"] == 404
    assert b"data folder" not in b"".join(part["body"] for part in body)


def test_the_address_without_a_slash_leads_to_the_front_page(folder: Path) -> None:
    start, *_ = answer(folder, "/roster")
    assert (start["status"], dict(start["headers"])[b"location"]) == (307, b"http://127.0.0.1:3000/roster/")


@pytest.mark.parametrize("path", ["/roster/../secret", "/roster/%2e%2e/secret", "/roster/link", "/roster/none.html"])
def test_nothing_else_of_the_disk_is_served(folder: Path, path: str) -> None:
    start, *body = answer(folder, path)
    assert start["status"] == 404
    assert b"data folder" not in b"".join(part["body"] for part in body)


def test_everything_else_is_dagsters(folder: Path) -> None:
    assert answer(folder, "/rosters") == [{"type": "Dagster, /rosters"}]
    assert sent(with_reports(dagster, folder), "websocket", "/roster/") == [{"type": "Dagster, /roster/"}]


def test_without_a_report_there_is_none_yet(tmp_path: Path) -> None:
    start, *_ = answer(tmp_path / "reports", "/roster/")
    assert start["status"] == 404
