"""How far the numbers that people can query lie behind the newest day Studio can have numbers of, by account.

Belongs here: reading the newest days of the published warehouse, and from when on they are late. Does not belong here:
the check (``checks.freshness``) and the alert (``notices``). Dagster's freshness policies see when an asset was last
materialized, for whichever account; here the days of data count, for each account.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from tiktok_assets.exports.windows import last_day_with_data
from tiktok_assets.reporting import words
from tiktok_assets.settings import Settings
from tiktok_assets.storage.published import published_rows

LATE_AFTER = 7
"""Days behind the newest day Studio can have numbers of, from which on an account's numbers are late: a weekly export
is never later."""
# The newest day with known views; of an account whose views are never known, with known followers.
_NEWEST_DAYS = """
select account, coalesce(max(date) filter (video_views is not null), max(date) filter (followers is not null)) as last
from social_media_stats group by account
"""


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """The numbers of an account end on ``last``, ``days_behind`` the newest day Studio can have numbers of."""

    account: str
    last: dt.date
    days_behind: int

    @property
    def is_late(self) -> bool:
        return self.days_behind > LATE_AFTER

    def __str__(self) -> str:
        behind = words.counted(self.days_behind, "day")
        return f"{self.account}: the numbers end on {words.short_day(self.last)}, {behind} behind what Studio can have."


def freshness(settings: Settings, accounts: Iterable[str], now: dt.datetime) -> list[Freshness]:
    """The freshness of ``accounts`` at ``now`` (aware), latest first; accounts without numbers are left out."""
    rows = published_rows(settings, _NEWEST_DAYS)
    found, newest = dict(rows.iter_rows()) if rows is not None else {}, last_day_with_data(now)
    judged = [
        Freshness(account=account, last=last, days_behind=max(0, (newest - last).days))
        for account in accounts
        if (last := found.get(account)) is not None
    ]
    return sorted(judged, key=lambda one: (-one.days_behind, one.account))
