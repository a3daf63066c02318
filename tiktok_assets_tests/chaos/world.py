"""A small installation that is treated badly, and what must hold of it at every moment and at the end.

Few accounts, half a month, all reports. Belongs here: its files, its commands, its checks. Does not belong here:
what is done to it (the tests).
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from tiktok_assets.settings import Settings, project_root
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.exports import land, studio_exports
from tiktok_assets_tests.chaos.jobs import SAVE_SESSION, Ended, Job
from tiktok_assets_tests.chaos.moments import Fault, Kill, Seen
from tiktok_assets_tests.chaos.worker import Worker
from tiktok_assets_tests.lake_contents import LakeContents, differing, tables
from tiktok_assets_tests.landing_files import digest, digests_below
from tiktok_assets_tests.made_once import MadeOnce

VISITS = ((dt.date(2025, 6, 1), dt.date(2025, 6, 12)), (dt.date(2025, 6, 8), dt.date(2025, 6, 20)))
FROM = dt.date(2025, 1, 1)
UNUSABLE = b"Date;Primary\n2025-06-01;12\n"
LAYERS = ("landing", "archive", "quarantine", "raw", "staging", "curated")
PROCESS, ARCHIVE, SAVE = ("process",), ("archive", "--older-than", "0"), (SAVE_SESSION, "north")
COMMANDS = (ARCHIVE, SAVE, PROCESS)


@dataclass(frozen=True, kw_only=True)
class Undisturbed:
    """What all commands leave when nothing happens, and the moments and writes they had."""

    tables: LakeContents
    seen: Seen

    @property
    def published(self) -> LakeContents:
        return _of_warehouse(self.tables)


@dataclass(kw_only=True)
class World:
    """An installation at ``home``, and the ``worker`` that runs its commands."""

    home: Path
    worker: Worker
    made_once: MadeOnce
    accounts: tuple[str, ...] = ("north",)
    given: set[str] = field(default_factory=set)
    """The sha256 of every file that was put into landing."""

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def settings(self) -> Settings:
        return Settings.model_validate(
            {
                "data_dir": str(self.data),
                "accounts_file": self.home / "accounts.toml",
                "start_date": dt.date(2025, 1, 1),
            }
        )

    def prepare(self) -> None:
        self.home.mkdir()
        shutil.copy(project_root() / "dagster.yaml", self.home)
        listed = "".join(f'[accounts.{name}]\nhandle = "{name}"\n' for name in self.accounts)
        (self.home / "accounts.toml").write_text(listed)

    def job(self, *command: str, planned: Kill | Fault | None = None) -> Job:
        environment = {
            "DAGSTER_HOME": str(self.home),
            "TIKTOK_DATA_DIR": str(self.data),
            "TIKTOK_ACCOUNTS_FILE": str(self.home / "accounts.toml"),
            "TIKTOK_START_DATE": "2025-01",
            "COLUMNS": "1000",
        }
        return Job(command=command, home=self.home, environment=environment, planned=planned)

    def run(self, *command: str, planned: Kill | Fault | None = None) -> Ended:
        """One command, alone."""
        (ended,) = self.worker.run([self.job(*command, planned=planned)])
        assert "Traceback" not in ended.output, ended.output
        return ended

    def visit(self, number: int, folder: str = "data/landing") -> None:
        """Put all exports of a visit into landing, outside the accounts' folders: the first look moves them."""
        first, last = VISITS[number]
        at = dt.datetime.combine(last + dt.timedelta(days=2), dt.time(16, 5), dt.UTC)
        for account in self.accounts:
            truth = SimulatedAccount.generate(account, 1, dt.date(2025, 5, 1), dt.date(2025, 7, 31))
            for export in studio_exports(truth, first, last, downloaded_at=at):
                land(export, self.home / folder / f"visit {number}" / account)
                self.given.add(digest(export.content))

    def drop_unusable(self) -> None:
        (self.data / "landing").mkdir(parents=True, exist_ok=True)
        (self.data / "landing" / "Views.csv").write_bytes(UNUSABLE)
        self.given.add(digest(UNUSABLE))

    def started(self) -> None:
        """The first visit processed and published."""

        def make() -> None:
            self.visit(0)
            self.run(*PROCESS)

        self.visit(0, "elsewhere")  # so that its files count as given, whichever test has put them into landing
        self.made_once.fill(self.data, f"chaos, {self.accounts}, one visit", make)

    def clear(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        self.given.clear()

    def begun(self, *, is_empty: bool = False) -> None:
        """The second visit and an unusable file in landing; the first one is published, or ``is_empty`` and waits."""
        self.clear()
        if is_empty:
            self.visit(0)
        else:
            self.started()
        self.visit(1)
        self.drop_unusable()

    def undisturbed(self) -> Undisturbed:
        """What all commands leave when nothing happens, from ``begun``."""
        notes = self.data / "seen.json"

        def make() -> None:
            self.begun()
            seen = Seen()
            for command in COMMANDS:
                ended = self.run(*command)
                seen.kinds += ended.seen.kinds
                seen.writes += ended.seen.writes
            notes.write_text(json.dumps(vars(seen)))

        self.made_once.fill(self.data, f"chaos, {self.accounts}, two visits", make)
        seen = json.loads(notes.read_text())
        return Undisturbed(tables=tables(self.settings), seen=Seen(kinds=Counter(seen["kinds"]), writes=seen["writes"]))

    def broken(self) -> list[str]:
        """What is wrong at this moment: files that cannot be read, that are not where they belong, or that are gone."""
        return [*self._unreadable(), *self._misplaced(), *self._lost()]

    def _unreadable(self) -> Iterator[str]:
        for path in sorted(self.data.rglob("*")):
            try:
                if path.suffix == ".parquet" and "scratch" not in path.parts:
                    pl.read_parquet(path)
                elif path.suffix == ".json" and "scratch" not in path.parts and not path.parent.name.startswith("."):
                    json.loads(path.read_bytes())
            except (pl.exceptions.PolarsError, ValueError) as error:
                yield f"{path}: torn ({error})"

    def _misplaced(self) -> Iterator[str]:
        for layer in LAYERS:
            for path in (self.data / layer).rglob("*"):
                if path.name.startswith(".") or path.suffix in (".new", ".part", ".tmp"):
                    yield f"{path}: a half-written file among data"

    def _lost(self) -> Iterator[str]:
        kept = {one for layer in LAYERS[:3] for one in digests_below(self.data / layer)}
        if lost := self.given - kept:
            yield f"{len(lost)} files that were given are nowhere"

    def published(self) -> LakeContents:
        """The rows of every table people read; empty where nothing is published yet."""
        if not self.settings.warehouse.exists():
            return {}
        return _of_warehouse(tables(self.settings))

    def differences(self, expected: Undisturbed) -> list[str]:
        """The files and tables that are not what they would be undisturbed."""
        return differing(tables(self.settings), expected.tables)


def _of_warehouse(contents: LakeContents) -> LakeContents:
    return {name: rows for name, rows in contents.items() if "/" not in name}
