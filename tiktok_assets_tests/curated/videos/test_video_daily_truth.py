"""The true views of invented videos lie within the bounds, whatever exports there are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tiktok_assets.checks.schema import violations
from tiktok_assets.curated.videos.total_bounds import LOOK_BACK
from tiktok_assets.curated.videos.video_daily import VideoDaily, video_daily
from tiktok_assets_tests.budget import examples
from tiktok_assets_tests.curated.frames import months_of
from tiktok_assets_tests.curated.videos.given_totals import NOTHING, UTC, account, dated, listed

PARTS = 4
"""Of a day: views are counted by quarters of it, and exports made between them."""
PART = dt.timedelta(hours=24 // PARTS)
FIRST = dt.datetime(2025, 1, 22, tzinfo=UTC)
LENGTH = 18
"""Days of the invented account, over the end of a month."""


@dataclass(frozen=True)
class Video:
    """``views``: those of each part of a day from the ``part`` of its publication on, counted from ``FIRST``."""

    video_id: str
    part: int
    views: Sequence[int]

    @property
    def published_at(self) -> dt.datetime:
        return FIRST + self.part * PART

    def total_at(self, part: int) -> int:
        return sum(self.views[: max(part - self.part, 0)])

    def views_on(self, day: int) -> int:
        return self.total_at(PARTS * (day + 1)) - self.total_at(PARTS * day)


@dataclass(frozen=True)
class Download:
    """An export of Content at the beginning of a part, where the clock is ``utc_offset`` hours ahead."""

    part: int
    utc_offset: int
    is_dated: bool
    lacks: frozenset[str]
    """Videos that its list does not contain: deleted, or not among those that gained most."""

    @property
    def at(self) -> dt.datetime:
        return FIRST + self.part * PART

    @property
    def date(self) -> dt.date:
        return (self.at + dt.timedelta(hours=self.utc_offset)).date()


def snapshots_of(videos: Sequence[Video], downloads: Sequence[Download]) -> pl.DataFrame:
    """What the downloads list; of two on a local date the later one counts."""
    found = {
        (download.date, video.video_id): {
            "date": download.date,
            "video_id": video.video_id,
            "published_at": video.published_at,
            "post_date": (video.published_at + dt.timedelta(hours=download.utc_offset)).date(),
            "total_views": video.total_at(download.part),
            "export_id": str(download.part),
        }
        for download in sorted(downloads, key=lambda one: one.part)
        for video in videos
        if video.part <= download.part and video.video_id not in download.lacks
    }
    return listed(*found.values())


def moments_of(downloads: Sequence[Download]) -> pl.DataFrame:
    return dated({str(one.part): one.at for one in downloads if one.is_dated})


A_VIDEO = st.tuples(
    st.integers(0, PARTS * 8), st.lists(st.integers(0, 40) | st.just(0), min_size=PARTS, max_size=PARTS * LENGTH)
)
VIDEOS = st.lists(A_VIDEO, min_size=1, max_size=3).map(
    lambda found: [Video(str(number), part, views) for number, (part, views) in enumerate(found)]
)
DOWNLOADS = st.lists(
    st.builds(
        Download,
        part=st.integers(0, PARTS * LENGTH),
        utc_offset=st.sampled_from([-11, -5, 0, 2, 9, 14]),
        is_dated=st.booleans() | st.just(True),
        lacks=st.frozensets(st.sampled_from("012"), max_size=1),
    ),
    min_size=2,
    max_size=12,
    unique_by=lambda one: one.part,
)
OTHER_VIEWS = st.lists(st.integers(0, 50), min_size=LENGTH, max_size=LENGTH)
DAYS = range(LENGTH)


def truth_of(videos: Sequence[Video]) -> pl.DataFrame:
    """By video and day: its views, and its total at the end of the day."""
    rows = [
        (one.video_id, (FIRST + dt.timedelta(day)).date(), one.views_on(day), one.total_at(PARTS * (day + 1)))
        for one in videos
        for day in DAYS
    ]
    schema = {"video_id": pl.String, "day": pl.Date, "truth": pl.Int64, "total": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def has_sound_bounds(rows: pl.DataFrame) -> bool:
    return (
        violations(VideoDaily, rows) == []
        and rows.filter(pl.col("views_low") > pl.col("views_high")).is_empty()
        and rows.filter(~pl.col("views").is_between("views_low", "views_high")).is_empty()
        and rows.filter(pl.col("views").is_null() != (pl.col("evidence") == "total fell")).is_empty()
        and rows.filter(pl.col("bound_width") != pl.col("views_high") - pl.col("views_low")).is_empty()
    )


@given(videos=VIDEOS, downloads=DOWNLOADS, others=OTHER_VIEWS, shift=st.sampled_from([-1, 0, 1]), data=st.data())
@examples(40)
def test_the_truth_lies_within_the_bounds(
    videos: list[Video], downloads: list[Download], others: list[int], shift: int, data: st.DataObject
) -> None:
    """Whatever the moments, clocks and lists of the exports are, and where the account's labels are a day off."""
    views = {
        (FIRST + dt.timedelta(day + shift)).date(): others[day] + sum(one.views_on(day) for one in videos)
        for day in DAYS
    }
    unknown = data.draw(st.sets(st.sampled_from(sorted(views)), max_size=4))
    days = account({day: None if day in unknown else one for day, one in views.items()})
    rows = video_daily(snapshots_of(videos, downloads), days, moments_of(downloads))
    assert has_sound_bounds(rows)
    judged = rows.join(truth_of(videos), on=["video_id", "day"])
    assert judged.height == rows.height
    assert judged.filter(~pl.col("truth").is_between("views_low", "views_high")).is_empty()
    assert judged.filter(~pl.col("total").is_between("total_views_low", "total_views_high")).is_empty()
    if len({one.utc_offset for one in downloads}) == 1:  # of two clocks, dates may be in another order than downloads
        assert "total fell" not in rows["evidence"]


