"""How far is an account or a client with what was agreed for a month? A view of the warehouse, over constants.

Belongs here: what a target is, and the query. Does not belong here: where they are written (``label.targets``).
A view, because targets depend on no export: an edited file changes no stored row.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

SUMS = {
    "video_views": "video_views",
    "engagements": "engagements",
    "likes": "likes",
    "comments": "comments",
    "shares": "shares",
    "profile_views": "profile_views",
    "followers_gained": "net_followers",
}
"""By metric that is a sum of days: its column in social_media_stats. Viewers are none: they are never summed."""
STOCKS = {"followers": "followers"}
"""By metric of which the newest known day of the month counts."""
METRICS = (*SUMS, *STOCKS)
PROGRESS = "target_progress"
"""The view."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """What an account, or all accounts of a client together, should reach in a month."""

    scope: str
    """``account`` or ``client``."""
    name: str
    """The account's key, or the client."""
    accounts: tuple[str, ...]
    """Whose numbers count."""
    metric: str
    """One of ``METRICS``."""
    month: dt.date
    """Its first day."""
    target: int


COLUMNS = {
    "scope": "account or client",
    "name": "the account's key, or the client of accounts.toml",
    "metric": f"one of {', '.join(METRICS)}",
    "month": "first day of the month",
    "target": "what should be reached in the month, of all accounts of a client together",
    "accounts": "accounts whose numbers count",
    "accounts_known": "those with a known day of the month",
    "days": "days of the month, times the accounts",
    "days_known": "of these, days with the number",
    "value": "sum of the known days; of followers, those of each account's newest known day in the month",
    "value_settled": "the part of final days; null of followers",
    "value_provisional": "the part of days that TikTok may still change; null of followers",
    "progress": "value / target",
    "pace": "progress / (days_known / days): 1 is on the way to the target exactly, if the days not known yet are like "
    "the known ones; null of followers, where an account has no known day, and of a month that has ended",
}

_TYPES = "scope varchar, name varchar, account varchar, metric varchar, month date, target bigint"
_QUERY = """
with given({names}) as (
    values {rows}
), targets as (
    select {casts}, metric in ({stock_names}) as is_stock from given where account is not null
), days as (
    unpivot (
        select account, date, is_settled, {sums}, {stocks} from social_media_stats
    ) on {columns} into name metric value number
), of_accounts as (
    select
        t.*,
        day(last_day(t.month)) as days,
        count(number) as days_known,
        case when t.is_stock then arg_max(number, date) else sum(number)::bigint end as number,
        case when not t.is_stock then (sum(number) filter (is_settled))::bigint end as settled
    from targets as t
    left join days on days.account = t.account and days.metric = t.metric
        and days.date between t.month and last_day(t.month)
    group by t.scope, t.name, t.account, t.metric, t.month, t.target, t.is_stock
), summed as (
    select
        scope, name, metric, month, target, is_stock,
        count(*) as accounts,
        count(number) as accounts_known,
        sum(days)::bigint as days,
        sum(days_known)::bigint as days_known,
        sum(number)::bigint as value,
        case when not is_stock and count(number) > 0 then coalesce(sum(settled), 0)::bigint end as value_settled
    from of_accounts
    group by scope, name, metric, month, target, is_stock
)
select
    * exclude (is_stock),
    value - value_settled as value_provisional,
    value / target as progress,
    case when not is_stock and accounts_known = accounts
        and last_day(month) >= (select max(date) from social_media_stats)
        then value / target / (days_known / days) end as pace
from summed
order by month, scope, name, metric
"""


def progress_query(targets: Iterable[Target]) -> str:
    """The query of the view ``target_progress``: one row per target, with the columns of ``COLUMNS``."""
    rows = [
        (one.scope, one.name, account, one.metric, one.month.isoformat(), str(one.target))
        for one in targets
        for account in one.accounts
    ]
    nothing = (None,) * 6
    columns = [column.split() for column in _TYPES.split(", ")]
    return _QUERY.format(
        names=", ".join(name for name, _ in columns),
        casts=", ".join(f"{name}::{kind} as {name}" for name, kind in columns),
        rows=", ".join(f"({', '.join(map(_literal, row))})" for row in rows or [nothing]),
        sums=", ".join(f"{column}::bigint as {name}" for name, column in SUMS.items()),
        stocks=", ".join(f"{column}::bigint as {name}" for name, column in STOCKS.items()),
        columns=", ".join(METRICS),
        stock_names=", ".join(_literal(name) for name in STOCKS),
    )


def _literal(text: str | None) -> str:
    return "null" if text is None else "'" + text.replace("'", "''") + "'"
