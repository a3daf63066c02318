"""Publish what is loaded; only then an export counts as done.

Belongs here: when to publish, and the receipts of published exports. Does not belong here: how the file is copied
(``duckdb``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from tiktok_assets.accounts import Roster
from tiktok_assets.curated.targets import PROGRESS
from tiktok_assets.inbox.receipts import close_receipts, waiting_for_publication
from tiktok_assets.label import targets
from tiktok_assets.storage.duckdb import Session, Warehouse
from tiktok_assets.storage.lake import Lake, changed_at


def publish(lake: Lake, accounts: Iterable[str], session: Session) -> int:
    """Publish the working file and close the receipts of the exports in it; return how many those are.

    A run also closes the receipts of others: all that are loaded before the copy is made.
    """
    contained = waiting_for_publication(lake, accounts)
    session.publish()
    targets.note_published(lake.settings, session.warehouse.views.get(PROGRESS, ""))
    close_receipts(lake, contained)
    return len(contained)


def overdue(lake: Lake, accounts: Roster, warehouse: Warehouse, now: float) -> str | None:
    """A name for stored data, or edited targets, that no run has published; None if there is none.

    Called while no run is under way. ``now``: seconds since 1970.
    """
    waiting = waiting_for_publication(lake, accounts)
    is_late = any(now - changed_at(path) > lake.settings.publish_interval for path in waiting)
    has_targets = targets.is_published(lake.settings, accounts)
    if not is_late and not warehouse.is_behind() and has_targets:
        return None
    return hashlib.sha256("\n".join(sorted(path.name for path in waiting)).encode()).hexdigest()[:12]
