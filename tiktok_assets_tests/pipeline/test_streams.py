"""Streams from landing/streams to song_streams: by `process`, by the sensor, and after losses."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
import pytest
from upath import UPath

from tiktok_assets.accounts import InvalidAccounts, load_roster
from tiktok_assets.failures import LockLost
from tiktok_assets.graph import build_definitions, warehouse_of
from tiktok_assets.inbox.archive import archive
from tiktok_assets.inbox.identities import identity
from tiktok_assets.inbox.inspect import inspect
from tiktok_assets.inbox.sandbox import Limits
from tiktok_assets.inbox.streams import months_to_make
from tiktok_assets.inbox.verify import verify
from tiktok_assets.pipeline.process import process
from tiktok_assets.pipeline.rebuild import RebuildRefused, rebuild
from tiktok_assets.pipeline.results import Result
from tiktok_assets.reporting.status import StoreCoverage, status
from tiktok_assets.settings import AnyFile, Settings
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.streams import (
    made_of_today,
    month_file,
    note,
    raw_file,
    raw_files,
    stored_file,
    write_months,
    write_raw,
)
from tiktok_assets.streams.latest import latest_rows, typed_files
from tiktok_assets.streams.reading import STREAMS_READER, read_streams
from tiktok_assets_tests.conftest import History, Install
from tiktok_assets_tests.inbox.intake_looks import look
from tiktok_assets_tests.sensor_ticks import reason, report, tick
from tiktok_assets_tests.streams.files import DOWNLOADED, ISRC, OTHER_ISRC, dropped

CONTRACT = f"date,isrc,store,streams\n2026-06-30,{ISRC},Spotify,7\n2026-07-01,{ISRC},Spotify,8\n"
JUNE, JULY = dt.date(2026, 6, 1), dt.date(2026, 7, 1)


@pytest.fixture
def settings(install: Install, tmp_path: Path) -> Settings:
    songs = tmp_path / "songs.toml"
    write_songs(songs, ISRC)
    return install("pig1987", songs_file=songs)


def write_songs(path: AnyFile, isrc: str) -> None:
    path.write_text(
        '[songs.summer]\ntitle = "Summer Nights"\nartist = "Pig"\nrelease_date = 2026-06-12\nhashtags = ["summer"]\n'
        f'isrc = ["{isrc}"]\n'
    )


def folder(settings: Settings) -> Path:
    return Path(str(settings.landed_streams))


def published(settings: Settings) -> list[tuple[str, str, dt.date, int]]:
    with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
        return warehouse.sql("select song, store, date, streams from song_streams order by all").fetchall()


def lost(settings: Settings) -> list[str]:
    return [str(one) for one in verify(Lake(settings), load_roster(settings), warehouse_of(settings))]


BOTH = [("summer", "spotify", dt.date(2026, 6, 30), 7), ("summer", "spotify", dt.date(2026, 7, 1), 8)]


def test_a_dropped_file_goes_the_whole_way_and_an_edit_of_the_songs_follows(
    settings: Settings, history: History
) -> None:
    def processed() -> Result:
        return process(settings, instance=history())

    path = dropped(folder(settings), "distributor/june.csv", CONTRACT)
    first = processed()
    assert first.is_clean and first.streams is not None and first.streams.warned_checks == {}
    assert (first.streams.files, first.streams.first_month, first.streams.last_month) == (1, JUNE, JULY)
    assert published(settings) == BOTH
    assert path.exists() and lost(settings) == []
    assert processed().streams is None
    seen = status(Lake(settings), load_roster(settings), [], dt.datetime(2026, 7, 2, tzinfo=dt.UTC))
    days = {"first": dt.date(2026, 6, 30), "last": dt.date(2026, 7, 1), "days": 2}
    assert (seen.streams, seen.streams_waiting) == ([StoreCoverage(store="spotify", recordings=1, **days)], 0)

    write_songs(settings.songs_file, OTHER_ISRC)
    other = processed().streams
    assert other is not None and other.files == 0
    assert list(other.warned_checks) == ["warehouse/song_streams every_stream_has_a_song"]
    assert (
        f"{ISRC}: of no song in songs.toml. Write its ISRC"
        in other.warned_checks["warehouse/song_streams every_stream_has_a_song"]
    )
    assert published(settings) == []

    write_songs(settings.songs_file, ISRC)
    processed()
    assert published(settings) == BOTH


def test_an_unusable_file_is_quarantined_and_the_others_go_on(settings: Settings, history: History) -> None:
    dropped(folder(settings), "good.csv", CONTRACT)
    dropped(folder(settings), "bad.csv", CONTRACT.replace(",8", ",-8"))
    dropped(folder(settings), "late.csv", CONTRACT.replace("2026-07-01", "2096-07-01"))
    result = process(settings, instance=history())
    (rejected,) = result.intake.rejected
    assert rejected.reason == "unreadable_value" and "bad.csv, row 2, streams: '-8'" in rejected.message
    (waits,) = result.intake.unreadable
    assert "late.csv" in waits and "2096-07-01" in waits
    assert published(settings) == BOTH and not result.is_clean
    note = Path(rejected.moved_to + ".json")
    assert json.loads(note.read_text())["file"].endswith("landing/streams/bad.csv")


def test_what_is_lost_is_named_and_made_again(settings: Settings, history: History) -> None:
    dropped(folder(settings), "june.csv", CONTRACT)
    process(settings, instance=history())
    lake = Lake(settings)
    (export_id,) = raw_files(lake)
    staged = Path(str(settings.staging / "streams" / "date=2026-06-01" / "data.parquet"))
    staged.unlink()
    with warehouse_of(settings).session() as session:
        session.connection.execute("delete from song_streams where streams = 8")
        session.publish()
    found = lost(settings)
    assert len(found) == 2 and str(staged) in found[0] and "song_streams, 2026-07" in found[1]
    again = process(settings, instance=history())
    assert len(again.lost) == 2 and published(settings) == BOTH and lost(settings) == []

    for lose in (Path.unlink, lambda path: path.write_bytes(b"PAR1")):
        lose(Path(str(raw_file(lake, export_id))))
        assert f"{export_id}.v{STREAMS_READER}.parquet" in " ".join(lost(settings))
    process(settings, instance=history())
    assert published(settings) == BOTH and lost(settings) == []


def test_a_month_without_any_number_has_no_file_and_is_not_made_again(settings: Settings) -> None:
    lake = Lake(settings)
    path = dropped(folder(settings), "june.csv", CONTRACT.replace(",8", ","))
    file = read_streams(path, "june.csv")
    write_raw(lake, file)
    assert months_to_make(lake, [], []) == (JUNE, JULY)
    write_months(lake, latest_rows(typed_files([file.rows])), (JUNE, JULY))
    today = made_of_today(lake, [])
    note(lake, {month: replace(made, file=stored_file(lake, month)) for month, made in today.items()})
    assert not month_file(lake, JULY).exists() and months_to_make(lake, [], []) == ()
    lake.remove(month_file(lake, JUNE))
    assert months_to_make(lake, [], []) == (JUNE,)


def test_a_file_that_is_gone_everywhere_takes_no_number_with_it(settings: Settings, history: History) -> None:
    path = dropped(folder(settings), "june.csv", CONTRACT)
    process(settings, instance=history())
    (export_id,) = raw_files(Lake(settings))
    path.unlink()
    with pytest.raises(RebuildRefused, match=r"No file of streams is left in .*landing/streams"):
        rebuild(settings, instance=history())
    Path(str(raw_file(Lake(settings), export_id))).unlink()
    write_songs(settings.songs_file, OTHER_ISRC)
    assert process(settings, instance=history()).streams is None
    assert published(settings) == BOTH
    (found,) = lost(settings)
    assert f"{export_id}.v{STREAMS_READER}.parquet" in found and "put its file back into landing/streams" in found


def test_a_rebuild_makes_the_same(settings: Settings, history: History) -> None:
    dropped(folder(settings), "june.csv", CONTRACT)
    process(settings, instance=history())
    result, differences = rebuild(settings, instance=history())
    assert differences == [] and result.streams is not None and published(settings) == BOTH


def test_the_sensor_requests_the_months_once(settings: Settings, history: History) -> None:
    dropped(folder(settings), "june.csv", CONTRACT)
    dropped(folder(settings), "bad.csv", "date,streams\n2026-06-30,1\n")
    with history() as instance:
        answer = tick(settings, instance)
        assert isinstance(answer, dg.SensorResult) and answer.run_requests
        (request,) = answer.run_requests
        assert (request.job_name, request.tags["dagster/asset_partition_range_start"]) == ("process_streams", str(JUNE))
        assert request.tags["dagster/asset_partition_range_end"] == str(JULY)
        report(instance, answer)
        broken = [one.asset_key.path[-1] for one in answer.asset_events if getattr(one, "passed", True) is False]
        assert broken == ["streams"]
        job = build_definitions(settings).resolve_job_def("process_streams")
        assert job.execute_in_process(instance=instance, tags=dict(request.tags)).success
        assert published(settings) == BOTH
        assert "No new exports" in reason(tick(settings, instance, answer.cursor))
        write_songs(settings.songs_file, OTHER_ISRC)
        edited = tick(settings, instance, answer.cursor)
        assert isinstance(edited, dg.SensorResult) and edited.run_requests
        assert [one.job_name for one in edited.run_requests] == ["process_streams"]
        assert edited.run_requests[0].run_key != request.run_key


def test_a_table_of_streams_elsewhere_is_told_where_it_belongs(settings: Settings) -> None:
    path = dropped(folder(settings).parent, "june.csv", CONTRACT.replace(",8", ",-8"))
    (rejected,) = look(settings).rejected
    assert rejected.message == "june.csv: is a table of streams, which are no account's. Put it into landing/streams/."
    assert not path.exists()


def test_inspect_describes_a_file_of_streams_or_says_what_is_wrong(settings: Settings, tmp_path: Path) -> None:
    good = dropped(tmp_path, "june.csv", CONTRACT)
    bad = dropped(folder(settings), "kid.tsv", f"Sale Month\tStore\tISRC\tQuantity\n2026-06\tSpotify\t{ISRC}\t5\n")
    roster, limits = load_roster(settings), Limits.of(settings)
    described = inspect(good, roster, settings.landing, limits)
    assert (described["problem"], described["window"]) == (None, ["2026-06-30", "2026-07-01"])
    assert (described["stores"], described["recordings"], described["rows"]) == (["spotify"], [ISRC], 2)
    assert inspect(bad, roster, settings.landing, limits)["problem"] == "not_daily"


@pytest.mark.parametrize("key", ["streams", "Streams"])
def test_no_account_can_have_the_folder_of_streams(install: Install, key: str) -> None:
    with pytest.raises(InvalidAccounts, match="landing/streams holds streams of songs"):
        load_roster(install(key))


def test_archived_files_are_still_found_and_a_rebuild_reads_them_there(settings: Settings, history: History) -> None:
    path = dropped(folder(settings), "distributor/june.csv", CONTRACT)
    waiting = archive(settings, now=DOWNLOADED + dt.timedelta(days=91)).kept
    assert [one.reason for one in waiting] == ["is not processed yet: run `tiktok-assets process`, then this again."]
    process(settings, instance=history())
    assert archive(settings, now=DOWNLOADED + dt.timedelta(days=89)).younger == 1
    (moved,) = archive(settings, now=DOWNLOADED + dt.timedelta(days=91)).moved
    there = Path(str(settings.archive)) / "streams/distributor/june.csv"
    assert (moved.account, moved.source, moved.archived_to) == ("streams", "distributor/june.csv", str(there))
    assert not path.exists() and there.read_text() == CONTRACT and there.stat().st_mtime == DOWNLOADED.timestamp()
    assert process(settings, instance=history()).streams is None and lost(settings) == []
    dropped(folder(settings), "copy.csv", CONTRACT)
    assert process(settings, instance=history()).streams is None
    _, differences = rebuild(settings, instance=history())
    assert differences == [] and published(settings) == BOTH
    there.write_text("damaged")
    (rejected,) = look(settings).rejected
    assert rejected.file == str(there) and not there.exists()


def test_a_file_that_an_older_reader_has_read_is_read_again(settings: Settings, history: History) -> None:
    dropped(folder(settings), "june.csv", CONTRACT)
    process(settings, instance=history())
    (path,) = raw_files(Lake(settings)).values()
    Path(str(path)).rename(Path(str(path).replace(f".v{STREAMS_READER}.", ".v0.")))
    again = process(settings, instance=history()).streams
    assert again is not None and again.files == 1 and list(raw_files(Lake(settings)).values()) == [path]
    assert published(settings) == BOTH


def test_what_an_older_reader_let_through_is_refused_now_and_the_others_go_on(
    settings: Settings, history: History, tmp_path: Path
) -> None:
    lake, huge = Lake(settings), CONTRACT.replace("Spotify,7", "Deezer,10000000000000")
    rows = read_streams(dropped(tmp_path, "huge.csv", huge.replace("0" * 13, "0")), "huge.csv").rows
    rows = rows.with_columns(streams=pl.col("streams").replace("10", "1" + "0" * 13))
    path = dropped(folder(settings), "huge.csv", huge)
    lake.write(settings.raw / "streams" / f"{identity(UPath(path))}.v1.parquet", rows)
    dropped(folder(settings), "june.csv", CONTRACT)
    result = process(settings, instance=history())
    (rejected,) = result.intake.rejected
    assert "huge.csv, row 1, streams: '10000000000000' is not a whole number from 0 to" in rejected.message
    assert published(settings) == BOTH and lost(settings) == []


def test_files_arrive_in_the_other_landing_folder_too(install: Install, tmp_path: Path, settings: Settings) -> None:
    settings = install("pig1987", songs_file=settings.songs_file, landing_path=tmp_path / "arrivals")
    dropped(tmp_path / "arrivals/streams", "store/june.csv", CONTRACT)
    dropped(tmp_path / "arrivals/streams", "notes.csv", "a,b\n1,2\n")
    dropped(folder(settings), "store/june.csv", CONTRACT.replace(",8", ",9"))
    found = look(settings)
    assert sorted(one.source for one in found.streams) == ["store/june.csv", "store/june~2.csv"]
    assert (folder(settings) / "store/june~2.csv").read_text() == CONTRACT
    assert not (tmp_path / "arrivals/streams/store/june.csv").exists()
    (left,) = found.unreadable
    assert found.left_alone == found.rejected == ()
    assert "notes.csv: is no table of streams" in left and (tmp_path / "arrivals/streams/notes.csv").exists()
    dropped(tmp_path / "arrivals/streams", "copy.csv", CONTRACT)
    assert len(look(settings).streams) == 2


def test_a_run_of_streams_that_has_lost_its_lock_stores_no_table(
    settings: Settings, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(_: object) -> None:
        raise LockLost("The lock on streams was lost.")

    dropped(folder(settings), "june.csv", CONTRACT)
    with monkeypatch.context() as cut_off:
        cut_off.setattr("tiktok_assets.storage.file_locks._KernelsOwn.require", lost)
        failed = process(settings, instance=history()).streams
    assert failed is not None and failed.error is not None and "The lock on streams was lost" in failed.error
    assert not month_file(Lake(settings), JUNE).exists()
    process(settings, instance=history())
    assert published(settings) == BOTH
