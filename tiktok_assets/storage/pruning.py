"""Old events of Dagster's history, deleted one by one.

Belongs here: which events are still needed, and the deletion of the others. Does not belong here: whole runs. Deleting
a run, as Dagster's own page does, takes its materializations along, and with them partitions that are there.

What stays, however old: the latest event of each kind of each partition of each asset, which the colours of partitions
follow from; the latest result of each check, by its outcome; and of a run how it went. What goes of a run are its
steps, its log lines, and what a later run did again.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from tiktok_assets.progress import Progress, silent

_BATCH = 5_000  # rows a transaction: another writer waits for a fraction of a second
_BUSY_TIMEOUT = 30.0  # seconds to wait for another writer

_STILL_ASKED_FOR = """
    create temp table kept_checks as
        select max(id) as id from asset_check_executions
        group by asset_key, check_name, partition, execution_status;
    create temp table kept as
        select max(id) as id from event_logs group by asset_key, dagster_event_type, partition
        union select evaluation_event_storage_id from asset_check_executions
        where id in (select id from kept_checks) and evaluation_event_storage_id is not null;
"""
_OLD_CHECKS = """from asset_check_executions
    where evaluation_event_timestamp < ? and id not in (select id from kept_checks)"""
_OLD_EVENTS = "from event_logs where timestamp < ? and id not in (select id from kept)"
_TAGS_OF_NOTHING = "from asset_event_tags where event_id not in (select id from event_logs)"
_OLD_EVENTS_OF_A_RUN = """from event_logs where timestamp < ?
    and coalesce(dagster_event_type, '') != 'STEP_FAILURE'
    and coalesce(dagster_event_type, '') not like 'PIPELINE_%'
    and not exists (
        select 1 from shared.event_logs as kept where kept.run_id = event_logs.run_id
        and kept.dagster_event_type = event_logs.dagster_event_type
        and kept.asset_key is event_logs.asset_key and kept.partition is event_logs.partition)"""


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """What was deleted: events of the index across runs, events of ``runs`` runs, and the bytes that the disk got back.

    ``locked``: files that did not shrink, because somebody was writing to them; the next run shrinks them.
    """

    events: int
    run_events: int
    runs: int
    bytes_freed: int
    locked: tuple[Path, ...]


def prune(
    event_logs: Path,
    finished_runs: Collection[str],
    before: dt.datetime,
    progress: Progress = silent,
) -> Pruned:
    """Delete what happened ``before`` and is no longer needed. ``event_logs``: the folder with ``index.db``.

    Works while Dagster is running. Only the runs in ``finished_runs`` are touched.
    """
    moment = before.astimezone(dt.UTC).replace(tzinfo=None).isoformat(" ", "microseconds")  # as Dagster writes them
    size = _size(event_logs)
    index = event_logs / "index.db"
    locked = []
    with _opened(index) as connection:
        connection.executescript(_STILL_ASKED_FOR)
        _delete(connection, _OLD_CHECKS, moment)
        events = _delete(connection, _OLD_EVENTS, moment)
        _delete(connection, _TAGS_OF_NOTHING)
        locked += [] if _give_back(connection) else [index]
    counts = []
    files = [path for run in sorted(finished_runs) if (path := event_logs / f"{run}.db").exists()]
    for done, path in enumerate(files):
        progress("", done, len(files))
        with _opened(path) as connection:
            connection.execute("attach ? as shared", (str(index),))
            counts.append(_delete(connection, _OLD_EVENTS_OF_A_RUN, moment))
            connection.execute("detach shared")
            locked += [] if not counts[-1] or _give_back(connection) else [path]
    return Pruned(
        events=events,
        run_events=sum(counts),
        runs=sum(1 for count in counts if count),
        bytes_freed=size - _size(event_logs),
        locked=tuple(locked),
    )


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(path, timeout=_BUSY_TIMEOUT, isolation_level=None)) as connection:
        yield connection


def _delete(connection: sqlite3.Connection, rows: str, *values: str) -> int:
    """Delete ``rows`` ("from table where ..."), a batch at a time; how many there were."""
    table = rows.split()[1]
    ids = [id_ for (id_,) in connection.execute(f"select id {rows}", values)]
    for start in range(0, len(ids), _BATCH):
        batch = [(id_,) for id_ in ids[start : start + _BATCH]]
        connection.execute("begin immediate")
        connection.executemany(f"delete from {table} where id = ?", batch)
        connection.execute("commit")
    return len(ids)


def _give_back(connection: sqlite3.Connection) -> bool:
    """Shrink the file to its content. False if another writer kept it locked."""
    try:
        if connection.execute("pragma freelist_count").fetchone()[0]:
            connection.execute("vacuum")
        connection.execute("pragma wal_checkpoint(truncate)").fetchone()
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        return False
    return True


def _size(folder: Path) -> int:
    total = 0
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # a log that was taken over into its file
            total += path.stat().st_size
    return total
