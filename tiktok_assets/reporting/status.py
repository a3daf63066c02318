"""How complete are the exports of each account, what is waiting, and which export should be made next?

Belongs here: reading staging (a few columns of every month), landing, quarantine and logins for that.
Does not belong here: the rules (``curated.coverage``), printing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from tiktok_assets.accounts import Account, Roster
from tiktok_assets.curated.coverage.advice import Advice, command, manual_steps
from tiktok_assets.curated.coverage.content_coach import VideoLists, video_lists
from tiktok_assets.curated.coverage.coverage import (
    COUNTED,
    ReportCoverage,
    all_reported_days,
    columns_of,
    covered_until,
    nothing_covered,
)
from tiktok_assets.curated.coverage.export_coach import advise
from tiktok_assets.exports.problems import UnreadableFile
from tiktok_assets.exports.windows import last_day_with_data
from tiktok_assets.inbox.files import account_files, files_below
from tiktok_assets.inbox.identities import identity, know_identities
from tiktok_assets.inbox.ownership import home_of
from tiktok_assets.inbox.quarantine import in_quarantine, note_of, sentence
from tiktok_assets.inbox.receipts import processed, receipts
from tiktok_assets.inbox.streams import unprocessed_streams
from tiktok_assets.reports import REPORTS
from tiktok_assets.settings import Settings
from tiktok_assets.storage.lake import Lake, files_in, scan_partitions
from tiktok_assets.storage.look import names_in
from tiktok_assets.storage.objects import is_object
from tiktok_assets.storage.streams import staged_streams
from tiktok_assets.studio.session import Sessions, SessionState, SessionStatus

_SCHEMAS = {report.name: report.schema for report in REPORTS}


@dataclass(frozen=True, kw_only=True)
class AccountCoverage:
    """What the exports of an account cover, and what to export next."""

    account: str
    reports: Sequence[ReportCoverage]
    advice: Sequence[Advice]
    """Exports to make, most urgent first."""
    lost: Sequence[Advice]
    """Days that no export can fill any more."""


@dataclass(frozen=True, kw_only=True)
class AccountStatus:
    """Everything about an account that a person may have to act on."""

    handle: str
    coverage: AccountCoverage
    waiting: int
    """Exports in its landing folder that have not reached the warehouse."""
    session: SessionState
    doubts: Sequence[str] = ()
    """Exports whose year or account may be wrong, and what to do, in one sentence each."""


@dataclass(frozen=True, kw_only=True)
class StoreCoverage:
    """A store with streams: its first and last day, how many of the days between have a number, and recordings."""

    store: str
    first: dt.date
    last: dt.date
    days: int
    recordings: int


@dataclass(frozen=True, kw_only=True)
class Status:
    """An installation at one moment."""

    at: dt.datetime
    accounts: Sequence[AccountStatus]
    waiting: int
    """Files in landing outside all accounts' folders."""
    quarantine: Sequence[str]
    """The files in quarantine: where each was found, why it is there, and what to do."""

    streams: Sequence[StoreCoverage] = ()
    """The stores of staging/streams, by name."""
    streams_waiting: int = 0
    """Files in landing/streams that have not been processed."""

    @property
    def quarantined(self) -> int:
        return len(self.quarantine)

    @property
    def is_complete(self) -> bool:
        """Whether no export has to be made."""
        return not any(one.coverage.advice for one in self.accounts)


def status(lake: Lake, roster: Roster, accounts: Sequence[Account], now: dt.datetime) -> Status:
    """The status of ``accounts`` at ``now`` (aware). Raises OSError for a folder that cannot be read."""
    with lake.looking_at_everything():
        know_identities(lake)
        return _status(lake, roster, accounts, now)


def _status(lake: Lake, roster: Roster, accounts: Sequence[Account], now: dt.datetime) -> Status:
    sessions = Sessions.of(lake.settings, clock=lambda: now)
    found = coverages(lake, [account.key for account in accounts], now)
    return Status(
        at=now,
        accounts=[
            AccountStatus(
                handle=account.handle,
                coverage=coverage,
                waiting=_waiting(lake, account.key),
                session=sessions.state(account.key),
                doubts=doubtful_exports(lake, account.key),
            )
            for account, coverage in zip(accounts, found, strict=True)
        ],
        waiting=_unassigned(lake, roster),
        quarantine=[sentence(lake, note_of(path)) for path in in_quarantine(lake)],
        streams=_stores(lake),
        streams_waiting=len(unprocessed_streams(lake)),
    )


def _stores(lake: Lake) -> list[StoreCoverage]:
    by_store = staged_streams(lake).group_by("store")
    found = by_store.agg(
        first=pl.col("date").min(),
        last=pl.col("date").max(),
        days=pl.col("date").n_unique(),
        recordings=pl.col("track").n_unique(),
    )
    return [StoreCoverage(**row) for row in found.sort("store").collect().iter_rows(named=True)]


