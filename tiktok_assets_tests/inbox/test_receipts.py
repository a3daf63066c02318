"""Receipts: what the sensor remembers of an export, from raw to the warehouse."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from tiktok_assets.exports.provenance import READER_VERSION
from tiktok_assets.inbox.receipts import (
    RunOfLake,
    close_receipts,
    curated_receipts,
    held_in,
    load_again,
    loaded,
    months_noted,
    need_no_lake_run,
    note_curated,
    note_loaded,
    processed,
    waiting_for_publication,
    write_receipt,
)
from tiktok_assets.inbox.receipts import receipts as noted
from tiktok_assets.partitions import PartitionRange
from tiktok_assets.reports.reading import open_export
from tiktok_assets.settings import Settings
from tiktok_assets.storage.lake import Lake
from tiktok_assets_tests.conftest import Install
from tiktok_assets_tests.landing_files import drop, export, names_in

LONG_AGO = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
A_RUN = RunOfLake(run_id="a run", started_at=LONG_AGO)
MAY, JUNE, JULY = (dt.date(2025, month, 1) for month in (5, 6, 7))


def receive(lake: Lake, tmp_path: Path, account: str = "pig1987") -> str:
    """Write the receipt of an export of May and June."""
    made = export(account, "overview")
    with open_export(drop(made.content, tmp_path, made.name)) as opened:
        write_receipt(lake, account, made.name, opened, "a run")
        return opened.export_id


def close(
    lake: Lake, account: str, partitions: PartitionRange, run_id: str = "a run", started_at: dt.datetime = LONG_AGO
) -> None:
    """As the last asset of a run does, and then the publication."""
    note_loaded(lake, account, partitions, RunOfLake(run_id=run_id, started_at=started_at))
    close_receipts(lake, waiting_for_publication(lake, [account]))


def receipts(lake: Lake) -> list[str]:
    return names_in(Path(str(lake.settings.raw)) / "exports")


@pytest.mark.parametrize("content", [b"", b'{"export_id": "ab', b"null", b"\x00" * 40])
def test_a_damaged_receipt_is_as_none_and_is_written_again(
    settings: Settings, tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    lake = Lake(settings)
    export_id = receive(lake, tmp_path)
    open_receipt = Path(str(settings.raw)) / "exports" / "account=pig1987" / f"{export_id}.v{READER_VERSION}.open.json"
    open_receipt.write_bytes(content)
    assert (list(noted(lake, "pig1987")), months_noted(lake, "pig1987", export_id)) == ([], ())
    assert f"{open_receipt}: this receipt is damaged. Delete it, then run `tiktok-assets process`" in caplog.text
    close(lake, "pig1987", PartitionRange(("pig1987",), (MAY, JUNE)))
    assert processed(lake, "pig1987") == frozenset()
    receive(lake, tmp_path)
    close(lake, "pig1987", PartitionRange(("pig1987",), (MAY, JUNE)))
    assert processed(lake, "pig1987") == {export_id}


def test_an_export_is_processed_once_all_its_months_reached_the_warehouse(settings: Settings, tmp_path: Path) -> None:
    lake = Lake(settings)
    export_id = receive(lake, tmp_path)
    assert processed(lake, "pig1987") == frozenset()
    close(lake, "pig1987", PartitionRange(("pig1987",), (MAY,)))
    close(lake, "pig1987", PartitionRange(("pig1987",), (JULY,)))
    assert processed(lake, "pig1987") == frozenset()
    close(lake, "pig1987", PartitionRange(("pig1987",), (JUNE, JULY)))
    assert processed(lake, "pig1987") == {export_id}
    assert receipts(lake) == [f"{export_id}.v{READER_VERSION}.json"]


def test_a_loaded_export_is_requested_by_no_other_run_before_publication(settings: Settings, tmp_path: Path) -> None:
    lake = Lake(settings)
    export_id = receive(lake, tmp_path)
    assert loaded(lake, "pig1987") == frozenset()
    note_loaded(lake, "pig1987", PartitionRange(("pig1987",), (MAY, JUNE)), A_RUN)
    assert loaded(lake, "pig1987") == {export_id}
    assert processed(lake, "pig1987") == frozenset()
    assert receipts(lake) == [f"{export_id}.v{READER_VERSION}.loaded.json"]
    close_receipts(lake, waiting_for_publication(lake, ["zonea0"]))
    assert processed(lake, "pig1987") == frozenset()
    close_receipts(lake, waiting_for_publication(lake, ["zonea0", "pig1987"]))
    assert loaded(lake, "pig1987") == processed(lake, "pig1987") == {export_id}


def test_a_receipt_says_what_happened_to_the_export(settings: Settings, tmp_path: Path) -> None:
    lake = Lake(settings)
    export_id = receive(lake, tmp_path)
    (path,) = (Path(str(settings.raw)) / "exports" / "account=pig1987").iterdir()
    receipt = json.loads(path.read_text())
    assert receipt["export_id"] == export_id
    assert receipt["source"] == export("pig1987", "overview").name
    assert receipt["window"] == ["2025-05-20", "2025-06-20"]
    assert receipt["months"] == ["2025-05-01", "2025-06-01"]
    assert receipt["reports"] == ["overview"]


def test_months_that_are_not_kept_are_not_waited_for(install: Install, tmp_path: Path) -> None:
    lake = Lake(install("pig1987", start_date="2025-06"))
    export_id = receive(lake, tmp_path)
    close(lake, "pig1987", PartitionRange(("pig1987",), (JUNE,)))
    assert processed(lake, "pig1987") == {export_id}


def test_the_receipt_of_one_account_says_nothing_about_another(settings: Settings, tmp_path: Path) -> None:
    lake = Lake(settings)
    receive(lake, tmp_path)
    close(lake, "zonea0", PartitionRange(("zonea0",), (MAY, JUNE)))
    assert processed(lake, "pig1987") == processed(lake, "zonea0") == frozenset()


def test_an_export_read_by_an_older_reader_is_not_processed(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(settings)
    receive(lake, tmp_path)
    close(lake, "pig1987", PartitionRange(("pig1987",), (MAY, JUNE)))
    monkeypatch.setattr("tiktok_assets.inbox.receipts._CLOSED", ".v999.json")
    assert processed(lake, "pig1987") == frozenset()


def test_a_crash_while_closing_is_fixed_by_the_next_run(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(settings)
    export_id = receive(lake, tmp_path)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "remove", crash)
        with pytest.raises(KeyboardInterrupt):
            close(lake, "pig1987", PartitionRange(("pig1987",), (MAY, JUNE)))
    assert loaded(lake, "pig1987") == frozenset()  # two receipts of one export: the earlier state counts
    close(lake, "pig1987", PartitionRange(("pig1987",), (MAY, JUNE)))
    assert loaded(lake, "pig1987") == {export_id}
    assert receipts(lake) == [f"{export_id}.v{READER_VERSION}.json"]


def test_a_run_does_not_close_the_receipt_of_an_export_it_never_read(settings: Settings, tmp_path: Path) -> None:
    lake, partitions = Lake(settings), PartitionRange(("pig1987",), (MAY, JUNE))
    before = dt.datetime.now(dt.UTC)
    export_id = receive(lake, tmp_path)
    close(lake, "pig1987", partitions, run_id="another run", started_at=before)
    assert processed(lake, "pig1987") == frozenset()
    close(lake, "pig1987", partitions, run_id="a later run", started_at=dt.datetime.now(dt.UTC))
    assert processed(lake, "pig1987") == {export_id}


def months(*of: dt.date) -> PartitionRange:
    return PartitionRange(("pig1987",), of)


def state(lake: Lake) -> list[str]:
    """The state of each receipt, as its name says it: nothing for a closed one."""
    return [
        name.partition(f".v{READER_VERSION}.")[2].removesuffix("json").strip(".") or "closed" for name in receipts(lake)
    ]


def test_an_export_is_curated_once_all_its_months_are_in_the_lake_and_loaded_only_then(
    install: Install, tmp_path: Path
) -> None:
    lake = Lake(install("pig1987", loading="apart"))
    export_id = receive(lake, tmp_path)
    note_curated(lake, "pig1987", months(MAY), A_RUN)
    note_loaded(lake, "pig1987", months(MAY, JUNE), None)  # a load that came too early loads nothing of it
    assert (state(lake), need_no_lake_run(lake, "pig1987"), curated_receipts(lake, "pig1987")) == (["open"], set(), [])
    note_curated(lake, "pig1987", months(JUNE, JULY), A_RUN)
    assert (state(lake), need_no_lake_run(lake, "pig1987"), loaded(lake, "pig1987")) == (
        ["curated"],
        {export_id},
        set(),
    )
    assert [one.months for one in curated_receipts(lake, "pig1987")] == [(MAY, JUNE)]
    receive(lake, tmp_path)  # another run of the lake reads it again
    assert state(lake) == ["curated"]
    note_loaded(lake, "pig1987", months(MAY), None)
    assert state(lake) == ["curated"]
    note_loaded(lake, "pig1987", months(JUNE), None)
    assert (state(lake), loaded(lake, "pig1987"), curated_receipts(lake, "pig1987")) == (["loaded"], {export_id}, [])


def test_where_one_run_does_both_what_is_only_curated_needs_a_run(install: Install, tmp_path: Path) -> None:
    lake = Lake(install("pig1987"))
    export_id = receive(lake, tmp_path)
    note_curated(lake, "pig1987", months(MAY, JUNE), A_RUN)
    assert need_no_lake_run(lake, "pig1987") == frozenset()
    assert months_noted(lake, "pig1987", export_id) == (MAY, JUNE)
    close(lake, "pig1987", months(MAY, JUNE))
    assert (state(lake), processed(lake, "pig1987")) == (["closed"], {export_id})


def test_what_a_lost_copy_of_the_warehouse_held_is_loaded_again_out_of_the_lake(
    install: Install, tmp_path: Path
) -> None:
    lake = Lake(install("pig1987", loading="apart"))
    receive(lake, tmp_path)
    note_curated(lake, "pig1987", months(MAY, JUNE), A_RUN)
    note_loaded(lake, "pig1987", months(MAY, JUNE), None, "one copy")
    waiting = waiting_for_publication(lake, ["pig1987"])
    assert (held_in(waiting, "another copy"), held_in(waiting, "one copy")) == ([], waiting)
    load_again(lake, waiting)
    assert state(lake) == ["curated"]
    note_loaded(lake, "pig1987", months(MAY), None, "another copy")
    assert state(lake) == ["curated"]  # what the lost copy had reached does not count
    load_again(lake, waiting)  # which are gone by now
    assert state(lake) == ["curated"]
