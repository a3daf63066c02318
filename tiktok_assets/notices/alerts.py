"""From the state of an installation to the alerts about it: what happened, what to do, and where to look.

Belongs here: the alerts as pure functions, and the key by which each is sent once. Does not belong here: reading the
state (``state``), who was sent which (``ledger``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tiktok_assets.curated.coverage.advice import Advice
from tiktok_assets.inbox.quarantine import Rejected
from tiktok_assets.reporting import ADDRESS, words
from tiktok_assets.reporting.freshness import Freshness
from tiktok_assets.studio.session import SessionState, SessionStatus

SOON = dt.timedelta(days=2)
"""Data is about to be lost from this long before the last date on which it can be exported."""
NEWS = dt.timedelta(days=14)
"""A viral video or a fall in followers is news for so long: an old export that lands today causes no alert."""

# A word of digits, as bytes, seconds or the id of a process: it differs between failures of one cause.
_NUMBER = re.compile(r"(?<!\S)[\d.,:]+(?!\S)")


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One thing that somebody should know now. All texts may contain what strangers wrote."""

    key: str
    """What it is about. An alert is sent once for its key."""
    title: str
    sentence: str
    """What happened, to which account, run or file."""
    remedy: str
    link: str
    """A path of the web server, or a web address."""
    is_standing: bool = False
    """Whether it is about a state that lasts. Once the state has ended it may begin anew, and be sent again."""


@dataclass(frozen=True, kw_only=True)
class FailedRun:
    """A run of Dagster that failed."""

    run_id: str
    job: str
    accounts: Sequence[str]
    why: str
    on: dt.date
    """The day it failed, in UTC."""


def run_failed(run: FailedRun) -> Alert:
    """One alert a day for runs that failed for the same reason: schedules try again every few minutes."""
    why = _NUMBER.sub("", run.why.replace(run.run_id, ""))
    about_it = hashlib.sha256("\n".join([run.job, *sorted(run.accounts), why]).encode(errors="replace")).hexdigest()
    about = f" for {', '.join(run.accounts[:3])}" if run.accounts else ""
    more = f" and {len(run.accounts) - 3} more" if len(run.accounts) > 3 else ""
    return Alert(
        key=f"run/{run.on}/{about_it[:16]}",
        title=f"A run of {run.job} failed",
        sentence=f"The run {run.run_id[:8]} of {run.job}{about}{more} failed: {run.why}",
        remedy="Open the run, correct what it reports, and re-execute it.",
        link=f"/runs/{run.run_id}",
    )


def quarantined(rejected: Rejected, sentence: str) -> Alert:
    """``sentence``: where the file was found, why it is in quarantine, and what to do."""
    return Alert(
        key=f"quarantine/{rejected.moved_to}/{rejected.quarantined_at}",
        title="A file was quarantined",
        sentence=sentence,
        remedy="Correct the file and put it into landing again; then delete the one in quarantine and its note.",
        link=ADDRESS,
        is_standing=True,
    )


def login(session: SessionState) -> Alert | None:
    """Of a saved login that needs a person: it ends within the week, has ended, or cannot be read."""
    account = session.account
    if not session.advice or session.standing is SessionStatus.MISSING:
        return None
    if session.standing is SessionStatus.UNREADABLE:
        title, sentence = f"The login of {account} cannot be read", session.advice
    elif session.standing is SessionStatus.EXPIRED:
        title = f"The login of {account} has ended"
        sentence = f"The saved login of {account} ended on {_day(session.expires_at)}: no export can be requested."
    else:
        title = f"The login of {account} is about to end"
        sentence = f"The saved login of {account} ends on {_day(session.expires_at)}."
    return Alert(
        key=f"login/{account}/{session.standing}/{session.expires_at or ''}",
        title=title,
        sentence=sentence,
        remedy=f"tiktok-assets login {account}",
        link=ADDRESS,
        is_standing=True,
    )


def about_to_be_lost(account: str, advice: Sequence[Advice], what_to_do: str, today: dt.date) -> Alert | None:
    """Of the account's exports to make, most urgent first, if the first one will soon be too late."""
    if not advice or advice[0].before is None or advice[0].before - today > SOON:
        return None
    # By the week: where the oldest day is lost every day, the first one moves on every day.
    year, week, _ = advice[0].first.isocalendar()
    return Alert(
        key=f"lost soon/{account}/{','.join(advice[0].sections)}/{year}-W{week:02}",
        title=f"Data of {account} is about to be lost",
        sentence=f"{account}: {advice[0].reason} Exporting it helps until {words.day(advice[0].before)}.",
        remedy=what_to_do,
        link=ADDRESS,
        is_standing=True,
    )


def not_fresh(found: Freshness, what_to_do: str) -> Alert | None:
    if not found.is_late:
        return None
    return Alert(
        key=f"not fresh/{found.account}",
        title=f"The numbers of {found.account} are late",
        sentence=f"{found}",
        remedy=what_to_do,
        link=ADDRESS,
        is_standing=True,
    )


def viral(row: Mapping[str, Any]) -> Alert:
    """``row``: of ``viral_content``."""
    title = row["title"] or "(no caption)"
    return Alert(
        key=f"viral/{row['account']}/{row['video_id']}",
        title=f"A video of {row['account']} is viral",
        sentence=f"{row['account']}: “{title}” had {words.count(row['total_views'])} views on "
        f"{words.day(row['detected_on'])}: {words.why_viral(row)}.",
        remedy="Nothing has to be done. The next export shows whether it goes on.",
        link=words.address(row["link"]) or _page(row["account"]),
    )


def follower_drop(row: Mapping[str, Any]) -> Alert:
    """``row``: of ``anomalies``."""
    return Alert(
        key=f"follower drop/{row['account']}/{row['date']}",
        title=f"The followers of {row['account']} fell",
        sentence=f"{row['account']}, {words.day(row['date'])}: {row['sentence']}",
        remedy="Look at that day in Studio: if it shows another number, export the day again.",
        link=_page(row["account"]),
    )


def _page(account: str) -> str:
    return f"{ADDRESS}{quote(account)}.html"


def _day(moment: dt.datetime | None) -> str:
    return words.day(moment.date()) if moment else words.UNKNOWN
