"""Dagster's history in a database that many machines share: its tables, made once before anybody needs them.

Dagster makes them at the first use; of several first uses at the same moment all but one fail.
"""

from __future__ import annotations

from collections.abc import Iterator

from tiktok_assets.settings import Settings
from tiktok_assets.storage.lock_names import MAKING_TABLES
from tiktok_assets.storage.state import documents_of, locks_of


def make_tables(settings: Settings) -> Iterator[str]:
    """Make what is missing of Dagster's tables (as ``DAGSTER_HOME`` configures them) and of ours; a sentence each."""
    import dagster as dg

    with locks_of(settings, "cluster init").hold(MAKING_TABLES):
        documents_of(settings).versions("")
        yield "The tables of this program are there."
        with dg.DagsterInstance.get() as instance:
            storage = type(instance.event_log_storage).__name__
            instance.get_runs(limit=1)
        yield f"The tables of Dagster are there ({storage})."
