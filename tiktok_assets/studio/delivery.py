"""From a requested export to its file in landing: fetched, inspected, named; or quarantined with the reason.

Belongs here: three attempts at one link, and what the ledger has to record in between, so that a crash loses nothing.
Does not belong here: how one file is fetched and validated (``download``), and requesting exports (``visit``).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import tenacity
from upath import UPath

from tiktok_assets.accounts import Account
from tiktok_assets.exports.problems import AccountConflict, ExportProblem
from tiktok_assets.failures import BadExport, DownloadFailed, StudioUnreachable, WrongAccount
from tiktok_assets.inbox.files import places_of
from tiktok_assets.inbox.quarantine import quarantine
from tiktok_assets.storage.copies import local_copy
from tiktok_assets.storage.lake import Lake
from tiktok_assets.studio.download import Contents, LinkDead, digest_of, fetch, inspect_file, land, save
from tiktok_assets.studio.interface import LandedFile
from tiktok_assets.studio.limits import Checkpoint, Ledger

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Download

T = TypeVar("T")
TRIES = 3
_SCRATCH_LIFE = 24 * 3600.0  # seconds; older folders were left behind by a killed process


class SameAgain(BadExport):
    """The link returned the same bad bytes again; another attempt will not help."""


@dataclass(frozen=True, kw_only=True)
class Retries:
    """Three attempts with growing, jittered pauses, for transient failures."""

    sleep: Callable[[float], None]

    def __call__(self, act: Callable[[], T]) -> T:
        return tenacity.Retrying(
            stop=tenacity.stop_after_attempt(TRIES),
            wait=tenacity.wait_exponential_jitter(initial=1, max=20),
            retry=tenacity.retry_if_exception(_is_transient),
            sleep=self.sleep,
            reraise=True,
        )(act)


def _is_transient(failure: BaseException) -> bool:
    transient = (StudioUnreachable, DownloadFailed, BadExport)
    return isinstance(failure, transient) and not isinstance(failure, LinkDead | SameAgain)


@dataclass(kw_only=True)
class Delivery:
    """The delivery of one export into landing. ``began``: ``time.monotonic()`` when it was requested."""

    checkpoint: Checkpoint
    account: Account
    context: BrowserContext
    ledger: Ledger
    lake: Lake
    retries: Retries
    clock: Callable[[], dt.datetime]
    timeout: float
    began: float
    _bad: set[str] = field(default_factory=set)

    @property
    def where(self) -> str:
        """Account, section and days; every message begins with them."""
        return f"{self.checkpoint.account}, {self.checkpoint.section}, {self.checkpoint.window}"

    def named_before(self) -> LandedFile | None:
        """The file, if it was already named but the process died before recording that."""
        if self.checkpoint.file is None:
            return None
        for path in places_of(self.lake, self.checkpoint.account, self.checkpoint.file):
            with local_copy(path) as file:
                if digest_of(file) == self.checkpoint.export_id:
                    contents = inspect_file(file, self.checkpoint.section, self.account)
                    return self._landed(path, contents, self.checkpoint.attempts)
        return None

    def deliver(self, download: Download | None = None) -> LandedFile:
        """Land the file: first what the browser downloads, then the same link, three attempts in total.

        Raises DownloadFailed, BadExport or WrongAccount; then nothing of the file is in landing.
        """
        pending = [download] if download else []
        try:
            return self.retries(lambda: self._attempt(pending.pop() if pending else None))
        except (LinkDead, BadExport, WrongAccount):
            self.ledger.keep_link(self.checkpoint, None)
            raise

    def _attempt(self, download: Download | None) -> LandedFile:
        attempts = self.ledger.count_attempt(self.checkpoint)
        with self._scratch() as folder:
            if download:
                path = save(download, folder, where=self.where, seconds=self.timeout)
            else:
                link = self.checkpoint.link or ""
                path = fetch(self.context, link, folder, where=self.where, seconds=self.timeout)
            now = self.clock()
            os.utime(path, (now.timestamp(), now.timestamp()))  # the mtime is evidence of the year of the days inside
            try:
                contents = inspect_file(path, self.checkpoint.section, self.account)
            except ExportProblem as problem:
                raise self._quarantined(path, problem) from problem
            target = land(self.lake, path, self.account.key, lambda name: self._note(name, contents))
            return self._landed(target, contents, attempts)

    def _note(self, name: str, contents: Contents) -> None:
        self.ledger.landing(self.checkpoint, name, contents.export_id)

    def _landed(self, path: UPath, contents: Contents, attempts: int) -> LandedFile:
        self.ledger.landed(self.checkpoint)
        return LandedFile(
            account=self.account.key,
            section=self.checkpoint.section,
            window=self.checkpoint.window,
            path=path,
            export_id=contents.export_id,
            bytes=contents.bytes,
            rows=contents.rows,
            seconds=round(time.monotonic() - self.began, 3),
            attempts=attempts,
            warnings=contents.warnings,
        )

    def _quarantined(self, path: Path, problem: ExportProblem) -> BadExport | WrongAccount:
        """Move the file to quarantine, once for the same bytes. Returns the failure to raise."""
        digest = digest_of(path)
        if digest in self._bad:
            return SameAgain(
                f"{self.where}: the download is not a usable export, and a second attempt returned the same file: "
                f"{problem} It is in {self.lake.settings.quarantine}. The next visit requests the export again."
            )
        self._bad.add(digest)
        rejected = quarantine(self.lake, UPath(path), problem)
        if isinstance(problem, AccountConflict):
            return WrongAccount(f"{self.where}: {problem} It was moved to {rejected.moved_to}; nothing was landed.")
        return BadExport(
            f"{self.where}: the download is not a usable export: {problem} It was moved to {rejected.moved_to}. A run "
            "within the hour cannot request it again; the next visit does."
        )

    @contextlib.contextmanager
    def _scratch(self) -> Iterator[Path]:
        """A private folder on the disk of landing, outside all scanned folders; deleted after the block."""
        place = self.lake.settings.state / "downloads"
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        for old in place.iterdir():
            with contextlib.suppress(OSError):
                if time.time() - old.stat().st_mtime > _SCRATCH_LIFE:
                    shutil.rmtree(old)
        with tempfile.TemporaryDirectory(dir=place) as folder:
            yield Path(folder)
