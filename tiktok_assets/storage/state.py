"""Where an installation keeps what its processes share: files in its state folder, or Postgres for many machines.

Belongs here: the one decision, by ``TIKTOK_STATE_URL``. Does not belong here: what of it is shared, which is whatever
asks here, and what stays with each machine (Dagster's history in SQLite, the working DuckDB file, scratch files).
"""

from __future__ import annotations

from tiktok_assets.settings import Settings
from tiktok_assets.storage.documents import Documents, FileDocuments
from tiktok_assets.storage.file_locks import FileLocks
from tiktok_assets.storage.locks import Locks
from tiktok_assets.storage.postgres import Postgres
from tiktok_assets.storage.postgres_documents import PostgresDocuments
from tiktok_assets.storage.postgres_locks import PostgresLocks


def locks_of(settings: Settings, holder: str = "") -> Locks:
    """The locks of this installation, taken by ``holder``."""
    if settings.state_url is None:
        return FileLocks(settings.locks, holder)
    return PostgresLocks(Postgres(settings.state_url), holder)


def documents_of(settings: Settings) -> Documents:
    """The documents of this installation."""
    if settings.state_url is None:
        return FileDocuments(settings.state)
    return PostgresDocuments(Postgres(settings.state_url))
