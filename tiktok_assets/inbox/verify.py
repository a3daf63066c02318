"""Is everything there that the receipts say was processed? What is not, and what follows from it.

Belongs here: the comparison of what runs have noted with what lies there, and which exports are processed again for
it. Does not belong here: how contents are noted and found (``storage.manifest``), runs.

Nothing is repaired here: an export whose receipt is reopened is processed by an ordinary run, which makes all tables
of its months again.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tiktok_assets.accounts import Roster
from tiktok_assets.inbox.files import account_files, identity, places_of
from tiktok_assets.inbox.receipts import Receipt, loaded, loaded_receipts, reopen
from tiktok_assets.making import made_with
from tiktok_assets.storage.duckdb import Warehouse
from tiktok_assets.storage.lake import Lake, files_in, plain
from tiktok_assets.storage.lock_names import account_lock
from tiktok_assets.storage.locks import Locks, LockTaken
from tiktok_assets.storage.manifest import (
    LAKE_TABLES,
    Fingerprints,
    Key,
    Made,
    fingerprint,
    noted_files,
    noted_rows,
    stored_files,
    stored_rows,
)

log = logging.getLogger(__name__)

PROCESS = "`tiktok-assets process` makes it again"
NO_EXPORT = (
    "its export is neither in landing nor in the archive: put it back into landing, then `tiktok-assets process`"
)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that is missing, or differs from what a run has made."""

    account: str = ""
    """Empty where it is about all."""
    place: str
    """The file, folder or table."""
    problem: str
    months: tuple[dt.date, ...] = ()
    """Of the account, to be made again."""
    export_id: str = ""
    """The export to be read again, where it is about one."""
    remedy: str = PROCESS

    def __str__(self) -> str:
        months = f", {_span(self.months)}" if self.months else ""
        return f"{f'{self.account}: ' if self.account else ''}{self.place}{months}: {self.problem}; {self.remedy}."


def _span(months: Sequence[dt.date]) -> str:
    if len(months) == 1:
        return f"{months[0]:%Y-%m}"
    return f"{len(months)} months from {months[0]:%Y-%m} to {months[-1]:%Y-%m}"


