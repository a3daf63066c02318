"""Reads what alerts are about: the published warehouse, staging's coverage, logins, quarantine.

Belongs here: reading. Does not belong here: what an alert says (``alerts``). A table that cannot be read raises; only
one that does not exist yet is empty.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import polars as pl

from tiktok_assets.accounts import Roster
from tiktok_assets.inbox.quarantine import in_quarantine, note_of, sentence
from tiktok_assets.notices import alerts
from tiktok_assets.notices.alerts import Alert, FailedRun
from tiktok_assets.reporting.freshness import freshness
from tiktok_assets.reporting.status import AccountCoverage, coverages, what_to_do
from tiktok_assets.settings import Settings
from tiktok_assets.storage.lake import Lake, changed_at
from tiktok_assets.storage.published import published_rows
from tiktok_assets.studio.session import Sessions, SessionState

_VIRAL = "select * from viral_content where detected_on > '{since}' order by detected_on, account, rank"
_DROPS = "select * from anomalies where anomaly = 'follower_drop' and date > '{since}' order by date, account"


def current_alerts(lake: Lake, roster: Roster, runs: Sequence[FailedRun], now: dt.datetime) -> list[Alert]:
    """Every alert that holds at ``now`` (aware), whoever was sent it; the most urgent first."""
    sessions = Sessions.of(lake.settings, clock=lambda: now)
    states = {account: sessions.state(account) for account in roster}
    found = [
        *(alerts.run_failed(run) for run in runs),
        *(alerts.login(state) for state in states.values()),
        *_of_exports(lake, coverages(lake, list(roster), now), states, now),
        *(alerts.quarantined(note, sentence(lake, note)) for note in map(note_of, in_quarantine(lake))),
        *map(alerts.follower_drop, _news(lake.settings, roster, _DROPS, now)),
        *map(alerts.viral, _news(lake.settings, roster, _VIRAL, now)),
    ]
    return [alert for alert in found if alert is not None]


def fingerprint(lake: Lake, now: dt.datetime) -> str:
    """Changes whenever ``current_alerts`` may: with the warehouse, a login, quarantine, and once a day."""
    settings = lake.settings
    changed = [f"{path.stat().st_mtime_ns}" for path in [settings.warehouse] if path.exists()]
    changed += [f"{name} {version}" for name, version in Sessions.of(settings).versions().items()]
    names = [f"{path.name} {changed_at(path)}" for path in in_quarantine(lake)]
    return "\n".join([f"{now:%Y-%m-%d}", *changed, *names])


def _of_exports(
    lake: Lake, found: Sequence[AccountCoverage], sessions: dict[str, SessionState], now: dt.datetime
) -> Iterator[Alert | None]:
    """Of exports that should be made: their data is about to be lost, or the numbers are late."""
    settings, today = lake.settings, now.astimezone(dt.UTC).date()
    todo = {one.account: what_to_do(one.advice[0], sessions[one.account], settings, now) for one in found if one.advice}
    for one in found:
        yield alerts.about_to_be_lost(one.account, one.advice, todo.get(one.account, ""), today)
    for late in freshness(settings, sessions, now):
        yield alerts.not_fresh(late, todo.get(late.account, f"tiktok-assets status {late.account}"))


def _news(settings: Settings, roster: Roster, query: str, now: dt.datetime) -> Iterator[dict[str, object]]:
    """The rows of accounts in use since ``NEWS`` ago."""
    rows = published_rows(settings, query.format(since=(now - alerts.NEWS).date()))
    if rows is not None:
        yield from rows.filter(pl.col("account").is_in(list(roster))).iter_rows(named=True)
