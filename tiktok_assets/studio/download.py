"""From a started download to a complete file in landing, or in quarantine with the reason.

Belongs here: fetching, distinguishing failures, inspecting the file, the one move into landing. Does not belong here:
when to try again (``visit``), and what the rows mean (``exports``).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import polars as pl
from upath import UPath

from tiktok_assets.accounts import Account
from tiktok_assets.exports.archive import export_id
from tiktok_assets.exports.problems import AccountConflict, BrokenFile, WrongSection
from tiktok_assets.failures import DownloadFailed
from tiktok_assets.inbox.files import free_place
from tiktok_assets.reports.export import Export
from tiktok_assets.reports.reading import open_export
from tiktok_assets.storage.atomic import flush
from tiktok_assets.storage.lake import Lake
from tiktok_assets.studio.playwright_internals import failure_within

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Download

_ZIP = b"PK\x03\x04"
_GONE = (401, 403, 404, 410)
_DISPOSITION = re.compile(r"filename\*?=(?:UTF-8'')?\"?([^\";]+)", re.IGNORECASE)


class LinkDead(DownloadFailed):
    """The link will never work again; only a new export gets a new link."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a valid file contains; ``rows`` of all its members."""

    export_id: str
    bytes: int
    rows: int
    warnings: tuple[str, ...]


def save(download: Download, folder: Path, *, where: str, seconds: float) -> Path:
    """Save what the browser downloads in ``folder`` under the name it was served with. Raises DownloadFailed.

    The browser itself reports no more than "canceled"; ``fetch`` the same link to find out why.
    """
    try:
        reason = failure_within(download, seconds)
    except TimeoutError:
        download.cancel()
        reason = f"not complete after {seconds:g} s"
    if reason:
        raise DownloadFailed(f"{where}: the download was interrupted ({reason}). The same link is tried again.")
    path = folder / safe_name(download.suggested_filename, where)
    download.save_as(path)
    return path


def fetch(context: BrowserContext, link: str, folder: Path, *, where: str, seconds: float) -> Path:
    """The file behind ``link``, without a page. Raises LinkDead if only a new export helps, else DownloadFailed."""
    from playwright.sync_api import Error

    try:
        answer = context.request.get(link, timeout=seconds * 1000)
        content = answer.body()
    except Error as error:
        reason = error.message.splitlines()[0].replace(link, "the link")[:200]
        raise DownloadFailed(
            f"{where}: the file did not arrive ({reason}). Its link is valid for about an hour; a run within that "
            "time tries it again without a new export."
        ) from error
    if answer.status in _GONE:
        raise LinkDead(
            f"{where}: the link to the file has expired (HTTP {answer.status}), and the request counts toward "
            "this account's hourly limit. The next visit requests the export again."
        )
    if answer.status != 200:
        raise DownloadFailed(
            f"{where}: the file server answered HTTP {answer.status}. A run within the hour tries the same link again."
        )
    named = _DISPOSITION.search(answer.headers.get("content-disposition", ""))
    name = unquote(named.group(1)) if named else unquote(PurePosixPath(urlsplit(link).path).name)
    path = folder / safe_name(name, where)
    path.write_bytes(content)
    return path


def safe_name(name: str, where: str) -> str:
    """A served name as a plain file name that ends in ``.zip`` or ``.xlsx``; the server's text is not trusted."""
    plain = re.sub(r"[^\w.,()+@ -]", "_", name.replace("\\", "/").rpartition("/")[2]).strip(". ")[:120]
    stem = plain if PurePosixPath(plain).suffix else plain or re.sub(r"\W+", "_", where)
    return stem if stem.lower().endswith((".zip", ".xlsx")) else f"{stem}.zip"


def inspect_file(path: Path, section: str, account: Account) -> Contents:
    """What the file contains. Raises an ExportProblem if it is not a complete export of ``section`` of ``account``."""
    with path.open("rb") as file:
        head = file.read(512)
    if not head.startswith(_ZIP):
        what = "is empty" if not head else "is a web page" if b"<" in head[:64] else f"begins with {head[:4]!r}"
        raise BrokenFile(f"{path.name}: {what}; an export is a ZIP. Export it again.")
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (zipfile.BadZipFile, OSError, EOFError, ValueError) as error:
        raise BrokenFile(f"{path.name}: is a damaged or incomplete ZIP. Export it again.") from error
    if damaged:
        raise BrokenFile(f"{path.name}: member {damaged!r} fails its checksum. Export it again.")
    with open_export(path) as export:
        export.validate()
        if set(export.sections) != {section}:
            raise WrongSection(
                f"{path.name}: contains {', '.join(export.sections) or 'nothing'}, but {section} was requested. "
                "Export again."
            )
        others = [handle for handle in export.handles if handle.lower() != account.handle.lower()]
        if others:
            raise AccountConflict(
                f"{path.name}: belongs to @{', @'.join(others)}, but @{account.handle}'s export was requested. If the "
                f"handle has changed, correct it in accounts.toml; otherwise `tiktok-assets login {account.key}`."
            )
        return _contents(export, path)


def land(lake: Lake, path: Path, account: str, note: Callable[[str], None]) -> UPath:
    """Move a valid file into landing, complete and never over another file. Returns its path there.

    ``note`` is called with the name before the file has it, so that a crash right after is recognised.
    """
    path.chmod(0o644)
    flush(path)
    with lake.alone("intake"):  # whoever else names files in these folders holds the same lock
        target = free_place(lake, account, path.name)
        note(target.name)
        lake.move(UPath(path), target)
    return target


def digest_of(path: Path) -> str:
    """The identity of the bytes, also of files that are not exports."""
    return export_id(path)


def _contents(export: Export, path: Path) -> Contents:
    counts = [member.table.rows.lazy().select(pl.len()).collect().item() for member in export.members]
    return Contents(
        export_id=export.export_id,
        bytes=path.stat().st_size,
        rows=sum(counts),
        warnings=export.warnings,
    )
