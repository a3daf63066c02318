"""Overview: what an account's videos and profile received on a day."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from tiktok_assets.reports._columns import Column, count, day_rows, text, typed
from tiktok_assets.reports.report import Report, StagedDay


class Overview(StagedDay):
    """One row per account and day. Counts are null when unknown."""

    video_views: int = pa.Field(nullable=True, ge=0, description="views of the account's videos on the day")
    profile_views: int = pa.Field(nullable=True, description="visits of the profile")
    likes: int = pa.Field(nullable=True, description="likes given less likes taken back; may be negative")
    comments: int = pa.Field(nullable=True, description="comments written less comments removed; may be negative")
    shares: int = pa.Field(nullable=True, description="shares; may be negative")
    reach: int = pa.Field(nullable=True, description="reached audience (Business Suite)")
    new_followers: int = pa.Field(nullable=True, description="new followers (Business Suite)")
    lost_followers: int = pa.Field(nullable=True, description="lost followers (Business Suite)")
    net_followers: int = pa.Field(nullable=True, description="net growth of followers (Business Suite)")
    clicks: int = pa.Field(nullable=True, description="phone number clicks (Business Suite)")
    leads: int = pa.Field(nullable=True, description="leads submitted (Business Suite)")


def parse(rows: pl.DataFrame) -> pl.DataFrame:
    """Typed rows. Where a file has ``reach`` but no views, TikTok's older schema wrote views under that name."""
    views = text(rows, "video views")
    older = text(rows, "reach")
    reached = pl.coalesce(text(rows, "reached audience"), pl.when(views.is_not_null()).then(older))
    columns = {name: count(rows, *names) for name, names in NAMES.items()}
    columns["video_views"] = Column(pl.coalesce(views, older), columns["likes"].form, columns["likes"].dtype)
    columns["reach"] = Column(reached, columns["likes"].form, columns["likes"].dtype)
    return day_rows(typed(rows, columns))


NAMES = {
    "video_views": ("video views",),
    "profile_views": ("profile views", "page views"),
    "likes": ("likes",),
    "comments": ("comments",),
    "shares": ("shares",),
    "reach": ("reached audience",),
    "new_followers": ("new followers",),
    "lost_followers": ("lost followers",),
    "net_followers": ("net growth",),
    "clicks": ("phone number clicks",),
    "leads": ("leads submission",),
}

OVERVIEW = Report(
    name="overview",
    section="overview",
    headers={
        "studio": ("Date", "Video Views", "Profile Views", "Likes", "Comments", "Shares"),
        "studio_new_followers": ("Date", "Video Views", "Profile Views", "Likes", "Comments", "Shares", "New followers"),
        "business_suite": (
            *("Date", "Video views", "Reached audience", "Profile views", "Likes", "Shares", "Comments"),
            *("Phone number clicks ", "Leads submission", "Net growth", "New followers", "Lost followers"),
        ),
        "reach": ("Date", "reach", "Profile Views", "Likes", "Comments", "Shares"),
        "reach_page_views": ("Date", "reach", "page_views", "Likes", "Comments", "Shares"),
    },
    signature=(("date",), ("video views", "reach")),
    label="Date",
    grain=("date",),
    unit=("date",),
    description="Views, profile views, likes, comments and shares the account received on the day.",
    parse=parse,
    schema=Overview,
    parser_version="1",
)
