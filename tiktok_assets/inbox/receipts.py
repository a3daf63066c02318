"""Which exports have reached the warehouse. One small JSON file per export, opened by raw, closed when published.

``data/raw/exports/account=<a>/<export id>.v<reader>.open.json`` says that raw holds the export; ``.curated.json`` that
the tables of all its months are complete in the lake, where another run loads them (``TIKTOK_LOADING``);
``.loaded.json`` that the rows of all its months are committed in the pipeline's own warehouse; ``.json`` alone, closed,
that they are published and people can read them. The sensor requests runs for exports that are neither loaded nor
closed: the receipts are its memory.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import TypeAdapter
from upath import UPath

from tiktok_assets.exports.months import months_between
from tiktok_assets.exports.provenance import READER_VERSION
from tiktok_assets.exports.safe_text import one_line
from tiktok_assets.failures import DataOfNewerVersion
from tiktok_assets.inbox.tries import forget_tries
from tiktok_assets.partitions import PartitionRange
from tiktok_assets.reports.export import Export
from tiktok_assets.settings import APART
from tiktok_assets.storage.lake import Lake, plain, read_many
from tiktok_assets.storage.lock_names import receipts_lock
from tiktok_assets.storage.look import derived, exists, is_missing, names_in

log = logging.getLogger(__name__)

_CLOSED = f".v{READER_VERSION}.json"
_LOADED = f".v{READER_VERSION}.loaded.json"
_CURATED = f".v{READER_VERSION}.curated.json"
_OPEN = f".v{READER_VERSION}.open.json"
_STATES = (_OPEN, _CURATED, _LOADED, _CLOSED)
_VERSION = re.compile(r"\.v(\d+)\.")
_LONG_AGO = dt.datetime(2016, 1, 1, tzinfo=dt.UTC)


def processed(lake: Lake, account: str) -> frozenset[str]:
    """The ids of the exports of ``account`` that are published."""
    return _ids(lake, account, _CLOSED)


def loaded(lake: Lake, account: str) -> frozenset[str]:
    """The ids of the exports of ``account`` that are in the warehouse, published or not: they need no run."""
    return _ids(lake, account, _LOADED, _CLOSED)


def need_no_lake_run(lake: Lake, account: str) -> frozenset[str]:
    """The ids of the exports of ``account`` whose files no run has to read: loaded, or left to one that only loads."""
    return _ids(lake, account, _CURATED, _LOADED, _CLOSED) if lake.settings.loading == APART else loaded(lake, account)


def _ids(lake: Lake, account: str, *states: str) -> frozenset[str]:
    """The exports in one of ``states``, the last ones. A crash can leave two receipts: the earlier state counts."""
    return derived(lake.raw_folder("exports", account), _ids_in, *states)


def _ids_in(folder: UPath, *states: str) -> frozenset[str]:
    names = _names(folder)

    def found(of: Iterable[str]) -> set[str]:
        return {name.removesuffix(state) for state in of for name in names if name.endswith(state)}

    return frozenset(found(states) - found(state for state in _STATES if state not in states))


def _names(folder: UPath) -> list[str]:
    """The names of the receipts of all versions. Raises DataOfNewerVersion for one that this program does not know."""
    names = [name for name in names_in(folder) if ".v" in name]
    newest = max((int(found[1]) for name in names if (found := _VERSION.search(name))), default=0)
    if newest > int(READER_VERSION):
        raise DataOfNewerVersion(
            f"{folder}: was written by a newer version of this program (reader {newest}; this one has reader "
            f"{READER_VERSION}). Update the program, or use another TIKTOK_DATA_DIR. Nothing was changed."
        )
    return names


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """One export that raw holds, and how far it has come."""

    export_id: str
    source: str
    """Its path below the account's folder in landing or the archive."""
    run_id: str = ""
    written_at: dt.datetime = _LONG_AGO
    downloaded_at: dt.datetime
    downloaded_at_evidence: str
    vintage: dt.datetime
    """Orders the exports; ``vintage_evidence`` says what it is based on."""
    vintage_evidence: str
    window: tuple[dt.date, dt.date]
    """First and last day by its labels."""
    months: tuple[dt.date, ...]
    """First days of the months it has to reach, including months that its labels do not name."""
    months_curated: tuple[dt.date, ...] | None = None
    """Of these, the months whose tables a run of the lake alone has made; None where one run makes and loads them."""
    months_reached: tuple[dt.date, ...]
    """Of these, the months whose rows are committed in the warehouse."""
    loaded_in: str | None = None
    """Which copy of the warehouse holds them, where several machines may have one (``storage.working_file``)."""
    reports: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    """Of the warnings, those about the year of its days."""
    contradictions: tuple[str, ...] = ()
    """How its numbers contradict other exports of the account, if they do."""
    shifts: Mapping[str, int] | None = None
    """By report: by how many days its labels run ahead, where not 0. None until labels are judged."""

    @property
    def has_reached_all(self) -> bool:
        return self.months_reached == self.months

    @property
    def is_curated(self) -> bool:
        return self.months_curated == self.months

    @property
    def months_of_its_days(self) -> list[dt.date]:
        """Every month that its days can lie in, also those without a partition when it was processed."""
        shifts = (0, *(self.shifts or {}).values())  # days that labels are ahead of the real day
        first, last = self.window[0] - dt.timedelta(max(shifts)), self.window[1] - dt.timedelta(min(shifts))
        return months_between(first, last)