@dataclass(frozen=True, kw_only=True)
class AccountState:
    """One account: what its receipts and manifests say, and what was found."""

    account: str
    receipts: Sequence[Receipt]
    """Of the exports that are loaded."""
    made_with: str
    """What its tables would be made with today."""
    files: Mapping[dt.date, Made] = field(default_factory=dict)
    """By month, as noted by a run."""
    rows: Mapping[dt.date, Made] = field(default_factory=dict)
    found_files: Mapping[dt.date, Fingerprints] = field(default_factory=dict)
    found_rows: Mapping[dt.date, Fingerprints] = field(default_factory=dict)
    raw_missing: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By export: the raw files it lacks."""
    months_kept: Mapping[str, Sequence[dt.date]] = field(default_factory=dict)
    """By export: the months of it that exist today."""
    with_file: frozenset[str] = frozenset()
    """The exports whose file is in landing or the archive."""


def findings(state: AccountState) -> list[Finding]:
    """Everything of one account that is missing or differs. Pure."""
    return [*_raw(state), *_new_months(state), *_unmade(state), *_differing(state)]


def _raw(state: AccountState) -> Iterator[Finding]:
    for receipt in state.receipts:
        if missing := state.raw_missing.get(receipt.export_id):
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            yield Finding(
                account=state.account,
                place=f"{missing[0]}{more}",
                problem=f"missing, though {receipt.source} was processed",
                export_id=receipt.export_id,
            )


def _new_months(state: AccountState) -> Iterator[Finding]:
    """Months of an export that did not exist as partitions when it was processed."""
    for receipt in state.receipts:
        if new := tuple(month for month in _kept(state, receipt) if month not in receipt.months):
            yield Finding(
                account=state.account,
                place=receipt.source,
                problem="its rows of these months were left out",
                months=new,
                export_id=receipt.export_id,
            )


def _kept(state: AccountState, receipt: Receipt) -> Sequence[dt.date]:
    return state.months_kept.get(receipt.export_id, receipt.months)


def _unmade(state: AccountState) -> Iterator[Finding]:
    """Months of exports that no run has noted, or that were made with something else."""
    months = sorted({month for one in state.receipts for month in one.months if month in _kept(state, one)})
    unknown = tuple(month for month in months if not _made_with(state, month))
    other = tuple(month for month in months if _made_with(state, month) - {state.made_with, ""})
    if unknown:
        yield Finding(
            account=state.account, place="its manifest", problem="does not say what these months held", months=unknown
        )
    if other:
        problem = "made under other settings (handle, timezone, viral rules) or by another version of the code"
        yield Finding(account=state.account, place="its tables", problem=problem, months=other)


def _made_with(state: AccountState, month: dt.date) -> set[str]:
    """What the month was made with; empty unless both manifests know it."""
    both = {noted.get(month, Made()).made_with for noted in (state.files, state.rows)}
    return set() if "" in both else both


def _differing(state: AccountState) -> Iterator[Finding]:
    """Tables that hold something else than what was noted, by table."""
    lost: dict[str, dict[str, list[dt.date]]] = {}
    for noted, found in ((state.files, state.found_files), (state.rows, state.found_rows)):
        for month in sorted(noted):
            was, now = noted[month].fingerprints, found.get(month, {})
            for table in sorted({*was, *now}) if was != now else ():
                if was.get(table) != now.get(table):
                    how = "missing" if table not in now else "not what a run has stored there"
                    lost.setdefault(table, {}).setdefault(how, []).append(month)
    for table, problems in lost.items():
        for how, months in problems.items():
            yield Finding(account=state.account, place=table, problem=how, months=tuple(months))


def exports_to_reopen(state: AccountState, found: Iterable[Finding]) -> dict[str, set[dt.date]]:
    """By export, months to be made beside its own, so that all that was ``found`` is made again. Pure.

    As few exports as needed: those a finding is about, then for each month one that contains it, else one at all.
    """
    chosen: dict[str, set[dt.date]] = {
        one.export_id: set(one.months) for one in found if one.export_id in state.with_file
    }
    usable = sorted(
        (receipt for receipt in state.receipts if receipt.export_id in state.with_file),
        key=lambda receipt: (len(receipt.months), receipt.export_id),
    )
    months = {receipt.export_id: set(receipt.months) for receipt in usable}
    for month in sorted({month for one in found for month in one.months}):
        if any(month in months[export_id] | more for export_id, more in chosen.items()) or not usable:
            continue
        containing = next((receipt for receipt in usable if month in receipt.months), None)
        receipt = containing or min(usable, key=lambda one: abs(one.months[-1] - month))
        chosen.setdefault(receipt.export_id, set()).add(month)
    return chosen


def with_remedies(found: Iterable[Finding], with_file: Collection[str]) -> list[Finding]:
    """The findings, with the remedy of those that nothing in landing or the archive can be processed for. Pure.

    ``with_file``: the processed exports of the account whose file is there.
    """
    return [
        one if (one.export_id in with_file if one.export_id else with_file) else replace(one, remedy=NO_EXPORT)
        for one in found
    ]


def verify(lake: Lake, roster: Roster, warehouse: Warehouse, say: Callable[[str], object] = log.info) -> list[Finding]:
    """Everything that is missing or differs. Changes nothing, and waits for the runs under way; ``say`` gets why."""
    with _alone(lake, roster, say=say):
        lost = [one for _, found in _look(lake, roster, warehouse, say) for one in found]
        return [*_of_warehouse(warehouse), *(one for account in roster for one in _unprocessed(lake, account)), *lost]


def repair(lake: Lake, roster: Roster, warehouse: Warehouse) -> list[Finding] | None:
    """Reopen the receipts of exports that have to be processed again for what is missing; return what that is.

    None while a run is under way: half of what it makes is not there yet.
    """
    try:
        with _alone(lake, roster, wait=False):
            if warehouse.problem():
                warehouse.working.parent.mkdir(parents=True, exist_ok=True)
                warehouse.restore()
            looked = list(_look(lake, roster, warehouse))
            for state, found in looked:
                reopen(lake, state.account, exports_to_reopen(state, found))
            return [one for _, found in looked for one in found]
    except LockTaken:
        return None


def _alone(
    lake: Lake, roster: Roster, *, wait: bool = True, say: Callable[[str], object] = log.info
) -> contextlib.AbstractContextManager[None]:
    """No run changes anything during the block."""
    return Locks(lake.settings.locks).hold([account_lock(account) for account in roster], wait=wait, say=say)


def _of_warehouse(warehouse: Warehouse) -> Iterator[Finding]:
    problem, published = warehouse.problem(), warehouse.published
    if problem and (warehouse.working.exists() or published.exists()):
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
    today, noted, stored = made_with(lake.settings, roster), noted_rows(lake), _stored_rows(warehouse, say)
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


def _found_files(lake: Lake, account: str, noted: Mapping[dt.date, Made]) -> dict[dt.date, dict[str, str]]:
    found: dict[dt.date, dict[str, str]] = {}
    for table in LAKE_TABLES:
        for month, stored in stored_files(lake, table.key, account, noted).items():
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
                names[report] = {path.name for path in files_in(plain(lake.raw_folder(report, account)))}
            if name not in names[report]:
                missing.setdefault(receipt.export_id, []).append(f"{lake.raw_folder(report, account) / name}")
    return missing
