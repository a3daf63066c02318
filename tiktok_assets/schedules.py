"""Schedules: cadence and object. Whose turn it is is a pure function (``studio.turns``); the schedule only reads the
state."""

import datetime as dt
import logging
from collections.abc import Iterable, Iterator

import dagster as dg

from tiktok_assets.accounts import Account, Roster
from tiktok_assets.assets.dagster_failures import reports_failures
from tiktok_assets.batches import ACCOUNT_TAG
from tiktok_assets.partitions import range_tags
from tiktok_assets.queues import queue_tags, studio_queue
from tiktok_assets.reporting.urgency import by_urgency
from tiktok_assets.settings import Settings
from tiktok_assets.storage.dagster_internals import AssetJob
from tiktok_assets.storage.lake import Lake
from tiktok_assets.studio import turns
from tiktok_assets.studio.egress import is_here
from tiktok_assets.studio.session import Sessions, SessionState, SessionStatus

DAY_TAG = "tiktok/daily"


def build_daily_extraction(lake: Lake, roster: Roster, job: AssetJob) -> dg.ScheduleDefinition:
    """The schedule that exports the last weeks of each account once a day, through each egress one after another."""
    settings = lake.settings
    most = max(map(len, _by_egress(roster, roster).values()), default=0)
    moments = turns.moments(most, settings.account_spacing)
    crons = sorted({f"{moment.seconds // 60 % 60} {moment.seconds // 3600} * * *" for moment in moments})
    saved = _saved(settings, roster)
    for sentence in _crowded(settings, roster, saved):
        logging.getLogger(__name__).warning(sentence)

    @dg.schedule(
        name="daily_extraction",
        job=job,
        cron_schedule=crons,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING if saved else dg.DefaultScheduleStatus.STOPPED,
        description="Exports the last weeks of each account with a login once a day, the accounts of an egress one "
        "after another, first those that lose data first.",
    )
    @reports_failures
    def daily_extraction(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        logins = _with_login(settings, roster)
        if not logins:
            return dg.SkipReason("No account has a login yet: `tiktok-assets login <account>`.")
        for sentence in _crowded(settings, roster, logins):
            context.log.warning(sentence)
        now = context.scheduled_execution_time.astimezone(dt.UTC)
        day = turns.day_of(now)
        runs = context.instance.get_runs(dg.RunsFilter(tags={DAY_TAG: day.isoformat()}))
        done = {run.tags.get(ACCOUNT_TAG, "") for run in runs}
        done |= {account for account, one in logins.items() if one.saved_at and one.saved_at >= turns.begin_of(day)}
        if done.issuperset(logins):
            return dg.SkipReason("Every account with a login has had its turn.")
        # A login that is no longer valid takes no turn of others; its run only reports it.
        accounts = sorted(by_urgency(settings, logins, now.date()), key=lambda one: not _is_valid(logins[one]))
        requests = [
            _request(settings, roster[account], day, now)
            for of_egress in _by_egress(roster, accounts).values()
            for account in turns.due(of_egress, done, now, settings.account_spacing)
        ]
        return requests or dg.SkipReason("The turn of the next account has not come yet.")

    return daily_extraction


def _by_egress(roster: Roster, accounts: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for account in accounts:
        found.setdefault(roster[account].egress, []).append(account)
    return found


def _crowded(settings: Settings, roster: Roster, accounts: Iterable[str]) -> Iterator[str]:
    """The egresses that cannot visit each of ``accounts`` once a day, a sentence for each."""
    for egress, of_egress in _by_egress(roster, accounts).items():
        if sentence := turns.crowded(egress, len(of_egress), settings.account_spacing):
            yield sentence


def _saved(settings: Settings, roster: Roster) -> list[str]:
    """The accounts that have a login, also an expired one, and an egress of this machine.

    Asked by every process that loads the definitions, so it is one request for all and not one for each.
    """
    saved = Sessions.of(settings).accounts()
    return [account.key for account in roster.values() if account.key in saved and is_here(settings, account)]


def _with_login(settings: Settings, roster: Roster) -> dict[str, SessionState]:
    """The logins of the accounts that ``_saved`` names, as they are.

    ``saved_at`` is the time of the login or of the last successful visit.
    """
    states = [Sessions.of(settings).state(account) for account in _saved(settings, roster)]
    return {one.account: one for one in states if one.standing is not SessionStatus.MISSING}


def _is_valid(login: SessionState) -> bool:
    return login.standing is SessionStatus.VALID


def _request(settings: Settings, account: Account, day: dt.date, now: dt.datetime) -> dg.RunRequest:
    """A run over the months of the account's last days. It exports all of them again: numbers may have changed since,
    lifetime totals have, and labels are checked by days that two exports contain."""
    days, key = account.default_date_range, account.key
    first = now.date() - dt.timedelta(days=days - 1)
    return dg.RunRequest(
        run_key=f"{key}|{day}",
        tags={**range_tags([key], [first.replace(day=1), now.date().replace(day=1)]), ACCOUNT_TAG: key}
        | {DAY_TAG: day.isoformat(), **queue_tags(settings, studio_queue(account.egress))},
        run_config={"ops": {"landing": {"config": {"refresh": True, "days": days}}}},
    )


def build_weekly_digest(settings: Settings, job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """The schedule that sends the digest of the last week; on where ``TIKTOK_NOTIFY`` is set."""
    weekday, _, time = settings.digest_at.partition(" ")
    hour, _, minute = time.partition(":")
    return dg.ScheduleDefinition(
        name="weekly_digest",
        job=job,
        cron_schedule=f"{int(minute)} {int(hour)} * * {weekday[:3].upper()}",
        execution_timezone=settings.digest_timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING if settings.notify else dg.DefaultScheduleStatus.STOPPED,
        description="Sends the digest of the week that has ended to everybody named in TIKTOK_NOTIFY.",
    )
