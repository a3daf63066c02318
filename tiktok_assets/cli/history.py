"""The commands about the past: a table as it was, and the trace of one number. Exit codes as in ``app``."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from tiktok_assets.cli.days import day_of
from tiktok_assets.cli.output import AsJson, err, out, print_json, to_standard_output

if TYPE_CHECKING:
    import polars as pl

    from tiktok_assets.accounts import Account, Roster
    from tiktok_assets.settings import Settings
    from tiktok_assets.vintages import trace as traces
    from tiktok_assets.vintages.stream_trace import StreamsTrace

app = typer.Typer(rich_markup_mode=None)

STREAMS = "streams"
"""The metric whose trace is of a song."""
_SHOWN = 60
_GAP = "  "
_CONFIDENCE = {
    "proven": "equal rows, or days that had not ended, leave one possible shift of the labels",
    "likely": "the same, also by a habit of TikTok",
    "relative": "these labels differ from those of other exports; which of them is right is chosen, not known",
    "unproven": "nothing says that the labels are off, so they are used as they are",
}
"""How surely it is known by how many days the labels of an export are ahead of the real day."""
_PROVENANCE = ("platform", "export_id", "downloaded_at", "loaded_at")


class TableFormat(StrEnum):
    """The formats of ``as-of``."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


@app.command("as-of", epilog="Example: tiktok-assets as-of 2026-03-20 --account pig1987 --table staging/overview")
def as_of(
    moment: Annotated[
        str, typer.Argument(help="A date (the end of that day, UTC) or a timestamp, for example 2026-03-20T14:00.")
    ],
    account: Annotated[list[str] | None, typer.Option(help="Only this account; may be repeated.")] = None,
    table: Annotated[
        str,
        typer.Option(help="A table of the warehouse by name, or any other by its key, for example staging/overview."),
    ] = "social_media_stats",
    format: Annotated[
        TableFormat, typer.Option(help="csv, json and parquet hold every row and column.")
    ] = TableFormat.TABLE,
    output: Annotated[Path | None, typer.Option(help="Write to this file instead of standard output.")] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="In CSV, leave text as it is that a spreadsheet would run as a formula.")
    ] = False,
    columns: Annotated[
        bool, typer.Option("--columns", help="Print every column, not only those that fit into the terminal.")
    ] = False,
) -> None:
    """Show a table as it was known at a moment: from the exports downloaded until then. Nothing is changed.

    Without a format the newest rows are printed, in as many columns as fit into the terminal.
    """
    from tiktok_assets.accounts import load_roster
    from tiktok_assets.curated.registry import UnknownTable
    from tiktok_assets.settings import load_settings
    from tiktok_assets.vintages import as_of as history

    settings = load_settings()
    roster = load_roster(settings)
    accounts = [_account(roster, name, "--account").key for name in account] if account else None
    try:
        at = history.moment_of(moment)
        rows = history.as_of(settings, at, table, accounts)
    except UnknownTable as error:
        raise typer.BadParameter(str(error), param_hint="--table") from error
    except history.NotAMoment as error:
        raise typer.BadParameter(str(error), param_hint="MOMENT") from error
    if format is TableFormat.TABLE and output is None:
        _print_rows(rows, all_columns=columns)
        if rows.is_empty():
            err.print(history.why_empty(settings, at, table, accounts), highlight=False, soft_wrap=True)
        return
    if format is TableFormat.PARQUET and output is None and sys.stdout.isatty():
        raise typer.BadParameter("A terminal cannot show Parquet: give a file.", param_hint="--output")
    content = _encoded(rows, format, is_exact=exact)
    if output is None:
        to_standard_output(content)
    else:
        output.write_bytes(content)
        out.print(f"{rows.height} rows written to {output}", highlight=False, soft_wrap=True)


