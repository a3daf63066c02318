"""What people see in a terminal: progress, results, descriptions of files. Does not belong here: commands (``app``)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import progress as rich_progress
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from tiktok_assets.progress import Progress

if TYPE_CHECKING:
    import polars as pl

    from tiktok_assets.legacy.validate import ValidationReport

_LISTED = 20  # lost tables
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output, nothing else.")]


class _Terminal(Console):
    """Prints all text through ``printable``; its own colours and cursor movements stay."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        from tiktok_assets.exports.safe_text import printable

        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)

    def render_str(self, text: str, **options: Any) -> Text:  # before it is measured for a table
        from tiktok_assets.exports.safe_text import printable

        return super().render_str(printable(text), **options)


out = _Terminal()
err = _Terminal(stderr=True)


@contextmanager
def bar(title: str, *, quiet: bool) -> Iterator[Progress]:
    """A progress bar on standard error, if that is a terminal; yields the function that updates it."""
    columns = (
        rich_progress.TextColumn("{task.description}"),
        rich_progress.BarColumn(),
        rich_progress.MofNCompleteColumn(),
        rich_progress.TimeElapsedColumn(),
    )
    with rich_progress.Progress(*columns, console=err, transient=True, disable=quiet or not err.is_terminal) as bar:
        task = bar.add_task(title, total=None)
        yield lambda account, done, total: bar.update(
            task, description=f"{title} {account}".strip(), completed=done, total=total
        )


def unwritable(path: Path, error: OSError) -> typer.Exit:
    """Print that ``path`` cannot be written and why; returns the exit to raise."""
    reason = error.strerror or str(error)
    err.print(f"{path}: cannot be written ({reason}). Give another file.", style="red", markup=False, soft_wrap=True)
    return typer.Exit(2)


def unusable(error: ValueError) -> typer.Exit:
    """Print what cannot be used as requested; returns the exit to raise."""
    err.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
    return typer.Exit(2)


def to_standard_output(content: bytes) -> None:
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # the reader, for example `head`, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_written(file: Path, rows: pl.DataFrame, *, account: str | None, day: str | None) -> None:
    """Which rows ``file`` holds: how many, of how many accounts, and their days, by the columns of that name."""
    parts = [f"{rows.height:,} {'row' if rows.height == 1 else 'rows'}"]
    if account and rows.height:
        accounts = rows[account].n_unique()
        parts.append(f" of {accounts} {'account' if accounts == 1 else 'accounts'}")
    if day and (known := rows[day].drop_nulls()).len():
        parts.append(f", {known.min():%Y-%m-%d} to {known.max():%Y-%m-%d}")
    out.print(f"{file}: {''.join(parts)}.", markup=False, highlight=False, soft_wrap=True)


def print_json(data: Any) -> None:
    def plain(value: Any) -> Any:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return dataclasses.asdict(value)
        if isinstance(value, dt.date | dt.datetime):
            return value.isoformat()
        raise TypeError(f"{type(value).__name__} has no JSON form")

    from tiktok_assets.exports.safe_text import OBEYED

    text = json.dumps(data, default=plain, indent=2, ensure_ascii=False)
    escaped = OBEYED.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)
    sys.stdout.write(f"{escaped}\n")