_JSON = TypeAdapter(Receipt)


def receipts(lake: Lake, account: str) -> Iterator[Receipt]:
    """The receipts of every export of ``account`` that raw holds, open or closed."""
    for _, receipt in _read_all(_receipt_files(lake, account)):
        yield receipt


def _read_all(paths: Sequence[UPath]) -> Iterator[tuple[UPath, Receipt]]:
    """The receipts in these files, read many at a time, without damaged ones."""
    for path, content in zip(paths, read_many(paths), strict=True):
        if content is not None and (receipt := _parsed(path, content)):
            yield path, receipt


def _read(path: UPath) -> Receipt | None:
    """The receipt in a file; None where there is none, and for a damaged one."""
    return next((receipt for _, receipt in _read_all([path])), None)


def _parsed(path: UPath, content: bytes) -> Receipt | None:
    """The receipt; None for a damaged one, which is as none, and a line in the log that says what to do."""
    try:
        return _JSON.validate_json(content)
    except ValueError:
        log.warning(
            "%s: this receipt is damaged. Delete it, then run `tiktok-assets process`: its export is read again.", path
        )
        return None


def proven_ids(lake: Lake, account: str) -> frozenset[str]:
    """The ids of the exports that were ever found to be ``account``'s: by its receipts, of any version and state.

    During a rebuild they lie in the previous lake, which is kept until the new one is complete.
    """
    folders = [lake.raw_folder("exports", account), UPath(lake.settings.previous_lake) / "raw" / "exports"]
    folders[1] /= f"account={account}"
    return frozenset().union(*(derived(folder, _exports_in) for folder in folders))


def _exports_in(folder: UPath) -> frozenset[str]:
    return frozenset(name.split(".")[0] for name in _names(folder))


def months_noted(lake: Lake, account: str, export_id: str) -> tuple[dt.date, ...]:
    """The months that an export has to reach by its receipt, also unlabelled ones. Empty without one or once loaded."""
    receipt = _not_loaded(lake, account, export_id)
    return receipt.months if receipt else ()


def _not_loaded(lake: Lake, account: str, export_id: str) -> Receipt | None:
    """The receipt of an export that is open or curated; None where there is none, or a damaged one."""
    paths = [lake.raw_folder("exports", account) / f"{export_id}{state}" for state in (_OPEN, _CURATED)]
    return next((receipt for path in paths if not is_missing(path) and (receipt := _read(path))), None)


def write_receipt(lake: Lake, account: str, source: str, export: Export, run_id: str) -> None:
    """Note that raw holds ``export`` since the run ``run_id``, and which months it has to reach.

    The receipt of an export that is not loaded stays as it is, unless it is damaged.
    """
    path = lake.raw_folder("exports", account) / f"{export.export_id}{_OPEN}"
    is_there = exists(path)
    if _not_loaded(lake, account, export.export_id):
        return
    receipt = Receipt(
        export_id=export.export_id,
        source=source,
        run_id=run_id,
        written_at=dt.datetime.now(dt.UTC),
        downloaded_at=export.downloaded_at,
        downloaded_at_evidence=export.downloaded_at_evidence,
        vintage=export.vintage,
        vintage_evidence=export.vintage_evidence,
        window=export.window,
        months=tuple(lake.months_kept(export.months)),
        months_reached=(),
        reports=tuple(member.report.name for member in export.members),
        warnings=export.warnings,
        doubts=export.doubts,
    )
    with contextlib.suppress(FileExistsError):  # another run has read the same export at the same time
        lake.write_bytes(path, _content(receipt), create=not is_there)


