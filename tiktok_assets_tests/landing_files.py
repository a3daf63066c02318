"""Files dropped into landing: exports of simulated accounts, and checks of where their bytes are afterwards."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg

from tiktok_assets.exports.insights import RELATION, Answer, serialize_insights
from tiktok_assets.graph import build_definitions
from tiktok_assets.partitions import range_tags
from tiktok_assets.pipeline.process import process
from tiktok_assets.settings import Settings
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.exports import GeneratedExport, Section, studio_export
from tiktok_assets_tests.instances import fresh
from tiktok_assets_tests.made_once import MadeOnce

FIRST, LAST = date(2025, 5, 20), date(2025, 6, 20)
DOWNLOADED = datetime(2025, 6, 22, 16, 5, tzinfo=UTC)


@functools.lru_cache
def account(handle: str) -> SimulatedAccount:
    """An account of the year 2025."""
    return SimulatedAccount.generate(handle, 7, date(2025, 1, 1), date(2025, 12, 31))


def export(handle: str, section: Section, first: date = FIRST, last: date = LAST) -> GeneratedExport:
    """An export of ``handle`` that spans two months, downloaded two days after its last day."""
    downloaded_at = DOWNLOADED + (last - LAST)
    return studio_export(account(handle), section, first, last, downloaded_at=downloaded_at)


def insights(handle: str, following: int | str = 70, at: datetime = DOWNLOADED) -> bytes:
    """An insights file that a visit to ``handle`` might have captured."""
    text = json.dumps({"FollowingCount": {"6001": str(following)}})
    answer = Answer(endpoint=RELATION, at=at, asked={"user_id": "6001"}, text=text)
    return serialize_insights(handle=handle, user_id="6001", captured_at=at, missing=(), answers=[answer])


def drop(content: bytes, folder: Path, name: str, *, age: float | None = None) -> Path:
    """Write a file with the time ``DOWNLOADED``, or one that is ``age`` seconds old."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    changed = DOWNLOADED.timestamp() if age is None else time.time() - age
    os.utime(path, (changed, changed))
    return path


def landing(settings: Settings) -> Path:
    """The landing folder of an installation on this machine."""
    return Path(str(settings.landing))


def drop_export(settings: Settings, handle: str, section: Section, folder: str = "", **window: date) -> GeneratedExport:
    """Write an export into landing, or into a folder of it."""
    made = export(handle, section, **window)
    drop(made.content, landing(settings) / folder, made.name)
    return made


def overview_processed(settings: Settings, made_once: MadeOnce) -> None:
    """Bring ``settings``, an installation of the label's two accounts, to an overview of pig1987 that is published."""

    def make() -> None:
        drop_export(settings, "pig1987", "overview")
        with fresh() as history:
            assert process(settings, instance=history).is_clean

    made_once.fill(Path(str(settings.data_dir)), "an overview of pig1987 processed", make)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def digests_below(folder: Path) -> set[str]:
    """The sha256 of every file below ``folder``."""
    return {digest(path.read_bytes()) for path in folder.rglob("*") if path.is_file()}


def names_in(folder: Path) -> list[str]:
    """The names of all files below ``folder``, in order."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def is_kept(settings: Settings, contents: Iterable[bytes]) -> bool:
    """Whether each of the ``contents`` is still somewhere in the data folder, unchanged."""
    return {digest(content) for content in contents} <= digests_below(Path(str(settings.data_dir)))


def materialize(
    settings: Settings,
    instance: dg.DagsterInstance,
    *groups: str,
    accounts: Sequence[str],
    months: Sequence[date] = (FIRST.replace(day=1), LAST.replace(day=1)),
    tags: Mapping[str, str] | None = None,
) -> dg.ExecuteInProcessResult:
    """As in the UI: materialize some groups of assets of accounts, for a range of partitions; ``tags`` replace the
    range's. Those of streams have other partitions, and so runs of their own.
    """
    defs = build_definitions(settings)
    graph = defs.resolve_asset_graph()
    of_streams = dg.MonthlyPartitionsDefinition
    nodes = [graph.get(key) for key in graph.materializable_asset_keys]
    keys = [one.key for one in nodes if one.group_name in groups and not isinstance(one.partitions_def, of_streams)]
    return defs.resolve_implicit_global_asset_job_def().execute_in_process(
        asset_selection=keys, instance=instance, tags=tags or range_tags(accounts, months), raise_on_error=False
    )
