"""The numbers of a month of an account, from its tables. Pure; None is unknown, never 0."""

from __future__ import annotations

import datetime as dt

import polars as pl

from tiktok_assets.exports.months import month_of
from tiktok_assets.reporting import facts
from tiktok_assets.reporting.account_tables import AccountTables
from tiktok_assets.reporting.statements.statement import Day, Figure, MonthNumbers, Post

TOP = 5


def last_of(month: dt.date) -> dt.date:
    """The last day of the month that begins on ``month``."""
    return (month + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)


def month_numbers(tables: AccountTables, month: dt.date) -> MonthNumbers:
    """The numbers of ``month`` (its first day) as the tables hold them, against as many days before."""
    last = last_of(month)
    length = (last - month).days + 1
    of_month = tables.days.filter(month_of(pl.col("date")) == month).sort("date")
    figures = [
        Figure.model_validate(one, from_attributes=True)
        for one in facts.headlines(tables.days, last, length, is_fixed=True)
    ]
    days = [Day.model_validate(row) for row in of_month.select(*Day.model_fields).to_dicts()]
    sources = pl.concat([of_month[name] for name in ("export_id", "viewers_export_id", "followers_export_id")])
    return MonthNumbers(
        figures=figures,
        days=days,
        posts=_posts(tables.videos, month),
        exports=sorted(sources.drop_nulls().unique().to_list()),
    )


def _posts(videos: pl.DataFrame, month: dt.date) -> list[Post]:
    """The videos published in the month with most views at their newest snapshot."""
    published = pl.coalesce(pl.col("post_date"), pl.col("published_at").dt.date())
    newest = facts.newest_snapshots(videos).filter(month_of(published) == month).head(TOP)
    return [
        Post(
            views=row["total_views"], counted=row["date"], **{name: row[name] for name in ("video_id", "title", "link")}
        )
        for row in newest.to_dicts()
    ]
