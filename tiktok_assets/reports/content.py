"""Content: the lifetime totals of an account's newest or best videos, as they stood on the day of the download."""

from __future__ import annotations

import datetime as dt

import pandera.polars as pa
import polars as pl

from tiktok_assets.exports.dates import UnreadableDay, read_day_texts
from tiktok_assets.exports.evidence import ONE_DAY
from tiktok_assets.exports.monthdays import last_on_or_before
from tiktok_assets.exports.placing import first_on_or_after
from tiktok_assets.exports.problems import UnreadableValue
from tiktok_assets.reports._columns import cell_name, count, is_missing, pick, snapshot_rows, text, typed
from tiktok_assets.reports.report import Report, Staged, UtcTime

VIDEO_LINK = r"^https?://(?:www\.|m\.)?tiktok\.com/@([^/?#]+)/(?:video|photo)/([0-9]{17,19})(?:[/?#]|$)"

# Studio's name of each column, then Business Suite's; its older files call views "reach".
VIEWS = ("total views", "video views", "reach")
LIKES = ("total likes", "likes")
COMMENTS = ("total comments", "comments")
SHARES = ("total shares", "shares")

# Ids of 19 digits contain the second of their upload; shorter ones are older than this scheme and would give the 1970s.
FIRST_TIMED_ID = 10**18

# A video's id starts with its upload's second in UTC; the post date is local (a day around it) or, scheduled, later.
_POSTED_BEFORE_UPLOAD = dt.timedelta(days=2)


class Content(Staged):
    """One row per account, day of the download and video. Totals are lifetime totals, not of a window."""

    video_id: str = pa.Field(description="TikTok's id of the video")
    handle: str = pa.Field(description="handle in the video's link")
    title: str = pa.Field(nullable=True, description="caption with its hashtags; may be empty")
    link: str = pa.Field(description="address of the video")
    post_date: pl.Date = pa.Field(nullable=True, description="day of the post on the account's local calendar")
    published_at: UtcTime = pa.Field(
        nullable=True, description="upload time (UTC), from the video id: id >> 32 is its Unix second"
    )
    total_views: int = pa.Field(nullable=True, ge=0, description="views since publication")
    total_likes: int = pa.Field(nullable=True, description="likes since publication")
    total_comments: int = pa.Field(nullable=True, description="comments since publication")
    total_shares: int = pa.Field(nullable=True, description="shares since publication")
    favorites: int = pa.Field(nullable=True, description="times added to favorites (Business Suite)")


def parse(rows: pl.DataFrame) -> pl.DataFrame:
    """Typed rows. Raises UnreadableValue for a link that is not a video's, or an unreadable count or post time."""
    link = text(rows, "video link").str.strip_chars()
    values = typed(
        rows,
        {
            "total_views": count(text(rows, *VIEWS), least=0),
            "total_likes": count(text(rows, *LIKES)),
            "total_comments": count(text(rows, *COMMENTS)),
            "total_shares": count(text(rows, *SHARES)),
            "favorites": count(text(rows, "add to favorites")),
        },
    ).hstack(
        pick(
            rows,
            link=link,
            handle=link.str.extract(VIDEO_LINK, 1),
            video_id=link.str.extract(VIDEO_LINK, 2),
            title=text(rows, "video title"),
            post_time=text(rows, "post time").str.strip_chars(),
        )
    )
    _refuse_other_links(values)
    values = values.with_columns(published_at=uploaded_at(pl.col("video_id")))
    return snapshot_rows(_with_post_dates(values).drop("post_time"))


