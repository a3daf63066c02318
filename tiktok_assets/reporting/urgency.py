"""Which account loses data first if nobody visits it?

Belongs here: reading the newest days that are in the published warehouse. Does not belong here: which export to make
(``curated.coverage``), and when its account gets a visit (``studio.turns``).

Studio shows the active hours of followers for a week, all other days for a year; so it is almost always the active
hours that are lost first.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import polars as pl

from tiktok_assets.curated.coverage.coverage import WEEK, YEAR
from tiktok_assets.exports.windows import DAY
from tiktok_assets.settings import Settings
from tiktok_assets.storage.published import published_rows

# The newest day of which every hour is known: an export ends in the middle of one.
_NEWEST_HOURS = """
select account, max(captured_on) as last from (
    select account, captured_on from audience_insights where dimension = 'active_time'
    group by account, captured_on having bool_and("count" is not null)
) group by account
"""
_NEWEST_DAYS = """
select account, least(
    max(date) filter (video_views is not null),
    max(date) filter (unique_viewers is not null),
    max(date) filter (followers is not null)
) as last from social_media_stats group by account
"""
_REACH = {_NEWEST_HOURS: WEEK, _NEWEST_DAYS: YEAR}


def last_dates(settings: Settings, accounts: Iterable[str], today: dt.date) -> dict[str, dt.date]:
    """By account, the last date on which an export still contains everything since the last one; later, a day is lost.

    It is ``today`` for an account that has no export of one of the reports yet, or has lost a day already: it loses
    another one with every day.
    """
    accounts = list(accounts)
    found = dict.fromkeys(accounts, dt.date.max)
    for query, reach in _REACH.items():
        rows = published_rows(settings, query)
        newest = dict(rows.filter(pl.col("last").is_not_null()).iter_rows()) if rows is not None else {}
        for account in accounts:
            last = newest[account] + DAY * (1 + reach) if account in newest else today
            found[account] = max(today, min(found[account], last))
    return found


def by_urgency(settings: Settings, accounts: Iterable[str], today: dt.date) -> list[str]:
    """``accounts``, first those that lose data first; those that lose it on the same date stay in their order."""
    accounts = list(accounts)
    if len(accounts) < 2:  # no need to read anything
        return accounts
    until = last_dates(settings, accounts, today)
    return sorted(accounts, key=lambda account: until[account])
