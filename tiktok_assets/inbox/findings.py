"""What is missing in the lake, or differs from what runs have made, and which exports are processed again for it. Pure.

Does not belong here: reading what was noted and what lies there (``verify``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tiktok_assets.inbox.receipts import Receipt
from tiktok_assets.storage.manifest import Fingerprints, Made

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

    @property
    def place_and_problem(self) -> str:
        months = f", {_span(self.months)}" if self.months else ""
        return f"{f'{self.account}: ' if self.account else ''}{self.place}{months}: {self.problem}"

    def __str__(self) -> str:
        return f"{self.place_and_problem}; {self.remedy}."


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
        problem = "made under other settings (handle, timezone, viral rules, songs) or by another version of the code"
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