def uploaded_at(video_id: pl.Expr) -> pl.Expr:
    """The upload time (UTC) at the beginning of a video's id; null for the short ids of old videos."""
    video = video_id.cast(pl.UInt64)
    second = pl.when(video >= FIRST_TIMED_ID).then(video // 2**32)  # the field's own formula: id >> 32
    return pl.from_epoch(second.cast(pl.Int64)).dt.cast_time_unit("us").dt.replace_time_zone("UTC")


def handles_and_newest_upload(
    rows: pl.DataFrame | pl.LazyFrame, link: str
) -> tuple[tuple[str, ...], dt.datetime | None]:
    """The handles in the video links of column ``link``, and the newest upload time in their ids."""
    address = pl.col(link).str.strip_chars()
    found = (
        rows.lazy()
        .select(
            handle=address.str.extract(VIDEO_LINK, 1),
            video=address.str.extract(VIDEO_LINK, 2).cast(pl.UInt64, strict=False),
        )
        .group_by("handle")
        .agg(pl.col("video").max())
        .drop_nulls()
        .sort("handle")
        .collect(engine="in-memory" if isinstance(rows, pl.DataFrame) else "streaming")
    )
    newest = max(found["video"], default=0)
    uploaded = dt.datetime.fromtimestamp(newest >> 32, dt.UTC) if newest >= FIRST_TIMED_ID else None
    return tuple(found["handle"]), uploaded


def _refuse_other_links(values: pl.DataFrame) -> None:
    others = values.filter(pl.col("video_id").is_null())
    if others.height:
        raise UnreadableValue(
            f"{cell_name(others, 0)}, Video link: {others['link'][0]!r} is not the address of a TikTok video "
            "(https://www.tiktok.com/@<handle>/video/<id>). Export it again instead of editing it."
        )


def _with_post_dates(values: pl.DataFrame) -> pl.DataFrame:
    """``post_date`` from texts with a year directly, from "April 12" through the upload date in the video's id."""
    written = pl.col("post_time").str.head(10).str.replace_all("/", "-").str.to_date("%Y-%m-%d", strict=False)
    values = values.with_columns(post_date=written)
    unwritten = values.filter(pl.col("post_date").is_null() & ~is_missing(pl.col("post_time")))
    if unwritten.is_empty():
        return values
    resolved = pl.concat(_resolve(rows) for _, rows in unwritten.group_by("locale", maintain_order=True))
    return (
        values.join(resolved, on=["export_id", "member", "row_number"], how="left", maintain_order="left")
        .with_columns(post_date=pl.coalesce("post_date", "resolved"))
        .drop("resolved")
    )


def _resolve(rows: pl.DataFrame) -> pl.DataFrame:
    """Post times of one language, each in the first year that does not put it before its upload.

    Where the upload is not known, in the last year that does not put it after the download.
    """
    try:
        read = read_day_texts(rows["post_time"].to_list())
    except UnreadableDay as error:
        raise UnreadableValue(f"{cell_name(rows, error.row)}, Post time: {error}") from error
    known = rows.select(pl.col("published_at").dt.date(), pl.col("downloaded_at").dt.date()).rows()
    dates = [
        first_on_or_after(day, uploaded - _POSTED_BEFORE_UPLOAD)
        if uploaded
        else last_on_or_before(day, downloaded + ONE_DAY)
        for day, (uploaded, downloaded) in zip(read.days, known, strict=True)
    ]
    if read.years is not None:
        dates = [dt.date(year, *day) for year, day in zip(read.years, read.days, strict=True)]
    return rows.select("export_id", "member", "row_number", resolved=pl.Series(dates, dtype=pl.Date))


CONTENT = Report(
    name="content",
    section="content",
    headers={
        "studio": (
            *("Time", "Video title", "Video link", "Post time"),
            *("Total likes", "Total comments", "Total shares", "Total views"),
        ),
        "business_suite": (
            *("Video title", "Video link", "Post time", "Video views"),
            *("Likes", "Comments", "Shares", "Add to Favorites"),
        ),
        "business_suite_reach": (
            *("Video title", "Video link", "Post time", "reach"),
            *("Likes", "Comments", "Shares", "Add to Favorites"),
        ),
    },
    signature=(("video link",), VIEWS),
    alternatives=(VIEWS, LIKES, COMMENTS, SHARES),
    label="Time",
    grain=("date", "video_id"),
    unit=("date", "video_id"),
    description="Lifetime views, likes, comments and shares of up to 15 videos on the day of the download.",
    parse=parse,
    schema=Content,
    parser_version="1",
)
