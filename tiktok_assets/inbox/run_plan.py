"""Which runs the landed exports get, as a pure decision, and how a run that starts or is killed counts as a try.

Does not belong here: starting a run (``sensors``, ``pipeline``), rectangles of partitions (``batches``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tiktok_assets.batches import Batch, batches
from tiktok_assets.inbox.intake import LandedExport, by_account
from tiktok_assets.inbox.receipts import curated_receipts
from tiktok_assets.inbox.tries import Tries, note_death, note_tries, tries
from tiktok_assets.partitions import accounts_of
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.state import documents_of

_PLANNED = "planned"
_RECORDED_WITHIN = 10.0  # seconds
MAX_TRIES = 2
"""Failed runs of its account alone after which an export is not retried automatically: a person has to look."""


def runs_to_start(
    landed: Iterable[LandedExport],
    in_flight: Collection[str],
    tried: Mapping[str, Mapping[str, Tries]],
    roster: Sequence[str],
    size: int,
) -> list[Batch]:
    """The runs for landed exports: many accounts a run, over every month their exports touch. Pure.

    ``in_flight``: accounts with a run that has not ended; they wait for its end. ``tried``: by account and export, the
    runs that did not load it. After a failure an account runs alone; after ``MAX_TRIES`` of those it waits for a person
    or a new export. ``size``: the most partitions of a run.
    """
    groups = by_account(landed)
    months = {account: [month for one in exports for month in one.months] for account, exports in groups.items()}
    suspects = {account for account in groups if any(_tries(tried, one) != Tries() for one in groups[account])}
    return batches(months, roster, size, alone=suspects, barred={*in_flight, *given_up(groups, tried)})


@dataclass(frozen=True, kw_only=True)
class Loading:
    """What is complete in the lake and not in the warehouse, and the runs that load it, where those are apart."""

    waiting: Mapping[str, list[LandedExport]] = field(default_factory=dict)
    """By account."""
    runs: Sequence[Batch] = ()
    given_up: Sequence[str] = ()

    @property
    def before_the_lake(self) -> set[str]:
        """The accounts that are loaded before the lake gets a run for them again.

        So each waits at most for the loading that is under way and then for its own, however many exports arrive.
        """
        return {*self.waiting}.difference(self.given_up)


def loading(lake: Lake, roster: Sequence[str], in_flight: Collection[str], *, is_under_way: bool) -> Loading:
    """The runs that load everything that waits. While some are under way none is added: the next ones take it all."""
    waiting = by_account(one for account in roster for one in _to_load(lake, account))
    tried = tries(lake, waiting)
    everything = [one for exports in waiting.values() for one in exports]
    runs = [] if is_under_way else runs_to_start(everything, in_flight, tried, roster, lake.settings.run_size)
    return Loading(waiting=waiting, runs=runs, given_up=given_up(waiting, tried))


def _to_load(lake: Lake, account: str) -> list[LandedExport]:
    return [
        LandedExport(
            account=account,
            source=receipt.source,
            export_id=receipt.export_id,
            sections=(),
            months=receipt.months,
            warnings=receipt.warnings,
        )
        for receipt in curated_receipts(lake, account)
    ]


def given_up(groups: Mapping[str, list[LandedExport]], tried: Mapping[str, Mapping[str, Tries]]) -> list[str]:
    """The accounts whose new exports all failed ``MAX_TRIES`` times alone."""
    return [
        account
        for account, exports in groups.items()
        if all(_tries(tried, export).alone >= MAX_TRIES for export in exports)
    ]


def _tries(tried: Mapping[str, Mapping[str, Tries]], export: LandedExport) -> Tries:
    return tried.get(export.account, {}).get(export.export_id, Tries())


def note_batch(lake: Lake, batch: Batch, groups: Mapping[str, list[LandedExport]], by: int = 1) -> None:
    """Count the run that is about to start for ``batch`` as a try for each export it is made for (``note_tries``)."""
    ids = {account: [export.export_id for export in groups[account]] for account in batch.new}
    note_tries(lake, ids, alone=len(batch.accounts) == 1, by=by)


def note_planned(lake: Lake) -> None:
    """Note that runs were requested just now: Dagster records them a moment later."""
    documents_of(lake.settings).write(_PLANNED, b"")


def are_planned(lake: Lake) -> bool:
    """Whether runs were requested so recently that Dagster may not have recorded them yet."""
    age = documents_of(lake.settings).age(_PLANNED)
    return age is not None and age < _RECORDED_WITHIN


def note_deaths(lake: Lake, killed: Iterable[Mapping[str, str]], roster: Sequence[str]) -> None:
    """Do not count the end of runs whose process was ``killed``, given by their tags, as a failure of their exports."""
    note_death(lake, {account for tags in killed for account in accounts_of(tags, roster)})
