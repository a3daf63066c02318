"""Documents that many machines share: rows of a table in Postgres. Every time is Postgres's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tiktok_assets.failures import StateUnavailable
from tiktok_assets.storage.documents import Documents
from tiktok_assets.storage.postgres import Postgres

if TYPE_CHECKING:
    from tiktok_assets.storage.postgres import Connection

LARGEST = 32 * 1024**2
"""Bytes of a document."""
TABLES = f"""
create table if not exists documents (
    name text primary key, written_at timestamptz not null,
    content bytea not null check (octet_length(content) <= {LARGEST})
);
"""
_WRITE = """
insert into documents (name, written_at, content)
select name, clock_timestamp(), content from unnest(%s::text[], %s::bytea[]) as t (name, content)
on conflict (name) do update set (written_at, content) = (excluded.written_at, excluded.content)
"""


@dataclass(frozen=True)
class PostgresDocuments(Documents):
    """Documents in ``database``."""

    database: Postgres

    def read_many(self, names: Iterable[str]) -> dict[str, bytes]:
        if not (names := list(names)):
            return {}
        query = b"select name, content from documents where name = any(%s)"
        rows = self._run(lambda connection: connection.execute(query, (names,)).fetchall())
        return {row["name"]: bytes(row["content"]) for row in rows}

    def write_many(self, contents: Mapping[str, bytes | None]) -> None:
        kept = {name: content for name, content in contents.items() if content is not None}
        removed = [name for name in contents if name not in kept]

        def work(connection: Connection) -> None:
            if kept:
                connection.execute(_WRITE, (list(kept), list(kept.values())))
            if removed:
                connection.execute(b"delete from documents where name = any(%s)", (removed,))

        self._run(work)

    def remove(self, name: str) -> bool:
        return self._one("delete from documents where name = %s returning name", name) is not None

    def versions(self, folder: str) -> dict[str, str]:
        query = b"select name, written_at::text as version from documents where starts_with(name, %s) order by name"
        rows = self._run(lambda connection: connection.execute(query, (f"{folder}/",)).fetchall())
        return {row["name"]: row["version"] for row in rows}

    def age(self, name: str) -> float | None:
        query = "select extract(epoch from clock_timestamp() - written_at) as age from documents where name = %s"
        row = self._one(query, name)
        return float(row["age"]) if row else None

    def place(self, name: str) -> str:
        return f"{name} in {self.database.place}"

    def _one(self, query: str, name: str) -> dict[str, Any] | None:
        return self._run(lambda connection: connection.execute(query.encode(), (name,)).fetchone())

    def _run(self, work: Callable[[Connection], Any]) -> Any:
        """What ``work`` returns; once more where Postgres was restarted meanwhile: each may be done twice."""
        for is_last in (False, True):
            try:
                with self.database.transaction(TABLES) as connection:
                    return work(connection)
            except StateUnavailable:
                if is_last:
                    raise
        return None