@dataclass(frozen=True, kw_only=True)
class Moved:
    """An export whose labels are judged differently than before: shift in days by report, ``before`` and ``now``."""

    source: str
    before: Mapping[str, int]
    now: Mapping[str, int]
    months: tuple[dt.date, ...]
    """To be rebuilt, some of them by another run."""

    def __str__(self) -> str:
        shifts = {
            report: (self.before.get(report, 0), self.now.get(report, 0)) for report in {**self.before, **self.now}
        }
        changes = ", ".join(f"{report} {was} -> {is_now}" for report, (was, is_now) in shifts.items() if was != is_now)
        return (
            f"{one_line(self.source)}: the date shift of its labels changed (days ahead of the real day: {changes}). "
            f"{len(self.months)} months from {self.months[0]:%Y-%m} to {self.months[-1]:%Y-%m} are rebuilt."
        )


def note_shifts(
    lake: Lake,
    account: str,
    shifts: Mapping[str, Mapping[str, int]],
    months: Mapping[str, Iterable[dt.date]],
    run_id: str,
    contradictions: Mapping[str, tuple[str, ...]] | None = None,
) -> list[Moved]:
    """Note by how many days the labels of each export run ahead, by report, and the ``months`` of its days.

    ``contradictions``: by export, how its numbers contradict those of others; noted as well.

    Where an earlier run decided differently, the receipt is reopened with the months of both decisions, which are
    rebuilt like those of a new export. These exports are returned.
    """
    moved = []
    with lake.alone(receipts_lock(account)) as held:
        for path, receipt in _read_all(_receipt_files(lake, account)):
            before = receipt.shifts
            if before is None and path.name.endswith((_CLOSED, _LOADED)):
                before = {}  # written before labels were judged: its labels were used unchanged
            now = {report: days for report, days in shifts.get(receipt.export_id, {}).items() if days}
            named = lake.months_kept(sorted(months.get(receipt.export_id, ())))
            every = tuple(sorted({*receipt.months, *named}))
            others = (contradictions or {}).get(receipt.export_id, ())
            if (receipt.shifts, receipt.months, receipt.contradictions) == (now, every, others):
                continue
            is_moved = before is not None and before != now
            receipt = replace(receipt, shifts=now, months=every, contradictions=others)
            if before is not None and is_moved:
                moved.append(Moved(source=receipt.source, before=before, now=now, months=every))
                receipt = replace(receipt, months_curated=None, months_reached=())
            if not receipt.has_reached_all:
                receipt = replace(receipt, run_id=run_id, written_at=dt.datetime.now(dt.UTC))
            held.require()
            _write(lake, path, receipt)
    return moved


@dataclass(frozen=True, kw_only=True)
class RunOfLake:
    """A run that has made tables of the lake, and by that which exports it has read.

    Those it wrote into raw itself, or that were there when it started. Another run may have added an export to raw
    after this one had read it.
    """

    run_id: str
    started_at: dt.datetime

    def has_read(self, receipt: Receipt) -> bool:
        return receipt.run_id == self.run_id or receipt.written_at <= self.started_at


def note_curated(lake: Lake, account: str, partitions: PartitionRange, run: RunOfLake) -> None:
    """Note that the tables of ``partitions`` are complete in the lake: exports of ``account`` with all their months are
    curated, and wait to be loaded."""
    with lake.alone(receipts_lock(account)) as held:
        for path, receipt in _read_all(_receipt_files(lake, account, _OPEN)):
            if run.has_read(receipt):
                made = {*(receipt.months_curated or ()), *partitions.months}
                of_its = tuple(month for month in receipt.months if month in made)
                held.require()
                _write(lake, path, replace(receipt, months_curated=of_its))
        forget_tries(lake, account, _ids(lake, account, _CURATED, _LOADED, _CLOSED))


def note_loaded(
    lake: Lake, account: str, partitions: PartitionRange, run: RunOfLake | None, loaded_in: str | None = None
) -> None:
    """Note that ``partitions`` have reached the warehouse: a receipt of ``account`` with all its months is loaded.

    A ``run`` that has made the tables of the lake as well loads what it has read; without one, only what was curated
    counts. A backfill of many accounts is one run per month, so the months of an export may arrive in different runs at
    the same time. ``loaded_in``: the copy of the warehouse.
    """
    with lake.alone(receipts_lock(account)) as held:
        for path, receipt in _read_all(_receipt_files(lake, account, _OPEN, _CURATED)):
            if receipt.is_curated or (run is not None and run.has_read(receipt)):
                reached = {*receipt.months_reached, *partitions.months}
                of_its = tuple(month for month in receipt.months if month in reached)
                held.require()
                _write(lake, path, replace(receipt, months_reached=of_its, loaded_in=loaded_in))
        forget_tries(lake, account, loaded(lake, account))