def by_urgency(found: Status) -> list[AccountStatus]:
    """The accounts, first the one whose most urgent export helps for the shortest time; others stay in their order."""

    def key(one: AccountStatus) -> tuple[bool, dt.date]:
        dates = [advice.before for advice in one.coverage.advice if advice.before]
        return not one.coverage.advice, min(dates, default=dt.date.max)

    return sorted(found.accounts, key=key)


def coverages(lake: Lake, accounts: Sequence[str], now: dt.datetime) -> list[AccountCoverage]:
    """The coverage of each of ``accounts``, from all its months in staging."""
    days = all_reported_days({report: _staged(lake, report, accounts, columns_of(report)) for report in COUNTED})
    covered = covered_until(days, last_day_with_data(now))
    lists = _video_lists(lake, accounts)
    found = []
    for account in accounts:
        reports = covered.get(account) or nothing_covered()
        advice = advise(account, reports, lists.get(account), now=now, max_days=lake.settings.max_export_days)
        found.append(
            AccountCoverage(
                account=account,
                reports=reports,
                advice=[one for one in advice if not one.is_permanent],
                lost=[one for one in advice if one.is_permanent],
            )
        )
    return found


def what_to_do(advice: Advice, session: SessionState, settings: Settings, now: dt.datetime) -> str:
    """The command if the account has a login, otherwise the steps in Studio."""
    if session.standing is SessionStatus.VALID:
        return command(advice)
    if session.standing is SessionStatus.EXPIRED:
        return f"tiktok-assets login {advice.account}, then {command(advice)}"
    return manual_steps(advice, now=now, max_days=settings.max_export_days, landing=str(settings.landing))


COLUMNS = ("report", "from", "to", "covered", "missing", "unsettled", "exported")


def row_of(one: ReportCoverage) -> tuple[str, ...]:
    """A report's coverage for people, in the order of ``COLUMNS``; a dash means no number."""
    return (
        one.report,
        f"{one.first or '—'}",
        f"{one.last or '—'}",
        f"{len(one.covered):,}",
        *("—" if days is None else f"{days:,}" for days in (one.days_missing, one.days_unsettled)),
        f"{one.last_export:%Y-%m-%d}" if one.last_export else "—",
    )


def unknown_to_studio(reports: Sequence[ReportCoverage]) -> str | None:
    """The days that no export has a number of although they were exported, as a sentence; None if there are none."""
    found = [f"{len(one.without_number):,} of {one.report}" for one in reports if one.without_number]
    return f"Missing days that Studio itself has no number of: {', '.join(found)}." if found else None


def _staged(lake: Lake, report: str, accounts: Sequence[str], needed: Sequence[str]) -> pl.LazyFrame:
    """The columns ``needed`` of a staging table, every month of ``accounts``."""
    folders = [lake.settings.staging / report / f"account={account}" for account in accounts]
    columns = _SCHEMAS[report].to_schema().columns
    return scan_partitions(folders, {name: columns[name].dtype.type for name in needed})


def _video_lists(lake: Lake, accounts: Sequence[str]) -> Mapping[str, VideoLists]:
    videos = _staged(lake, "content", accounts, ["account", "date", "video_id", "post_date", "published_at"])
    posted_on = pl.coalesce(pl.col("post_date"), pl.col("published_at").dt.date())
    return video_lists(videos.select("account", "date", "video_id", posted_on=posted_on))


def _waiting(lake: Lake, account: str) -> int:
    """The number of files that have not reached the warehouse, copies counted once; unreadable ones count too."""
    done, waiting = processed(lake, account), set()
    for path in account_files(lake, account):
        try:
            waiting.add(identity(path))
        except UnreadableFile:
            waiting.add(str(path))
    return len(waiting - done)


def doubtful_exports(lake: Lake, account: str) -> list[str]:
    """The exports whose year or account may be wrong: which file, why, and what to do, in one sentence each."""
    return [
        f"{one.source}: {doubt}"
        for one in sorted(receipts(lake, account), key=lambda one: one.source)
        for doubt in (*one.doubts, *one.contradictions)
    ]


def _unassigned(lake: Lake, roster: Roster) -> int:
    """Files directly in landing and in folders of unknown accounts; the folders of known accounts are not searched."""
    count = 0
    for path in files_in(lake.settings.landing):
        if path == lake.settings.landed_streams:
            continue
        if names_in(path) if is_object(path) else path.is_dir():
            count += sum(1 for _ in files_below(path)) if home_of(lake.settings, roster, path.name) is None else 0
        else:
            count += not path.name.startswith(".")
    return count
