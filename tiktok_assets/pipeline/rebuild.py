"""Rebuilds the lake from landing and its archive alone, and compares it with the previous one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg
import polars as pl

from tiktok_assets.accounts import load_roster
from tiktok_assets.failures import PassingFailure
from tiktok_assets.graph import warehouse_of
from tiktok_assets.inbox.files import account_files, files_below
from tiktok_assets.inbox.receipts import loaded, proven_ids
from tiktok_assets.inbox.streams import stream_files
from tiktok_assets.inbox.tries import forget_all_tries
from tiktok_assets.pipeline.previous_lake import PreviousLake
from tiktok_assets.pipeline.process import Result, planning, process_alone
from tiktok_assets.progress import Progress, silent
from tiktok_assets.settings import STREAMS, Settings
from tiktok_assets.storage.lake import Lake, read_parquet
from tiktok_assets.storage.lock_names import account_lock
from tiktok_assets.storage.locks import LockTaken
from tiktok_assets.storage.look import names_in
from tiktok_assets.storage.state import locks_of
from tiktok_assets.storage.streams import STREAMS_LOCK, raw_files


class RebuildRefused(ValueError):
    """The lake cannot be rebuilt completely now; nothing was changed. The message says what to do."""


class RebuildFailed(PassingFailure):
    """A run of the rebuild failed; the previous lake is back."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A table that differs: the number of rows found only in the previous lake, or only in the rebuilt one."""

    table: str
    only_before: int
    only_after: int


def rebuild(
    settings: Settings,
    *,
    instance: dg.DagsterInstance | None = None,
    progress: Progress = silent,
) -> tuple[Result, list[Difference]]:
    """Rebuild raw, staging, curated and the warehouse from landing and archive alone, compare, keep the new ones.

    The previous lake is kept in ``before-rebuild`` until the new one is complete. It is restored if the rebuild fails,
    or by the next rebuild if this one is killed. Raises RebuildRefused if accounts would lose tables.
    """
    with planning(settings, "`rebuild`"):
        return _rebuild(settings, instance, progress)


def _rebuild(
    settings: Settings, instance: dg.DagsterInstance | None, progress: Progress
) -> tuple[Result, list[Difference]]:
    previous = PreviousLake(settings)
    with _without_runs(settings):
        previous.restore()
        _refuse_to_lose_accounts(settings)
        _refuse_to_lose_exports(settings)
        _refuse_to_lose_streams(settings)
        before = dict(_tables(settings))
        previous.set_aside()
        forget_all_tries(Lake(settings))
        warehouse_of(settings).start_empty()
    try:
        result = process_alone(settings, instance=instance, progress=progress)
        if result.streams and result.streams.error:
            raise RebuildFailed(f"The rebuild failed and the previous lake is back: streams, {result.streams.error}")
        if not all(account.succeeded for account in result.accounts):
            name, error = next((one.account, one.error) for one in result.accounts if one.error)
            raise RebuildFailed(f"The rebuild failed and the previous lake is back: {name}, {error}")
    except BaseException:
        previous.restore()
        forget_all_tries(Lake(settings))  # what its runs counted is not about the lake that is back
        raise
    lake = Lake(settings)
    is_empty = not raw_files(lake) and not any(loaded(lake, account) for account in load_roster(settings))
    if is_empty:  # the published rows' exports are gone
        settings.warehouse.unlink(missing_ok=True)
        settings.working_warehouse.unlink(missing_ok=True)
    after = dict(_tables(settings))
    previous.forget()
    return result, list(_differences(before, after))


@contextlib.contextmanager
def _without_runs(settings: Settings) -> Iterator[None]:
    """Nothing else changes an account's tables during the block. Raises RebuildRefused if a run does."""
    try:
        with locks_of(settings).hold([*map(account_lock, load_roster(settings)), STREAMS_LOCK], wait=False):
            yield
    except LockTaken as taken:
        raise RebuildRefused(
            f"A run is under way: {taken} Wait until it has finished, then run this again. Nothing was changed."
        ) from taken


def _refuse_to_lose_accounts(settings: Settings) -> None:
    names = [name for name in names_in(settings.raw / "exports") if name.startswith("account=")]
    stored = {name.removeprefix("account=") for name in names}
    if lost := sorted(stored.difference(load_roster(settings))):
        raise RebuildRefused(
            f"The lake holds tables of accounts that are not in use: {', '.join(lost)}. A rebuild would lose "
            "them. Add them to accounts.toml (and to TIKTOK_ACCOUNTS, if that is set), or move their folders out of "
            f"{settings.landing} and {settings.raw}; then run this again. Nothing was changed."
        )


def _refuse_to_lose_exports(settings: Settings) -> None:
    """An account without any file left is one whose disk is not mounted, unless a person says otherwise."""
    lake = Lake(settings)
    empty = [
        one for one in load_roster(settings) if proven_ids(lake, one) and next(account_files(lake, one), None) is None
    ]
    if empty:
        receipts = ", ".join(str(lake.raw_folder("exports", one)) for one in empty)
        raise RebuildRefused(
            f"No export of {', '.join(empty)} is left in {settings.landing} or {settings.archive}, so a rebuild would "
            "lose their tables. Check that the disk is mounted, or restore the files, then run this again. If you "
            f"deleted them to have the tables gone, delete {receipts} as well. Nothing was changed."
        )


def _refuse_to_lose_streams(settings: Settings) -> None:
    """No file of streams left is a disk that is not mounted, unless a person says otherwise."""
    lake = Lake(settings)
    if raw_files(lake) and next(stream_files(lake), None) is None:
        raise RebuildRefused(
            f"No file of streams is left in {settings.landed_streams} or {settings.archived_streams}, so a rebuild "
            "would lose song_streams. Check that the disk is mounted, or restore the files, then run this again. If "
            f"you deleted them to have the rows gone, delete {settings.raw / STREAMS} as well. Nothing was changed."
        )


def _tables(settings: Settings) -> Iterator[tuple[str, pl.DataFrame]]:
    """Every table of the lake and the warehouse, without ``loaded_at``."""
    for layer in ("staging", "curated"):
        for name in sorted(names_in(settings.data_dir / layer)):
            if files := [file for file in files_below(settings.data_dir / layer / name) if file.suffix == ".parquet"]:
                yield f"{layer}/{name}", read_parquet(files)
    warehouse = warehouse_of(settings)
    if warehouse.working.exists() or not warehouse.is_only_one:  # another machine may have published it
        with warehouse.session() as session:
            connection = session.connection
            for (name,) in connection.execute("select table_name from duckdb_tables() order by 1").fetchall():
                rows = pl.DataFrame(connection.sql(f"select * exclude (loaded_at) from {name}").to_arrow_table())
                yield f"warehouse/{name}", rows


def _differences(before: dict[str, pl.DataFrame], after: dict[str, pl.DataFrame]) -> Iterator[Difference]:
    for table in sorted({*before, *after}):
        old, new = before.get(table), after.get(table)
        if old is None or new is None or dict(old.schema) != dict(new.schema):
            yield Difference(
                table=table,
                only_before=old.height if old is not None else 0,
                only_after=new.height if new is not None else 0,
            )
            continue
        only_before = old.join(new, on=old.columns, how="anti", nulls_equal=True).height
        only_after = new.join(old, on=old.columns, how="anti", nulls_equal=True).height
        if only_before or only_after or old.height != new.height:
            yield Difference(table=table, only_before=only_before, only_after=only_after)
