"""How wide the bounds are, and how far the estimate is from the truth, on simulated accounts: the figures of
docs/metrics.md."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from tiktok_assets.curated.videos.video_daily import video_daily
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.traits import Traits
from tiktok_assets_tests.curated.frames import true_days
from tiktok_assets_tests.curated.videos.given_totals import UTC, dated, listed

ACCOUNTS = 4
FIRST, LAST = dt.date(2025, 1, 1), dt.date(2025, 3, 31)
LISTED = 15
PAGE = (Path(__file__).parents[3] / "docs/metrics.md").read_text()


def truth(account: SimulatedAccount) -> pl.DataFrame:
    days = pl.date_range(FIRST, LAST, eager=True).to_list()
    totals = pl.concat(account.videos_on(day).select("video_id", "total_views", day=pl.lit(day)) for day in days)
    return totals.sort("day").select(
        "video_id", "day", truth=pl.col("total_views") - pl.col("total_views").shift(1, fill_value=0).over("video_id")
    )


def exported_every(days: int, account: SimulatedAccount) -> pl.DataFrame:
    """The days that Content exports at 18:00 UTC give, of the newest 15 videos each."""
    moments = [
        dt.datetime.combine(FIRST + dt.timedelta(number), dt.time(18, tzinfo=UTC)) for number in range(0, 90, days)
    ]
    rows = [
        {
            "date": moment.date(),
            "video_id": str(video.video_id),
            "published_at": video.uploaded_at,
            "post_date": video.post_date,
            "total_views": account.totals_at(video, moment).views,
            "export_id": moment.isoformat(),
        }
        for moment in moments
        for video in [one for one in account.posted if one.posted_at <= moment][-LISTED:]
    ]
    final = true_days(account).with_columns(account=pl.lit("a"), is_settled=pl.lit(True))
    return video_daily(listed(*rows), final, dated({moment.isoformat(): moment for moment in moments}))


def figures(days: int) -> tuple[int, int]:
    """In per cent: median width of a day's bounds to its views, and the sum of all errors to that of views."""
    judged = []
    for seed in range(ACCOUNTS):
        account = SimulatedAccount.generate("pier", seed, FIRST, LAST, traits=Traits(posts_per_week=7))
        judged.append(exported_every(days, account).join(truth(account), on=["video_id", "day"]))
    rows = pl.concat(judged)
    assert rows.filter(~pl.col("truth").is_between("views_low", "views_high")).is_empty()
    width = (pl.col("bound_width") / pl.col("truth")).filter(pl.col("truth") > 0).median()
    error = (pl.col("views") - pl.col("truth")).abs().sum() / pl.col("truth").sum()
    return rows.select((100 * width).round().cast(pl.Int64), (100 * error).round().cast(pl.Int64).alias("error")).row(0)


@pytest.mark.parametrize(("days", "name"), [(1, "every day"), (7, "every week")])
def test_the_figures_of_the_page_are_those_of_simulated_accounts(days: int, name: str) -> None:
    width, error = figures(days)
    assert f"| {name} | {width}% | {error}% |" in PAGE, (name, width, error)