@app.command(epilog="Example: tiktok-assets trace pig1987 2026-03-16 video_views")
def trace(
    account: Annotated[
        str, typer.Argument(help="The account's name in accounts.toml, or its handle; of streams, the song's name.")
    ],
    date: Annotated[
        dt.date,
        typer.Argument(parser=day_of, help="The real day (UTC), as 2026-03-16; for a video, the day of the capture."),
    ],
    metric: Annotated[
        str, typer.Argument(help="A column of the warehouse, for example video_views or engagement_rate; or streams.")
    ],
    video: Annotated[str | None, typer.Option(help="The id of a video, for metrics such as total_views.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print where one number comes from: every export that reports it, with file, row and text; which one won, and why.

    Exit code 1 if no export reports it.
    """
    from tiktok_assets.accounts import load_roster
    from tiktok_assets.settings import load_settings
    from tiktok_assets.vintages import trace as traces

    settings = load_settings()
    if metric == STREAMS and video is None:
        _trace_streams(settings, account, date, as_json=as_json)
    chosen = _account(load_roster(settings), account, "ACCOUNT")
    try:
        found = traces.trace(settings, chosen, date, metric, video)
    except traces.UnknownMetric as error:
        raise typer.BadParameter(str(error), param_hint="METRIC") from error
    if as_json:
        print_json(found)
    else:
        _print_trace(found)
    raise typer.Exit(0 if found.is_reported else 1)


def _trace_streams(settings: Settings, song: str, date: dt.date, *, as_json: bool) -> NoReturn:
    from tiktok_assets.label.songs import load_songs
    from tiktok_assets.storage.lake import Lake
    from tiktok_assets.vintages.stream_trace import trace_streams

    songs = load_songs(settings)
    if song not in (one.key for one in songs):
        known = ", ".join(one.key for one in songs) or "none"
        raise typer.BadParameter(f"No song is called {song} in songs.toml. There are: {known}.", param_hint="ACCOUNT")
    found = trace_streams(Lake(settings), songs, song, date)
    if as_json:
        print_json(found)
    else:
        _print_streams(found)
    raise typer.Exit(0 if found.rows else 1)


def _account(roster: Roster, name: str, where: str) -> Account:
    if (account := roster.resolve(name)) is None:
        message = f"No account is called {name}. There are: {', '.join(roster)}."
        raise typer.BadParameter(message, param_hint=where)
    return account


def _encoded(rows: pl.DataFrame, format: TableFormat, *, is_exact: bool) -> bytes:
    """``rows`` in a file format. In CSV and JSON, timestamps are ISO 8601.

    ``is_exact``: in CSV, no apostrophe before what a spreadsheet would take for a formula.
    """
    import io

    from tiktok_assets.queries.formats import encode

    if format is TableFormat.JSON:
        return rows.write_json().encode() + b"\n"
    content = io.BytesIO()
    encode(rows, format if format is TableFormat.PARQUET else "csv", content, name="", is_exact=is_exact)
    return content.getvalue()


def _print_rows(rows: pl.DataFrame, *, all_columns: bool) -> None:
    """The newest rows, in as many columns as fit into the terminal: the empty ones and those of provenance last."""
    empty = [column.name for column in rows if column.null_count() == rows.height]
    last = [name for name in rows.columns if name in _PROVENANCE or name in empty]
    newest, shown_of = _newest(rows.select(*(name for name in rows.columns if name not in last), *last))
    cells = {name: [_cell(value) for value in newest[name].to_list()] for name in newest.columns}
    left, shown = sys.maxsize if all_columns else out.width + len(_GAP), []
    for name, values in cells.items():
        if (width := max(map(len, (name, *values))) + len(_GAP)) <= left:
            left -= width
            shown.append(name)
    if rows.height:
        _print_columns([shown, *zip(*(cells[name] for name in shown), strict=True)])
    more = [f"{shown_of} of"] if newest.height < rows.height else []
    err.print(" ".join([*more, "1 row" if rows.height == 1 else f"{rows.height} rows"]), highlight=False)
    if rows.height and (hidden := [name for name in cells if name not in shown]):
        text = f"not shown: {', '.join(hidden)}; --columns prints them, --format csv has every row as well"
        err.print(text, style="dim", highlight=False, soft_wrap=True)


def _newest(rows: pl.DataFrame) -> tuple[pl.DataFrame, str]:
    """The rows to print, of several accounts as many of each, and which these are, in words."""
    accounts = rows["account"].n_unique() if "account" in rows.columns else 1
    if accounts < 2:
        return rows.tail(_SHOWN), f"the last {min(_SHOWN, rows.height)}"
    each = max(1, _SHOWN // accounts)
    newest = rows.group_by("account", maintain_order=True).tail(each)
    return newest.select(rows.columns), f"the last {each} of each account,"


def _cell(value: object) -> str:
    if value is None:
        return "—"
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, float):
        return f"{value:,.4f}"
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 24 else f"{text[:23]}…"


def _print_trace(found: traces.MetricTrace) -> None:
    """The exports of a number, newest first, and why their labels were moved; for a derived number, its parts."""
    of = f" of video {found.video_id}" if found.video_id else ""
    value = "unknown" if found.value is None else f"{found.value:,}"
    if found.formula:
        line = f"{found.account} {found.date} {found.metric}{of}: {value} = {found.formula}"
        out.print(line, style="bold", highlight=False, markup=False, soft_wrap=True)
        for part in found.parts:
            _print_trace(part)
        return
    out.print(f"{found.account} {found.date} {found.metric}{of}: {value}", style="bold", highlight=False)
    if not found.observations:
        out.print("  No export reports it. To list all exports: select * from exports", highlight=False)
        return
    lines = [("downloaded (UTC)", "label", "days ahead", "text", "", "file and row")]
    for one in found.observations:
        text = ", ".join(f'{column} "{cell}"' for column, cell in one.text.items())
        file = one.file if one.file.endswith(one.member) else f"{one.file}/{one.member}"
        ahead = f"{one.shift_days}, {one.confidence}" if one.confidence else ""
        at = f"{one.downloaded_at:%Y-%m-%d %H:%M:%S}"
        lines.append((at, f"{one.date_label}", ahead, text, one.why, f"{file}, row {one.row}"))
    won = [number for number, one in enumerate(found.observations, 1) if one.won]
    _print_columns(lines, bold=won, width=out.width if out.is_terminal else None)
    for one in found.observations:
        if one.won and one.evidence:
            out.print("why its labels are that far ahead (for the others: --json):", style="dim")
            for reason in one.evidence:
                out.print(f"  {reason}", style="dim", highlight=False, markup=False, soft_wrap=True)
    for confidence in dict.fromkeys(one.confidence for one in found.observations if one.confidence):
        text = f"days ahead, {confidence}: {_CONFIDENCE[confidence]}"
        out.print(text, style="dim", highlight=False, soft_wrap=True)


def _print_streams(found: StreamsTrace) -> None:
    """The rows of a song's day in all files, those that count in bold."""
    stores = ", ".join(f"{store} {streams:,}" for store, streams in found.stores.items()) or "unknown"
    out.print(f"{found.song} {found.date} streams: {stores}", style="bold", highlight=False, markup=False)
    if not found.rows:
        out.print("  No file has a row of it. tiktok-assets status shows which days there are", highlight=False)
        return
    lines = [("file's time (UTC)", "store", "text", "", "file and row")]
    for one in found.rows:
        text = ", ".join(f'{column} "{cell}"' for column, cell in one.text.items())
        file = one.file if one.file.endswith(one.member) else f"{one.file}/{one.member}"
        lines.append((f"{one.vintage:%Y-%m-%d %H:%M:%S}", one.store, text, one.why, f"{file}, row {one.row}"))
    counted = [number for number, one in enumerate(found.rows, 1) if one.counts]
    _print_columns(lines, bold=counted, width=out.width if out.is_terminal else None)


def _print_columns(lines: Sequence[Sequence[str]], bold: Iterable[int] = (), width: int | None = None) -> None:
    """Print lines as aligned columns, the first one dim: never wrapped, so that they can be piped.

    ``width``: of a terminal that is narrower, for which each cell gets a line of its own with the name of its column.
    """
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    if width is not None and sum(widths) + len(_GAP) * (len(widths) - 1) > width:
        header, *rows = lines
        for number, row in enumerate(rows, 1):
            cells = [f"{name}: {cell}".removeprefix(": ") for name, cell in zip(header, row, strict=True) if cell]
            for line in (f"- {cells[0]}", *(f"  {cell}" for cell in cells[1:])):
                style = "bold" if number in bold else None
                out.print(line, style=style, highlight=False, markup=False, soft_wrap=True)
        return
    for number, line in enumerate(lines):
        text = _GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        style = "dim" if number == 0 else "bold" if number in bold else None
        out.print(text, style=style, highlight=False, markup=False, soft_wrap=True)
