"""The commands that use TikTok Studio: logging in and requesting exports. Exit codes as in ``app``."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from tiktok_assets.cli.accounts import accounts_named
from tiktok_assets.cli.days import day_of
from tiktok_assets.cli.output import AsJson, bar, err, out, print_json

if TYPE_CHECKING:
    from tiktok_assets.accounts import Account
    from tiktok_assets.failures import LimitReached
    from tiktok_assets.settings import Settings
    from tiktok_assets.studio.extraction import ExtractionOutcome, ExtractionRequest, Extractor
    from tiktok_assets.studio.interface import LandedFile, LandedInsights

app = typer.Typer(rich_markup_mode=None)


Headless = Annotated[
    bool | None,
    typer.Option("--headless/--no-headless", help="Run the browser without a window. [default: TIKTOK_HEADLESS]"),
]
ScreenshotOnError = Annotated[
    bool | None,
    typer.Option(
        "--screenshot-on-error/--no-screenshot-on-error",
        help="Save a screenshot of a visit that failed. [default: TIKTOK_SCREENSHOT_ON_ERROR]",
    ),
]


class Section(StrEnum):
    """The sections that ``extract --section`` accepts."""

    OVERVIEW = "overview"
    VIEWERS = "viewers"
    FOLLOWERS = "followers"
    CONTENT = "content"
    INSIGHTS = "insights"


@app.command(epilog="Example: tiktok-assets login pig1987")
def login(
    account: Annotated[str, typer.Argument(help="The account's name in accounts.toml, or its handle.")],
) -> None:
    """Open a browser in which the account's owner logs in to TikTok; the session is kept, the password is not.

    Enter the password, code, QR or captcha in the window, which closes by itself once Studio is open.
    """
    from tiktok_assets.accounts import load_roster
    from tiktok_assets.failures import Failure
    from tiktok_assets.settings import load_settings
    from tiktok_assets.studio.browser import require_display
    from tiktok_assets.studio.login import log_in

    settings = load_settings()
    chosen = accounts_named(load_roster(settings), [account])[0]
    try:
        require_display(settings)
        out.print(f"Log in as @{chosen.handle} in the window that opens.", highlight=False)
        session = log_in(settings, chosen)
    except Failure as failure:
        err.print(failure.description, style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from failure
    ends = f"until {session.expires_at:%Y-%m-%d %H:%M} UTC" if session.expires_at else "as long as TikTok keeps it"
    out.print(f"{chosen.key}: @{chosen.handle} is logged in, {ends}.", highlight=False)
    out.print(
        f"Request exports now: tiktok-assets extract {chosen.key}\n"
        "Or automatically every day: (re)start `make dev`, which turns the schedule daily_extraction on.",
        highlight=False,
    )


sessions_app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


@sessions_app.callback(epilog="Example: tiktok-assets sessions --json")
def sessions(context: typer.Context, as_json: AsJson = False) -> None:
    """List each account's saved login and how long it stays valid, first those that need a person: exit code 1."""
    if context.invoked_subcommand is not None:
        return
    from tiktok_assets.accounts import load_roster
    from tiktok_assets.settings import load_settings
    from tiktok_assets.studio.session import Sessions, SessionStatus

    settings = load_settings()
    states = [Sessions.of(settings).state(account) for account in load_roster(settings)]
    states.sort(key=lambda one: (one.standing is SessionStatus.VALID, one.days_left or 0))
    if as_json:
        print_json([dataclasses.asdict(state) for state in states])
    else:
        table = Table("account", "login", "saved (UTC)", "encrypted", "to do", box=None, pad_edge=False)
        for state in states:
            saved = f"{state.saved_at:%Y-%m-%d %H:%M}" if state.saved_at else ""
            encrypted = "" if state.standing is SessionStatus.MISSING else "yes" if state.is_encrypted else "no"
            table.add_row(state.account, state.summary, saved, encrypted, state.advice)
        out.print(table)
    raise typer.Exit(0 if all(state.standing is SessionStatus.VALID for state in states) else 1)


@sessions_app.command(epilog="Example: tiktok-assets sessions forget pig1987")
def forget(account: Annotated[str, typer.Argument(help="The account's name in accounts.toml, or its handle.")]) -> None:
    """Delete an account's saved login from this machine. TikTok itself keeps the session until it expires."""
    from tiktok_assets.accounts import load_roster
    from tiktok_assets.settings import load_settings
    from tiktok_assets.studio.session import Sessions

    settings = load_settings()
    chosen, logins = accounts_named(load_roster(settings), [account])[0], Sessions.of(settings)
    existed = logins.forget(chosen.key)
    text = "The saved login was deleted" if existed else "There was no saved login"
    out.print(f"{chosen.key}: {text} ({logins.place(chosen.key)}).", highlight=False, soft_wrap=True)


