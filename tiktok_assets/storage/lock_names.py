"""The names of locks, and whether a run left one behind. Does not belong here: Dagster (``run_locks``)."""

from __future__ import annotations

from tiktok_assets.storage.locks import Locks

RUN = "run "
PLANNING = "the planning of runs"
"""Held while somebody decides which runs the landed exports get, `process` and `rebuild` until those have ended."""

EDITING = "the editing of lists"
"""Held from reading accounts.toml or songs.toml until the file with one more entry, or one less, is written."""

ROWS_MADE = "what runs have made in the warehouse"
"""Held while the manifest of the warehouse is read, changed and written."""

MAKING_TABLES = "the making of tables"
"""Held by `cluster init`."""


def account_lock(account: str) -> str:
    """The name of the lock on the lake and the warehouse rows of ``account``."""
    return f"account {account}"


def life_lock(run_id: str) -> str:
    """The name of the lock that a run holds as long as it lives."""
    return f"{RUN}{run_id}"


def receipts_lock(account: str) -> str:
    """The name of the lock on the receipts of ``account``, held while they are read, changed and written."""
    return f"receipts of {account}"


def may_have_dead_runs(locks: Locks) -> bool:
    """Whether a run left a lock behind; without asking Dagster."""
    return bool(locks.abandoned(RUN))