def print_result(result: Any) -> None:
    """A line per account, then everything a person has to know: errors, notes, quarantined files."""
    for one in result.lost[:_LISTED]:
        out.print(f"made again: {one.place_and_problem}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    if more := len(result.lost[_LISTED:]):
        out.print(f"made again: {more} more; --json lists all", style="yellow", highlight=False)
    if result.accounts:
        table = Table("account", "exports", "months", "result", "checks", box=None, pad_edge=False)
        for one in result.accounts:
            months = f"{one.first_month:%Y-%m} to {one.last_month:%Y-%m}"
            outcome = "[green]processed[/]" if one.succeeded else "[red]failed[/]"
            table.add_row(one.account, str(one.exports), months, outcome, _checks(one))
        out.print(table)
    for one in result.accounts:
        _print_outcome(one)
    if result.streams:
        _print_streams(result.streams)
    if result.dead_runs:
        runs = (
            "1 run of a killed process was"
            if result.dead_runs == 1
            else f"{result.dead_runs} runs of a killed process were"
        )
        text = f"{runs} marked as failed; nothing is lost."
        out.print(text, style="dim", highlight=False, soft_wrap=True)
    if result.has_published:
        out.print("The tables that an earlier run had stored are published now.", highlight=False, soft_wrap=True)
    if result.unpublished:
        text = "The stored tables could not be published; the warehouse still holds the previous ones: "
        out.print(text + result.unpublished, style="red", markup=False, soft_wrap=True)
        out.print("Fix the cause, then run `tiktok-assets process` to publish them.", style="red", highlight=False)
    for rejected in result.intake.rejected:
        text = f"quarantined: {rejected.message}\n  now in {rejected.moved_to}, before in {rejected.file}"
        out.print(text, style="red", markup=False, soft_wrap=True)
    for message in result.intake.unreadable:
        out.print(message, style="red", markup=False, soft_wrap=True)
    for message in result.intake.left_alone:
        out.print(f"not moved: {message}", style="dim", markup=False, highlight=False, soft_wrap=True)
    for path in result.intake.waiting:
        out.print(
            f"still being written, will be processed next time: {path}", style="yellow", markup=False, soft_wrap=True
        )
    if (
        not (result.accounts or result.streams or result.lost or result.intake.waiting or result.has_published)
        and result.is_clean
    ):
        from tiktok_assets.settings import load_settings

        settings = load_settings()
        out.print(
            f"Nothing new in {settings.landing}. Drop exports there, then run this again.",
            highlight=False,
            soft_wrap=True,
        )


def _print_streams(one: Any) -> None:
    months = f"{one.first_month:%Y-%m} to {one.last_month:%Y-%m}"
    if one.error:
        out.print(f"streams, {months}: {one.error}", style="red", markup=False, soft_wrap=True)
    else:
        files = f"{one.files} new {'file' if one.files == 1 else 'files'}" if one.files else "made again"
        out.print(f"streams: {files}, {months}", highlight=False)
    for text in one.warned_checks.values():
        out.print(f"look at: {text}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    for text in one.warnings:
        out.print(f"note: streams: {text}", style="dim", markup=False, highlight=False, soft_wrap=True)


def _print_outcome(one: Any) -> None:
    """An account's errors, and what is to be looked at."""
    for line in ([f"{one.account}: {one.error}"] if one.error else []) + [
        f"{one.account}: {c}" for c in one.failed_checks
    ]:
        out.print(line, style="red", markup=False, soft_wrap=True)
    if reports := _with_gaps(one):
        out.print(f"note: {one.account}: days are missing in {', '.join(reports)}: export them", style="dim")
    if reports := _without_rows(one):
        out.print(
            f"note: {one.account}: no export has rows of {', '.join(reports)} for these months",
            style="dim",
            soft_wrap=True,
        )
    for sentence in _findings(one):
        out.print(f"look at: {sentence}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    for line in one.warnings:
        out.print(f"note: {one.account}: {line}", style="dim", markup=False, highlight=False, soft_wrap=True)


def _checks(account: Any) -> str:
    """The outcome of its checks, in few words."""
    if failed := len(account.failed_checks):
        return f"[red]{failed} failed[/]"
    gaps, found = len(_with_gaps(account)), len(_findings(account))
    parts = [f"[yellow]{found} to look at[/]"] * bool(found) + [f"{gaps} with missing days"] * bool(gaps)
    return ", ".join(parts) or "kept"


def _findings(account: Any) -> list[str]:
    """The sentences of the checks that warned, except missing rows and days, which have notes of their own."""
    noted_separately = ("has_rows", "days_are_contiguous")
    return [
        text for check, text in account.warned_checks.items() if check.split(" ")[1] not in noted_separately and text
    ]


def _with_gaps(account: Any) -> list[str]:
    return _reports_that_break(account, "days_are_contiguous")


def _without_rows(account: Any) -> list[str]:
    return _reports_that_break(account, "has_rows")


def _reports_that_break(account: Any, promise: str) -> list[str]:
    """The reports whose check of this name did not pass: "staging/overview has_rows" is of overview."""
    broken = [check.split(" ") for check in account.warned_checks]
    return [asset.rpartition("/")[2] for asset, name in broken if name == promise]


def print_validation(report: ValidationReport) -> None:
    """One line per finding, problems first; only the first ones if a file has very many."""
    for style, lines in (("red", report.lines(report.problems)), ("yellow", report.lines(report.warnings))):
        for line in lines:
            out.print(line, style=style, markup=False, highlight=False, soft_wrap=True)
    if any(finding.row is not None for finding in (*report.problems, *report.warnings)):
        out.print("Row 1 is the first below the header.", style="dim", highlight=False)
    out.print(report.summary, style="green" if report.is_valid else "red", highlight=False)


def print_inspection(found: dict[str, Any]) -> None:
    out.print(found["file"], style="bold", markup=False, highlight=False, soft_wrap=True)
    if "tables" in found:
        known = {
            "product": found["product"],
            "account": found["account"] or f"unknown: {found['account_problem']}",
            "window": " to ".join(found["window"]),
            "downloaded": f"{found['downloaded_at']} (from {found['downloaded_at_evidence']})",
        }
        for name, value in known.items():
            out.print(f"  {name:<20} {value}", markup=False, highlight=False, soft_wrap=True)
        for one in found["tables"]:
            language = f", language {one['language']}" if one["language"] else ""
            days = (
                f", {one['first_day']} to {one['last_day']} (year from {one['year_evidence']})"
                if one["first_day"]
                else ""
            )
            out.print(
                f"  {one['report']:<20} {one['rows']} {'row' if one['rows'] == 1 else 'rows'}{days}{language}",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
    if "stores" in found:
        _print_streams_file(found)
    for warning in found.get("warnings", []):
        out.print(f"  note                 {warning}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    if found["problem"]:
        out.print(
            f"  {found['problem']}: {found['message']}", style="red", markup=False, highlight=False, soft_wrap=True
        )


def _print_streams_file(found: dict[str, Any]) -> None:
    recordings = found["recordings"]
    more = f" and {len(recordings) - _LISTED} more" if len(recordings) > _LISTED else ""
    known = {
        "streams": f"{found['rows']} {'row' if found['rows'] == 1 else 'rows'}, {' to '.join(found['window'])}",
        "stores": ", ".join(found["stores"]),
        "recordings": f"{', '.join(recordings[:_LISTED])}{more}",
    }
    for name, value in known.items():
        out.print(f"  {name:<20} {value}", markup=False, highlight=False, soft_wrap=True)
