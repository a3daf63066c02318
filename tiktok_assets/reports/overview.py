"""Overview: what an account's videos and profile received on a day."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from tiktok_assets.reports._columns import count, day_rows, text, typed
from tiktok_assets.reports.report import Report, StagedDay


class Overview(StagedDay):
    """One row per account and day. Counts are null when unknown."""

    video_views: int = pa.Field(nullable=True, description="views of the videos on the day; may be negative")
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
    """Typed rows. If a file has ``reach`` but no views, TikTok's older schema wrote views under that name."""
    views = text(rows, "video views")
    older = text(rows, "reach")
    reached = pl.coalesce(text(rows, "reached audience"), pl.when(views.is_not_null()).then(older))
    columns = {
        "video_views": count(pl.coalesce(views, older)),
        "profile_views": count(text(rows, "profile views", "page views")),
        "likes": count(text(rows, "likes")),
        "comments": count(text(rows, "comments")),
        "shares": count(text(rows, "shares")),
        "reach": count(reached),
        "new_followers": count(text(rows, "new followers")),
        "lost_followers": count(text(rows, "lost followers")),
        "net_followers": count(text(rows, "net growth")),
        "clicks": count(text(rows, "phone number clicks")),
        "leads": count(text(rows, "leads submission")),
    }
    return day_rows(typed(rows, columns))


OVERVIEW = Report(
    name="overview",
    section="overview",
    headers={
        "studio": ("Date", "Video Views", "Profile Views", "Likes", "Comments", "Shares"),
        "studio_new_followers": (
            "Date",
            "Video Views",
            "Profile Views",
            "Likes",
            "Comments",
            "Shares",
            "New followers",
        ),
        "business_suite": (
            *("Date", "Video views", "Reached audience", "Profile views", "Likes", "Shares", "Comments"),
            *("Phone number clicks ", "Leads submission", "Net growth", "New followers", "Lost followers"),
        ),
        "business_suite_reach": (
            *("Date", "reach", "Reached audience", "Profile views", "Likes", "Shares", "Comments"),
            *("Phone number clicks ", "Leads submission", "Net growth", "New followers", "Lost followers"),
        ),
        "reach": ("Date", "reach", "Profile Views", "Likes", "Comments", "Shares"),
        "reach_page_views": ("Date", "reach", "page_views", "Likes", "Comments", "Shares"),
    },
    signature=(("date",), ("video views", "reach")),
    alternatives=(("video views", "reach"), ("reached audience", "reach"), ("profile views", "page views")),
    label="Date",
    grain=("date",),
    unit=("date",),
    description="Views, profile views, likes, comments and shares the account received on the day.",
    parse=parse,
    schema=Overview,
    parser_version="1",
)
