"""Publish what is loaded; only then an export counts as done.

Belongs here: when to publish, and the receipts of published exports. Does not belong here: how the file is copied
(``duckdb``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from tiktok_assets.accounts import Roster
from tiktok_assets.curated.targets import PROGRESS
from tiktok_assets.failures import WarehouseOvertaken
from tiktok_assets.inbox.receipts import close_receipts, held_in, load_again, waiting_for_publication
from tiktok_assets.label import targets
from tiktok_assets.storage.duckdb import Session, Warehouse
from tiktok_assets.storage.lake import Lake, changed_at


def publish(lake: Lake, accounts: Iterable[str], session: Session) -> int:
    """Publish the working file and close the receipts of the exports in it; return how many those are.

    A run also closes the receipts of others: all that are loaded before the copy is made. What another machine's copy
    of the warehouse holds can never be published after this, and is loaded again; as is what this copy holds, if that
    other one was published first. Raises WarehouseOvertaken then.
    """
    waiting, copy = waiting_for_publication(lake, accounts), session.warehouse.copy_name()
    contained = waiting if copy is None else held_in(waiting, copy)
    try:
        session.publish()
    except WarehouseOvertaken:
        load_again(lake, contained)
        raise
    targets.note_published(lake.settings, session.warehouse.views.get(PROGRESS, ""))
    close_receipts(lake, contained)
    load_again(lake, [path for path in waiting if path not in contained])
    return len(contained)


def overdue(lake: Lake, accounts: Roster, warehouse: Warehouse, now: float) -> str | None:
    """A name for stored data, or edited targets, that no run has published; None if there is none.

    Called while no run that publishes is under way. ``now``: seconds since 1970.
    """
    waiting = waiting_for_publication(lake, accounts)
    interval = lake.settings.publish_interval  # not compared with the clock of another machine
    is_late = any(not warehouse.is_only_one or now - changed_at(path) > interval for path in waiting)
    has_targets = targets.is_published(lake.settings, accounts)
    if not is_late and not warehouse.is_behind() and has_targets:
        return None
    return hashlib.sha256("\n".join(sorted(path.name for path in waiting)).encode()).hexdigest()[:12]
