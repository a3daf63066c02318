"""What runs have noted about the tables they made."""

from __future__ import annotations

import datetime as dt
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest

from tiktok_assets.partitions import PartitionRange
from tiktok_assets.settings import Settings
from tiktok_assets.storage import manifest
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.manifest import note_rows_made, noted_rows

MONTH = dt.date(2026, 1, 1)


class Warehouse:
    """Of another machine each, so that no lock on its file keeps them apart."""

    def fingerprints(self, *_: object) -> dict[object, str]:
        return {}


def test_what_two_machines_note_at_the_same_moment_is_all_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = ("a", "b", "c", "d")
    lake = Lake(Settings.model_validate({"data_dir": str(tmp_path), "accounts": accounts}))

    def slowly(*given: Any, write: Any = manifest._write) -> None:
        time.sleep(0.03)  # the others read meanwhile, unless they wait
        write(*given)

    monkeypatch.setattr(manifest, "_write", slowly)

    def note(account: str) -> None:
        note_rows_made(lake, cast(Any, Warehouse()), PartitionRange((account,), (MONTH,)), {account: "these"})

    with ThreadPoolExecutor(len(accounts)) as pool:
        list(pool.map(note, accounts))
    assert {account: made[MONTH].made_with for account, made in noted_rows(lake).items()} == dict.fromkeys(
        accounts, "these"
    )
