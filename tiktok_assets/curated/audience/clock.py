"""In which timezone are an account's exports made, and is it the one in accounts.toml?

Hours of posting follow accounts.toml, hours of active followers Studio's timezone. Where these differ, they must not be
compared. FollowerActivity contains local hours up to 00:00 UTC and fills the last day with zeros (null in
``Audience``): the hour at which these begin is the offset.

Belongs here: that comparison. Does not belong here: which day a label means (``exports.labels``: it judges raw files).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from zoneinfo import ZoneInfo

import polars as pl

_DATE_LINE = (12, 14)
"""First hours that may mean either side of the date line: 13 is UTC+13 in Auckland, or UTC-11 in Pago Pago."""
_DAYS_OF_A_HABIT = 2
"""Days before the last one whose followers at these hours show that the hours are not just quiet."""


def utc_offsets(audience: pl.DataFrame) -> pl.DataFrame:
    """One row per account with a known offset: ``account``, ``date``, ``export_id``, ``utc_offset``.

    ``audience``: rows of ``Audience``. ``date`` is the newest day that ends in unknown hours, ``utc_offset`` (hours)
    the least whole one at or above the account's own on that day: 6 is UTC+5:30.
    """
    hours = audience.filter(dimension="active_time").select("account", "date", "export_id", "hour", "count")
    is_newest = pl.col("date") == pl.col("date").max().over("account")
    ends = (
        hours.filter(is_newest)
        .group_by("account", "date", "export_id")
        .agg(begins=(pl.col("hour").filter(pl.col("count").is_not_null()).max() + 1).fill_null(0), hours=pl.len())
        .filter(pl.col("hours") == 24, pl.col("begins").is_between(1, 23), ~pl.col("begins").is_between(*_DATE_LINE))
    )
    habits = (
        hours.filter(~is_newest)
        .join(ends.select("account", "begins"), on="account")
        .filter(pl.col("hour") >= pl.col("begins"), pl.col("count").is_not_null())  # older exports end in unknowns, too
        .group_by("account")
        .agg(days=pl.col("date").n_unique(), least=pl.col("count").min())
        .filter(pl.col("days") >= _DAYS_OF_A_HABIT, pl.col("least") > 0)
    )
    offset = pl.when(pl.col("begins") < _DATE_LINE[0]).then("begins").otherwise(pl.col("begins") - 24)
    return (
        ends.join(habits, on="account", how="semi")
        .select("account", "date", "export_id", utc_offset=offset.cast(pl.Int64))
        .sort("account")
    )


def disagreements(audience: pl.DataFrame, timezones: Mapping[str, str | None]) -> list[tuple[str, dt.date, str]]:
    """Account, day and a sentence, for each account whose exports disprove its timezone. ``timezones``: by account."""
    found = []
    for account, day, offset in utc_offsets(audience).select("account", "date", "utc_offset").rows():
        zone = timezones.get(account)
        if zone is None or offset - 1 < (expected := _offset_of(zone, day)) <= offset:
            continue
        sentence = (
            f"accounts.toml says {zone}, {_named(expected)} on {day:%-d %B %Y}, but the exports count the hours of "
            f"that day at {_named(offset)}. Hours of posting use the first timezone, hours of active followers the "
            f"second. Correct the timezone of {account}, then run `tiktok-assets rebuild`."
        )
        found.append((account, day, sentence))
    return found


def named_offset(audience: pl.DataFrame) -> str | None:
    """The offset of the one account in ``audience`` as ``UTC+2``; None where it is not known."""
    offsets = utc_offsets(audience)["utc_offset"]
    return _named(offsets[0]) if len(offsets) else None


def _offset_of(zone: str, day: dt.date) -> float:
    offset = dt.datetime.combine(day, dt.time(12), ZoneInfo(zone)).utcoffset() or dt.timedelta()
    return offset / dt.timedelta(hours=1)


def _named(hours: float) -> str:
    whole, minutes = divmod(round(abs(hours) * 60), 60)
    return f"UTC{'-' if hours < 0 else '+'}{whole}{f':{minutes:02}' if minutes else ''}"
