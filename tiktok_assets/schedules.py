"""Schedules: cadence and object. Which accounts are due is a pure function; the schedule only reads the state."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping

import dagster as dg

from tiktok_assets.accounts import Roster
from tiktok_assets.assets.dagster_failures import reports_failures
from tiktok_assets.batches import ACCOUNT_TAG
from tiktok_assets.partitions import range_tags
from tiktok_assets.settings import Settings
from tiktok_assets.storage.dagster_internals import AssetJob
from tiktok_assets.storage.lake import Lake
from tiktok_assets.studio.session import Sessions, SessionStatus

DAY_TAG = "tiktok/daily"
# The numbers of a day are available at 17:00 UTC of the next one.
_BEGIN = dt.timedelta(hours=17, minutes=10)
_DAY = dt.timedelta(days=1)


def moments(accounts: Iterable[str], spacing: dt.timedelta) -> dict[str, dt.timedelta]:
    """The time of each account's turn after midnight UTC: one after another, ``spacing`` apart, in whole minutes."""
    step = dt.timedelta(minutes=-(-spacing // dt.timedelta(minutes=1)))
    return {account: (_BEGIN + number * step) % _DAY for number, account in enumerate(accounts)}


def due(
    turns: Mapping[str, dt.timedelta],
    now: dt.datetime,
    done: Collection[tuple[str, str]],
    visited: Mapping[str, dt.datetime],
) -> list[tuple[str, dt.date]]:
    """The accounts whose turn has come without a run requested for it: account, and the day of the turn.

    A turn that was missed, because the computer slept, runs at the next tick; several missed turns run once.
    A turn before the account's last visit or login (``visited``) is skipped.
    """
    found = []
    for account, moment in turns.items():
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        turn = midnight + moment if midnight + moment <= now else midnight + moment - _DAY
        if (account, turn.date().isoformat()) not in done and not turn <= visited.get(account, turn - _DAY):
            found.append((account, turn.date()))
    return found


def build_daily_extraction(lake: Lake, roster: Roster, job: AssetJob) -> dg.ScheduleDefinition:
    """The schedule that exports the last weeks of each account once a day."""
    settings = lake.settings
    turns = moments(roster, dt.timedelta(seconds=settings.account_spacing))
    crons = sorted({f"{moment.seconds // 60 % 60} {moment.seconds // 3600} * * *" for moment in turns.values()})
    is_on = bool(_with_login(settings, roster))

    @dg.schedule(
        name="daily_extraction",
        job=job,
        cron_schedule=crons,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING if is_on else dg.DefaultScheduleStatus.STOPPED,
        description="Exports the last weeks of each account with a login once a day, the accounts one after another.",
    )
    @reports_failures
    def daily_extraction(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        accounts = _with_login(settings, roster)
        if not accounts:
            return dg.SkipReason("No account has a login yet: `tiktok-assets login <account>`.")
        now = context.scheduled_execution_time.astimezone(dt.UTC)
        days = [now.date().isoformat(), (now.date() - _DAY).isoformat()]
        runs = context.instance.get_runs(dg.RunsFilter(tags={DAY_TAG: days}))
        done = {(run.tags.get(ACCOUNT_TAG, ""), run.tags[DAY_TAG]) for run in runs}
        requests = [
            _request(roster, account, day, now)
            for account, day in due({account: turns[account] for account in accounts}, now, done, accounts)
        ]
        return requests or dg.SkipReason("Every account with a login has had its turn.")

    return daily_extraction


def _with_login(settings: Settings, roster: Roster) -> dict[str, dt.datetime]:
    """The accounts with a login, and the time of that login or of the last successful visit.

    Includes those whose login has expired, so that their runs report it.
    """
    states = [Sessions.of(settings).state(account) for account in roster]
    never = dt.datetime.min.replace(tzinfo=dt.UTC)
    return {one.account: one.saved_at or never for one in states if one.standing is not SessionStatus.MISSING}


def _request(roster: Roster, account: str, day: dt.date, now: dt.datetime) -> dg.RunRequest:
    """A run over the months of the account's last days. It exports all of them again: numbers may have changed since,
    lifetime totals have, and labels are checked by days that two exports contain."""
    days = roster[account].default_date_range
    first = now.date() - dt.timedelta(days=days - 1)
    return dg.RunRequest(
        run_key=f"{account}|{day}",
        tags={**range_tags([account], [first.replace(day=1), now.date().replace(day=1)]), ACCOUNT_TAG: account}
        | {DAY_TAG: day.isoformat()},
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
