"""Is everything there that the receipts say was processed? Read here, and judged in ``findings``.

Nothing is repaired here: an export whose receipt is reopened is processed by an ordinary run, which makes all tables
of its months again. Does not belong here: how contents are noted (``storage.manifest``), runs.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from tiktok_assets.accounts import Roster
from tiktok_assets.inbox.files import account_files, places_of
from tiktok_assets.inbox.findings import AccountState, Finding, exports_to_reopen, findings, with_remedies
from tiktok_assets.inbox.identities import identity, know_identities
from tiktok_assets.inbox.receipts import (
    Receipt,
    load_again,
    loaded,
    loaded_receipts,
    reopen,
    waiting_for_publication,
)
from tiktok_assets.inbox.streams import findings_on_streams, forget_months, unprocessed_streams
from tiktok_assets.label.songs import load_songs
from tiktok_assets.making import made_with
from tiktok_assets.settings import APART
from tiktok_assets.storage.duckdb import Warehouse
from tiktok_assets.storage.lake import Lake, plain
from tiktok_assets.storage.lock_names import account_lock
from tiktok_assets.storage.locks import Held, LockTaken
from tiktok_assets.storage.look import exists, names_in
from tiktok_assets.storage.manifest import (
    LAKE_TABLES,
    Key,
    Made,
    files_of_tables,
    fingerprint,
    noted_files,
    noted_rows,
    stored_rows,
)
from tiktok_assets.storage.state import locks_of
from tiktok_assets.storage.streams import STREAMS_LOCK, noted
from tiktok_assets.storage.streams import stored_rows as rows_of_streams

log = logging.getLogger(__name__)
_WAREHOUSE = "warehouse/"


def verify(lake: Lake, roster: Roster, warehouse: Warehouse, say: Callable[[str], object] = log.info) -> list[Finding]:
    """Everything that is missing or differs. Changes nothing, and waits for the runs under way; ``say`` gets why."""
    with _alone(lake, roster, say=say), lake.looking_at_everything():
        know_identities(lake)
        published = warehouse
        warehouse = published.as_published(lake.settings.published_copies)
        lost = [one for _, found in _look(lake, roster, warehouse, say) for one in found]
        unprocessed = [one for account in roster for one in _unprocessed(lake, account)]
        streams = [*unprocessed_streams(lake), *_of_streams(lake, warehouse, say)]
        return [*_of_rebuild(lake), *_of_warehouse(warehouse, published), *unprocessed, *lost, *streams]


def repair(lake: Lake, roster: Roster, warehouse: Warehouse) -> list[Finding] | None:
    """Reopen the receipts of exports that have to be processed again for what is missing; return what that is.

    None while a run is under way: half of what it makes is not there yet.
    """
    try:
        with _alone(lake, roster, wait=False), lake.looking_at_everything():
            if warehouse.is_only_one and warehouse.problem():
                warehouse.working.parent.mkdir(parents=True, exist_ok=True)
                warehouse.restore()
            if not warehouse.is_only_one:  # a run has loaded them, and has ended without publishing
                load_again(lake, waiting_for_publication(lake, roster))
            warehouse = warehouse.as_published(lake.settings.published_copies)
            looked = list(_look(lake, roster, warehouse))
            for state, found in looked:
                _reopen(lake, state, found)
            streams = _of_streams(lake, warehouse)
            forget_months(lake, [month for one in streams for month in one.months])
            return [*(one for _, found in looked for one in found), *streams]
    except LockTaken:
        return None


def _reopen(lake: Lake, state: AccountState, found: Sequence[Finding]) -> None:
    """Have made again what was ``found``: where loading is apart and the lake is whole, out of the lake."""
    is_in_lake = lake.settings.loading == APART and all(one.place.startswith(_WAREHOUSE) for one in found)
    if is_in_lake:  # which needs no file of an export
        state = replace(state, with_file=frozenset(one.export_id for one in state.receipts))
    reopen(lake, state.account, exports_to_reopen(state, found), is_in_lake=is_in_lake)


def _alone(
    lake: Lake, roster: Roster, *, wait: bool = True, say: Callable[[str], object] = log.info
) -> contextlib.AbstractContextManager[Held]:
    """No run changes anything during the block."""
    return locks_of(lake.settings).hold([*map(account_lock, roster), STREAMS_LOCK], wait=wait, say=say)


def _of_rebuild(lake: Lake) -> Iterator[Finding]:
    if exists(lake.settings.previous_lake):
        remedy = "wait for it; where none is under way, `tiktok-assets rebuild` on any machine removes it"
        yield Finding(place=f"{lake.settings.previous_lake}", problem="a rebuild has not ended", remedy=remedy)


def _of_warehouse(warehouse: Warehouse, published_by: Warehouse) -> Iterator[Finding]:
    """``warehouse``: what is judged, a copy of this machine where others publish as well (``as_published``)."""
    problem, published = warehouse.problem(), published_by.published
    if not published_by.is_only_one:
        if problem and warehouse.working.exists():
            remedy = "the next run, or `tiktok-assets process`, makes its tables again"
            yield Finding(place=f"{published}", problem=problem, remedy=remedy)
    elif problem and (warehouse.working.exists() or published.exists()):
        remedy = f"`tiktok-assets process` restores it from {published}, or makes its tables again"
        yield Finding(place=f"{warehouse.working}", problem=problem, remedy=remedy)
    elif warehouse.is_behind():
        how = "not the newest" if published.exists() else "missing"
        yield Finding(place=f"{published}", problem=how, remedy="`tiktok-assets process` publishes it")


def _unprocessed(lake: Lake, account: str) -> Iterator[Finding]:
    """Files of the account that are not in the warehouse."""
    done = loaded(lake, account)
    for path in account_files(lake, account):
        if identity(path) not in done:
            yield Finding(
                account=account, place=f"{path}", problem="not processed yet", remedy="`tiktok-assets process`"
            )


def _look(
    lake: Lake, roster: Roster, warehouse: Warehouse, say: Callable[[str], object] = log.info
) -> Iterator[tuple[AccountState, list[Finding]]]:
    """Each account with findings."""
    by_account = {account: found for account in roster if (found := loaded_receipts(lake, account))}
    if not by_account:
        return
    today = made_with(lake.settings, roster, load_songs(lake.settings))
    noted, stored = noted_rows(lake), _stored_rows(warehouse, say)
    for account, receipts in by_account.items():
        files, rows = noted_files(lake, account), noted.get(account, {})
        kept = set(lake.months_kept({*files, *rows}))  # a month that is not can neither be made nor be missing
        files, rows = ({month: one for month, one in made.items() if month in kept} for made in (files, rows))
        state = AccountState(
            account=account,
            receipts=receipts,
            made_with=today[account],
            files=files,
            rows=rows,
            found_files=_found_files(lake, account, files),
            found_rows={month: stored.get((account, month), {}) for month in rows},
            raw_missing=_raw_missing(lake, account, receipts),
            months_kept={one.export_id: lake.months_kept(one.months_of_its_days) for one in receipts},
        )
        if found := findings(state):
            there = [one.export_id for one in receipts if places_of(lake, account, one.source)]
            yield replace(state, with_file=frozenset(there)), with_remedies(found, there)


def _stored_rows(warehouse: Warehouse, say: Callable[[str], object]) -> dict[Key, dict[str, str]]:
    if warehouse.problem():
        return {}
    with warehouse.session(say=say, read_only=True) as session:
        return stored_rows(session)


def _of_streams(lake: Lake, warehouse: Warehouse, say: Callable[[str], object] = log.info) -> list[Finding]:
    if not noted(lake):
        return []
    rows = {}
    if not warehouse.problem():
        with warehouse.session(say=say, read_only=True) as session:
            rows = rows_of_streams(session)
    return findings_on_streams(lake, rows)


def _found_files(lake: Lake, account: str, noted: Mapping[dt.date, Made]) -> dict[dt.date, dict[str, str]]:
    found: dict[dt.date, dict[str, str]] = {}
    for table, files in zip(LAKE_TABLES, files_of_tables(lake, account, noted), strict=True):
        for month, stored in files.items():
            found.setdefault(month, {})[table.key] = fingerprint(stored)
    return found


def _raw_missing(lake: Lake, account: str, receipts: Iterable[Receipt]) -> dict[str, list[str]]:
    """By export, the raw files that it should have."""
    names: dict[str, set[str]] = {}
    missing: dict[str, list[str]] = {}
    for receipt in receipts:
        name = lake.raw_name(receipt.downloaded_at, receipt.export_id)
        for report in receipt.reports:
            if report not in names:
                names[report] = set(names_in(plain(lake.raw_folder(report, account))))
            if name not in names[report]:
                missing.setdefault(receipt.export_id, []).append(f"{lake.raw_folder(report, account) / name}")
    return missing