@app.command(epilog="Example: tiktok-assets extract pig1987 --from 2026-01-01 --section overview --section viewers")
def extract(
    accounts: Annotated[list[str] | None, typer.Argument(help="Names in accounts.toml; all of them if none.")] = None,
    first: Annotated[
        dt.date | None,
        typer.Option("--from", parser=day_of, help="The first day, as 2026-01-01; 28 days back by default."),
    ] = None,
    last: Annotated[
        dt.date | None,
        typer.Option("--to", parser=day_of, help="The last day; the newest with data by default."),
    ] = None,
    section: Annotated[list[Section] | None, typer.Option(help="Only this section; may be repeated.")] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Request days again that were already exported.")] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for limits, an hour or more, until everything has landed.")
    ] = False,
    headless: Headless = None,
    screenshot_on_error: ScreenshotOnError = None,
    as_json: AsJson = False,
) -> None:
    """Request the missing exports from TikTok Studio, and land them.

    Days that were already exported are not requested again. An account may make one export an hour
    (TIKTOK_EXPORT_INTERVAL): if exports have to wait, the command prints until when.
    """
    from tiktok_assets.accounts import load_roster
    from tiktok_assets.exports.windows import last_day_with_data
    from tiktok_assets.settings import load_settings
    from tiktok_assets.storage.lake import Lake
    from tiktok_assets.studio.extraction import SHORT_WAIT, in_browser
    from tiktok_assets.studio.landed import extraction_request

    flags = {"headless": headless, "screenshot_on_error": screenshot_on_error}
    settings = load_settings(**{name: flag for name, flag in flags.items() if flag is not None})
    if first and last and last < first:
        raise typer.BadParameter(f"{last} is before {first}, the first day.", param_hint="--to")
    outcomes = []
    for account in _in_order(settings, accounts_named(load_roster(settings), accounts), all_of_them=not accounts):
        extractor, now = in_browser(settings), dt.datetime.now(dt.UTC)
        until = last or now.date()
        since = first or min(until, last_day_with_data(now)) - _days_before(account)
        request = extraction_request(
            Lake(settings),
            account,
            [str(one) for one in section or Section],
            since,
            max(since, until),
            now=now,
            refresh_since=now if refresh else None,
        )
        outcomes.append(_extract(extractor, request, wait_budget=math.inf if wait else SHORT_WAIT, quiet=as_json))
    if as_json:
        print_json([_as_data(outcome) for outcome in outcomes])
    elif any(outcome.landed for outcome in outcomes):
        out.print("To load them into the warehouse: tiktok-assets process", highlight=False)
    raise typer.Exit(1 if any(outcome.message for outcome in outcomes) else 0)


def _in_order(settings: Settings, accounts: list[Account], *, all_of_them: bool) -> list[Account]:
    """``accounts``, first those that lose data first; of all of them only those that this machine may visit."""
    from tiktok_assets.reporting.urgency import by_urgency
    from tiktok_assets.studio.egress import is_here

    if all_of_them and (elsewhere := [one for one in accounts if not is_here(settings, one)]):
        egresses, counted = (
            ", ".join(sorted({one.egress for one in elsewhere})),
            f"{len(elsewhere):,} of {len(accounts):,}",
        )
        text = f"Accounts left to the machines that have their egress ({egresses}): {counted}."
        err.print(text, markup=False, highlight=False, soft_wrap=True)
        accounts = [one for one in accounts if is_here(settings, one)]
    by_key = {one.key: one for one in accounts}
    return [by_key[key] for key in by_urgency(settings, by_key, dt.datetime.now(dt.UTC).date())]


def _extract(extractor: Extractor, request: ExtractionRequest, *, wait_budget: float, quiet: bool) -> ExtractionOutcome:
    """One account's extraction, with a line for each file as it lands, and the reason if it stops."""
    from tiktok_assets.exports.names import INSIGHTS
    from tiktok_assets.studio.extraction import sentence

    account, total = request.account.key, sum(len(visit) for visit in extractor.plan(request))
    total += INSIGHTS in request.sections
    landed: list[LandedFile | LandedInsights] = []
    with bar("Extracting", quiet=quiet) as progress:
        progress(account, 0, total)

        def on_landed(one: LandedFile | LandedInsights) -> None:
            landed.append(one)
            progress(account, len(landed), max(total, len(landed)))
            if not quiet:
                out.print(sentence(one), markup=False, highlight=False, soft_wrap=True)

        def on_wait(limit: LimitReached) -> None:
            text = f"{account}, waiting until {limit.retry_at:%H:%M:%S} UTC"
            progress(text, len(landed), total)
            if not quiet and not err.is_terminal:
                err.print(text, highlight=False)

        outcome = dataclasses.replace(extractor, wait_budget=wait_budget, on_landed=on_landed, on_wait=on_wait)(request)
    if quiet:
        return outcome
    if outcome.message:
        err.print(outcome.message, style="red", markup=False, highlight=False, soft_wrap=True)
        for path in _evidence(outcome):
            err.print(f"  {path}", style="red", markup=False, highlight=False, soft_wrap=True)
    elif not landed:
        out.print(f"{account}: {_why_nothing(request, extractor.clock())}", highlight=False, soft_wrap=True)
    return outcome


def _why_nothing(request: ExtractionRequest, now: dt.datetime) -> str:
    """Why there is nothing to request."""
    from tiktok_assets.exports.windows import last_day_with_data

    newest = last_day_with_data(now)
    if not request.sections:
        return "nothing to request: insights are read once a day, for that day (--refresh reads them again)."
    if request.first > newest:
        return f"nothing to request: data goes up to {newest}; that of a day is available at 17:00 UTC the next day."
    return "nothing to request: all days were already exported (--refresh requests them again)."


def _as_data(outcome: ExtractionOutcome) -> dict[str, Any]:
    limit = outcome.left
    return {
        "account": outcome.request.account.key,
        "landed": [dataclasses.asdict(one) | {"path": str(one.path) if one.path else None} for one in outcome.landed],
        "stopped": outcome.message,
        "evidence": _evidence(outcome),
        "retry_at": limit.retry_at if limit else None,
    }


def _evidence(outcome: ExtractionOutcome) -> list[str]:
    """The screenshot and the trace of the failure that stopped it."""
    metadata = outcome.failure.metadata if outcome.failure else {}
    return [str(place) for name, place in metadata.items() if name.startswith("evidence_")]


def _days_before(account: Account) -> dt.timedelta:
    return dt.timedelta(days=account.default_date_range - 1)