@given(
    videos=VIDEOS,
    downloads=DOWNLOADS,
    views=st.lists(st.none() | st.integers(-5, 300), min_size=LENGTH, max_size=LENGTH),
)
@examples(20)
def test_an_accounts_views_may_be_anything_and_no_bounds_cross(
    videos: list[Video], downloads: list[Download], views: list[int | None]
) -> None:
    days = account({(FIRST + dt.timedelta(day)).date(): one for day, one in enumerate(views)})
    assert has_sound_bounds(video_daily(snapshots_of(videos, downloads), days, moments_of(downloads)))


@given(downloads=DOWNLOADS, totals=st.lists(st.none() | st.integers(0, 30), min_size=12, max_size=12))
@examples(20)
def test_totals_may_rise_and_fall_and_a_fall_is_never_bounded(
    downloads: list[Download], totals: list[int | None]
) -> None:
    rows = [
        {"date": one.date, "total_views": total, "export_id": str(one.part)}
        for one, total in zip(downloads, totals, strict=False)
    ]
    snapshots = listed(*{row["date"]: row for row in rows}.values())
    days = video_daily(snapshots, NOTHING, moments_of(downloads))
    assert has_sound_bounds(days)
    falls = snapshots.filter(pl.col("views_gained") < 0)
    assert days.join(falls, on="date", how="semi").filter(pl.col("evidence") != "total fell").is_empty()


@given(videos=VIDEOS, downloads=DOWNLOADS, others=OTHER_VIEWS)
@examples(12)
def test_a_months_rows_need_nothing_of_a_later_one(
    videos: list[Video], downloads: list[Download], others: list[int]
) -> None:
    """So a new export changes no month before its own, and runs in any order make the same rows."""
    days = account({(FIRST + dt.timedelta(day)).date(): 9 + others[day] for day in DAYS})
    snapshots, moments = snapshots_of(videos, downloads), moments_of(downloads)
    whole = video_daily(snapshots, days, moments)
    for month in months_of(whole):
        first, month_of = month - dt.timedelta(days=LOOK_BACK), pl.col("date").dt.truncate("1mo")
        is_read = (pl.col("date") >= first) & (month_of <= month)
        rows = video_daily(snapshots.filter(is_read), days.filter(is_read), moments)
        assert rows.filter(month_of == month).equals(whole.filter(month_of == month))
