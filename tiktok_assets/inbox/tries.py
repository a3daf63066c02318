"""How many runs were started for an export that did not load it: a document of each account in the shared state.

Belongs here: the counts. Does not belong here: what follows from them (``run_plan``). Where the state is lost, its
exports are tried as often as new ones.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace

from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.lock_names import receipts_lock
from tiktok_assets.storage.state import documents_of, locks_of

_FOLDER = "tries"
_MOST_DEATHS = 5


@dataclass(frozen=True, kw_only=True)
class Tries:
    """How many runs that did not load an export were started: for its account alone, and together with others."""

    alone: int = 0
    together: int = 0
    deaths: int = 0
    """Runs that were killed with their process; they are not counted above."""


def note_tries(lake: Lake, exports: Mapping[str, Iterable[str]], *, alone: bool, by: int = 1) -> None:
    """Note that a run is started for these exports. A run that never reaches its first step counts as well.

    ``exports``: their ids by account. ``by``: -1 for a run that a person stopped, which says nothing about its exports.
    """
    with _changing(lake, exports) as known:
        for account, ids in exports.items():
            for export_id in ids:
                before = known[account].get(export_id, Tries())
                known[account][export_id] = replace(
                    before, alone=before.alone + by * alone, together=before.together + by * (not alone)
                )


def note_death(lake: Lake, accounts: Collection[str]) -> None:
    """Note that a run of each of ``accounts`` was killed with its process, as by a power cut. That is not a try.

    After ``_MOST_DEATHS`` it counts as a failure: an export may be the cause.
    """
    with _changing(lake, accounts) as known:
        for counted in known.values():
            for export_id, before in counted.items():
                if before.deaths < _MOST_DEATHS:
                    alone = max(0, before.alone - 1)
                    counted[export_id] = replace(before, alone=alone, deaths=before.deaths + 1)


def tries(lake: Lake, accounts: Iterable[str]) -> dict[str, dict[str, Tries]]:
    """By account and export id, the runs started for each export that is not loaded."""
    names = {account: _document(account) for account in accounts}
    found = documents_of(lake.settings).read_many(names.values()) if names else {}
    return {
        account: {export_id: Tries(**counted) for export_id, counted in json.loads(found.get(name, b"{}")).items()}
        for account, name in names.items()
    }


def forget_tries(lake: Lake, account: str, loaded: Collection[str]) -> None:
    """Forget the runs that were started for exports that are ``loaded`` now. The caller holds the receipts."""
    known = tries(lake, [account])
    _write(lake, known, {account: {one: count for one, count in known[account].items() if one not in loaded}})


def forget_all_tries(lake: Lake) -> None:
    """Forget every run that was started. Nobody plans runs, or makes them, at this time."""
    documents = documents_of(lake.settings)
    if names := documents.versions(_FOLDER):
        documents.write_many(dict.fromkeys(names))


@contextlib.contextmanager
def _changing(lake: Lake, accounts: Collection[str]) -> Iterator[dict[str, dict[str, Tries]]]:
    """What is known of ``accounts``, to be changed in the block. A few requests, however many accounts."""
    if not accounts:
        yield {}
        return
    with locks_of(lake.settings).hold([receipts_lock(account) for account in accounts]) as held:
        known = tries(lake, accounts)
        changed = {account: dict(counted) for account, counted in known.items()}
        yield changed
        held.require()
        _write(lake, known, changed)


def _write(lake: Lake, before: Mapping[str, object], now: Mapping[str, Mapping[str, Tries]]) -> None:
    """Store what is not as ``before``; an account of which nothing is known has no document."""
    contents: dict[str, bytes | None] = {}
    for account, counted in now.items():
        kept = {export_id: asdict(one) for export_id, one in sorted(counted.items()) if one != Tries()}
        if counted != before[account]:
            contents[_document(account)] = f"{json.dumps(kept, indent=2)}\n".encode() if kept else None
    if contents:
        documents_of(lake.settings).write_many(contents)


def _document(account: str) -> str:
    return f"{_FOLDER}/{account}.json"
