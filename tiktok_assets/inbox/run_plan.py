"""Which runs the landed exports get, as a pure decision, and how a run that starts or is killed counts as a try.

Does not belong here: starting a run (``sensors``, ``pipeline``), rectangles of partitions (``batches``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from tiktok_assets.batches import Batch, batches
from tiktok_assets.inbox.intake import LandedExport, by_account
from tiktok_assets.inbox.tries import Tries, note_death, note_tries
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
    for account in batch.new:
        ids = [export.export_id for export in groups[account]]
        note_tries(lake, account, ids, alone=len(batch.accounts) == 1, by=by)


def note_planned(lake: Lake) -> None:
    """Note that runs were requested just now: Dagster records them a moment later."""
    documents_of(lake.settings).write(_PLANNED, b"")


def are_planned(lake: Lake) -> bool:
    """Whether runs were requested so recently that Dagster may not have recorded them yet."""
    age = documents_of(lake.settings).age(_PLANNED)
    return age is not None and age < _RECORDED_WITHIN


def note_deaths(lake: Lake, killed: Iterable[Mapping[str, str]], roster: Sequence[str]) -> None:
    """Do not count the end of runs whose process was ``killed``, given by their tags, as a failure of their exports."""
    for account in {account for tags in killed for account in accounts_of(tags, roster)}:
        note_death(lake, account)