def curated_receipts(lake: Lake, account: str) -> list[Receipt]:
    """The receipts of the exports of ``account`` that are complete in the lake and wait to be loaded."""
    not_open = _ids(lake, account, _CURATED, _LOADED, _CLOSED)
    return [
        receipt for _, receipt in _read_all(_receipt_files(lake, account, _CURATED)) if receipt.export_id in not_open
    ]


def loaded_receipts(lake: Lake, account: str) -> list[Receipt]:
    """The receipts of the exports of ``account`` that are in the warehouse, published or not."""
    folder = plain(lake.raw_folder("exports", account))
    names, found = names_in(folder), dict[str, str]()
    for state in (_CLOSED, _LOADED):  # a crash can leave two: the earlier state counts
        found |= {name.removesuffix(state): name for name in names if name.endswith(state)}
    still_open = {name.removesuffix(state) for state in (_OPEN, _CURATED) for name in names if name.endswith(state)}
    contents = read_many(folder / found[one] for one in sorted(found.keys() - still_open))
    return [_JSON.validate_json(content) for content in contents if content is not None]


def reopen(lake: Lake, account: str, months: Mapping[str, Iterable[dt.date]], *, is_in_lake: bool = False) -> None:
    """Let an ordinary run process these exports again. ``months``: by export, those to be made beside its own.

    ``is_in_lake``: the lake has their tables; they are only loaded again.
    """
    with lake.alone(receipts_lock(account)) as held:
        paths = [path for path in _receipt_files(lake, account) if path.name.partition(".")[0] in months]
        for path, receipt in _read_all(paths):
            every = tuple(lake.months_kept(sorted({*receipt.months, *months[receipt.export_id]})))
            curated = every if is_in_lake else None
            held.require()
            _write(lake, path, replace(receipt, months=every, months_curated=curated, months_reached=()))


def waiting_for_publication(lake: Lake, accounts: Iterable[str]) -> list[UPath]:
    """The receipts of the exports that are loaded and not published yet, whichever copy of the warehouse holds them."""
    return [path for one in accounts for path in _receipt_files(lake, one, _LOADED)]


def held_in(waiting: Iterable[UPath], copy: str) -> list[UPath]:
    """Of the receipts of loaded exports those whose rows this ``copy`` of the warehouse holds."""
    return [path for path, receipt in _read_all([*waiting]) if receipt.loaded_in == copy]


def load_again(lake: Lake, lost: Iterable[UPath]) -> None:
    """Have these loaded exports loaded again out of the lake: the copy of the warehouse that holds them is ``lost``."""
    lost = list(lost)
    with lake.alone(_locks_of(lost)) as held:
        for path, receipt in _read_all(lost):  # without those reopened or loaded again meanwhile
            again = replace(receipt, months_curated=receipt.months, months_reached=(), loaded_in=None)
            held.require()
            _write(lake, path, again)


def close_receipts(lake: Lake, published: Iterable[UPath]) -> None:
    """Close these receipts of loaded exports, whose rows are ``published``."""
    published = list(published)
    with lake.alone(_locks_of(published)) as held:
        for path, content in zip(published, read_many(published), strict=True):
            if content is not None:  # else reopened meanwhile: the date shift of its labels changed
                held.require()
                lake.write_bytes(path.parent / f"{path.name.removesuffix(_LOADED)}{_CLOSED}", content)
                lake.remove(path)


def _locks_of(paths: Iterable[UPath]) -> set[str]:
    """The locks on the receipts at ``paths``."""
    return {receipts_lock(path.parent.name.removeprefix("account=")) for path in paths}


def _receipt_files(lake: Lake, account: str, *states: str) -> list[UPath]:
    folder = lake.raw_folder("exports", account)
    return [folder / name for name in derived(folder, _names_in_states, *(states or _STATES))]


def _names_in_states(folder: UPath, *states: str) -> list[str]:
    return [name for name in names_in(folder) if name.endswith(states)]


def _write(lake: Lake, path: UPath, receipt: Receipt) -> None:
    """Store the receipt under the name of its state: loaded once every month is reached; a closed one stays closed."""
    if receipt.has_reached_all:
        state = _CLOSED if path.name.endswith(_CLOSED) else _LOADED
    else:
        state = _CURATED if receipt.is_curated else _OPEN
    target = path.parent / f"{receipt.export_id}{state}"
    lake.write_bytes(target, _content(receipt))
    if path != target:
        lake.remove(path)


def _content(receipt: Receipt) -> bytes:
    return _JSON.dump_json(receipt, indent=2, exclude_none=True) + b"\n"
