"""A list too long for memory is worked on piece by piece, and gives the tables of a short one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tiktok_assets.assets.pictures import chart_metadata
from tiktok_assets.checks.schema import violations
from tiktok_assets.checks.staging import duplicates
from tiktok_assets.curated.songs.recognition import song_videos
from tiktok_assets.curated.songs.song import Song
from tiktok_assets.curated.videos import peers
from tiktok_assets.curated.videos.hashtags import hashtag_effects
from tiktok_assets.curated.videos.posting import posting_times
from tiktok_assets.curated.videos.videos import CONTENT_PERFORMANCE, Videos, videos
from tiktok_assets.curated.videos.viral import viral_videos
from tiktok_assets.exports import long_frames
from tiktok_assets.exports.long_frames import Rows, gathered
from tiktok_assets.making import staged_rows
from tiktok_assets.partitions import PartitionRange
from tiktok_assets.reports.content import CONTENT, Content
from tiktok_assets.reports.insights import Insights
from tiktok_assets_tests.curated.frames import parameters

MAY, JUNE = dt.date(2026, 5, 1), dt.date(2026, 6, 1)
MONTHS = PartitionRange(("a", "b"), (MAY, JUNE))
SONG = Song(key="s", title="S", artist="A", release_date=MAY, hashtags=("dance",))


def raw() -> pl.DataFrame:
    """Two accounts with two lists each, of 90 videos with more and more views."""
    rows = []
    for account in "ab":
        for day in (dt.date(2026, 5, 28), dt.date(2026, 6, 9)):
            at = dt.datetime.combine(day, dt.time(9), dt.UTC)
            for number in range(90):
                second = 1_770_000_000 + 3000 * number
                rows.append(
                    {
                        "account": account,
                        "export_id": f"{account} {day}",
                        "source": "x.csv",
                        "member": "x.csv",
                        "row_number": 90 - number,
                        "date_label": day,
                        "downloaded_at": at,
                        "downloaded_at_evidence": "zip_stamp",
                        "vintage": at,
                        "locale": "en",
                        "Video title": f"take {number} #{'dance' if number % 3 else 'sing'}",
                        "Video link": f"https://www.tiktok.com/@{account}/video/{second << 32}",
                        "Post time": f"{dt.datetime.fromtimestamp(second, dt.UTC):%Y/%m/%d}",
                        "Video views": f"{number**4 + day.toordinal() % 1000}",
                        "Likes": f"{number}",
                        "Comments": "1",
                        "Shares": "2",
                        "Add to Favorites": "3",
                    }
                )
    return pl.DataFrame(rows).with_columns(pl.col("row_number").cast(pl.UInt32))


def lazy(rows: pl.DataFrame) -> Rows:
    return gathered(rows.iter_slices(37))


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Calling it makes every list a long one."""

    def shorten() -> None:
        monkeypatch.setattr(long_frames, "PIECE", 30)
        monkeypatch.setattr(peers, "PIECE", 30)

    return shorten


def test_staging_of_a_long_list_is_that_of_a_short_one(short: Callable[[], None]) -> None:
    again = raw().with_columns(export_id="export_id" + pl.lit("!"))
    every = pl.concat([raw(), again.with_columns(pl.lit("7").alias("Video views"))]).lazy()
    expected, undecided = staged_rows(CONTENT, every, MONTHS)
    short()
    found, rivals = staged_rows(CONTENT, every, MONTHS)
    assert isinstance(expected, pl.DataFrame)
    assert isinstance(found, pl.LazyFrame)
    assert found.collect().equals(expected)
    assert rivals.equals(undecided)
    assert undecided.height == expected.height == 360
    assert violations(Content, found) == []
    (only_june,) = (PartitionRange(("a",), (JUNE,)),)
    assert only_june.within(found).lazy().collect().equals(only_june.within(expected))


def test_curated_tables_of_a_long_list_are_those_of_a_short_one(short: Callable[[], None]) -> None:
    content, _ = staged_rows(CONTENT, raw().lazy(), MONTHS)
    zones = {"a": "Europe/Athens", "b": None}
    made = videos(content, Insights.empty(), zones)
    assert isinstance(made, pl.DataFrame)
    makes: list[Callable[[Rows], pl.DataFrame]] = [
        viral_videos,
        lambda rows: hashtag_effects(rows, [MAY, JUNE]),
        lambda rows: posting_times(rows, [MAY, JUNE]),
        lambda rows: song_videos(rows, [SONG]),
    ]
    tables = [make(made) for make in makes]
    loaded = CONTENT_PERFORMANCE.rows({"videos": made}, parameters())
    picture = chart_metadata("videos", made)
    short()
    long = videos(lazy(content.lazy().collect()), Insights.empty(), zones)
    assert isinstance(long, pl.LazyFrame)
    assert long.collect().equals(made)
    for make, table in zip(makes, tables, strict=True):
        assert table.height
        assert_frame_equal(make(long), table, rel_tol=1e-12)
    assert CONTENT_PERFORMANCE.rows({"videos": long}, parameters()).collect().equals(loaded)
    assert chart_metadata("videos", long) == picture


def test_a_violation_in_any_piece_is_found(short: Callable[[], None]) -> None:
    content, _ = staged_rows(CONTENT, raw().lazy(), MONTHS)
    made = videos(content, Insights.empty(), {}).lazy().collect()
    broken = pl.concat([made, made[99:100], made[:1].with_columns(date=JUNE, publish_hour_local=pl.lit(24, pl.Int64))])
    expected = violations(Videos, broken)
    short()
    assert set(violations(Videos, lazy(broken))) == set(expected)
    assert len(expected) > 1
    assert duplicates(CONTENT, lazy(broken))["rows"].to_list() == [2]
