"""The queues that runs go to where loading is apart: a worker of dagster-celery takes the runs of its queues.

Does not belong here: jobs, and what a worker is.
"""

from __future__ import annotations

from collections.abc import Iterable

from tiktok_assets.settings import APART, DEFAULT_EGRESS, Settings

QUEUE_TAG = "dagster-celery/queue"
LAKE, WAREHOUSE = "lake", "warehouse"
"""Of runs for any worker, and of those for the one worker that writes the warehouse."""


def studio_queue(egress: str = DEFAULT_EGRESS) -> str:
    """The queue of visits to Studio through one egress."""
    return f"studio-{egress}"


def queue_of(made: Iterable[str], checked: Iterable[str] = ()) -> str | None:
    """The queue of a run that makes and checks the assets of these keys, written ``layer/noun``; None without any.

    A run that visits Studio may process what it gets on the same machine, but only one worker writes the warehouse.
    """
    made, checked = ({key.partition("/")[0] for key in keys} for keys in (made, checked))
    if "warehouse" in made | checked:
        return WAREHOUSE
    if "landing" in made:
        return studio_queue()
    return LAKE if made | checked else None


def queue_tags(settings: Settings, queue: str) -> dict[str, str]:
    """The tags of a run that goes to ``queue``; none where all runs are one machine's."""
    return {QUEUE_TAG: queue} if settings.loading == APART else {}
