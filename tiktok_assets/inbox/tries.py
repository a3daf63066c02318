"""How many runs were started for an export that did not load it: counted in ``tries.json`` beside the receipts.

Belongs here: the counts. Does not belong here: what follows from them (``run_plan``).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace

from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.lock_names import receipts_lock

_TRIES = "tries.json"
_MOST_DEATHS = 5


@dataclass(frozen=True, kw_only=True)
class Tries:
    """How many runs that did not load an export were started: for its account alone, and together with others."""

    alone: int = 0
    together: int = 0
    deaths: int = 0
    """Runs that were killed with their process; they are not counted above."""


def note_tries(lake: Lake, account: str, export_ids: Iterable[str], *, alone: bool, by: int = 1) -> None:
    """Note that a run is started for these exports. A run that never reaches its first step counts as well.

    ``by``: -1 for a run that a person stopped, which says nothing about its exports.
    """
    with lake.alone(receipts_lock(account)) as held:
        known = tries(lake, account)
        for export_id in export_ids:
            before = known.get(export_id, Tries())
            known[export_id] = replace(
                before, alone=before.alone + by * alone, together=before.together + by * (not alone)
            )
        held.require()
        _write_tries(lake, account, {export_id: one for export_id, one in known.items() if one != Tries()})


def note_death(lake: Lake, account: str) -> None:
    """Note that a run of ``account`` was killed with its process, as by a power cut. It does not count as a try.

    After ``_MOST_DEATHS`` it counts as a failure: an export may be the cause.
    """
    with lake.alone(receipts_lock(account)) as held:
        known = tries(lake, account)
        for export_id, before in known.items():
            if before.deaths < _MOST_DEATHS:
                alone = max(0, before.alone - 1)
                known[export_id] = replace(before, alone=alone, deaths=before.deaths + 1)
        if known:
            held.require()
            _write_tries(lake, account, known)


def tries(lake: Lake, account: str) -> dict[str, Tries]:
    """The runs started for each export of ``account`` that is not loaded, by export id."""
    path = lake.raw_folder("exports", account) / _TRIES
    if not path.exists():
        return {}
    return {export_id: Tries(**counted) for export_id, counted in json.loads(path.read_bytes()).items()}


def _write_tries(lake: Lake, account: str, known: Mapping[str, Tries]) -> None:
    path = lake.raw_folder("exports", account) / _TRIES
    if known:
        counted = {export_id: asdict(one) for export_id, one in sorted(known.items())}
        lake.write_bytes(path, f"{json.dumps(counted, indent=2)}\n".encode())
    else:
        lake.remove(path)


def forget_tries(lake: Lake, account: str, loaded: Collection[str]) -> None:
    """Forget the runs that were started for exports that are ``loaded`` now."""
    if known := tries(lake, account):
        _write_tries(lake, account, {export_id: one for export_id, one in known.items() if export_id not in loaded})
