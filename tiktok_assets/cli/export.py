"""The commands ``export``: tables in other formats. Exit codes as in ``app``."""

from __future__ import annotations

import datetime as dt
import io
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tiktok_assets.cli.days import day_of
from tiktok_assets.cli.output import err, print_written, to_standard_output, unusable, unwritable

if TYPE_CHECKING:
    import polars as pl

app = typer.Typer(help="Tables of the lake in other formats.", no_args_is_help=True, rich_markup_mode=None)

_STANDARD_OUTPUT = Path("-")


class RawFormat(StrEnum):
    """The formats of ``export raw``."""

    NDJSON = "ndjson"


class FileFormat(StrEnum):
    """The formats of ``export table``, as in ``queries.formats``, which needs Polars; a test compares them."""

    CSV = "csv"
    PARQUET = "parquet"
    XLSX = "xlsx"


@app.command(
    "table", epilog="Example: tiktok-assets export table social_media_stats --since 2026-01-01 --output days.xlsx"
)
def export_table(
    name: Annotated[
        str, typer.Argument(help="A table or view of the warehouse, or another by its key, as curated/account_daily.")
    ],
    account: Annotated[
        list[str] | None, typer.Option(help="Only this account, by name or handle; may be repeated.")
    ] = None,
    since: Annotated[
        dt.date | None, typer.Option(parser=day_of, help="First day, by the table's own day column, as 2026-03-16.")
    ] = None,
    until: Annotated[dt.date | None, typer.Option(parser=day_of, help="Last day, included.")] = None,
    format: Annotated[FileFormat | None, typer.Option(help="By default that of the file's name, else csv.")] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The file to write; - is standard output.")
    ] = _STANDARD_OUTPUT,
    exact: Annotated[
        bool, typer.Option("--exact", help="In CSV, leave text as it is that a spreadsheet would run as a formula.")
    ] = False,
) -> None:
    """Write a table into a file: all of it, or the rows of some accounts and days. Unknown is an empty cell.

    It may run while the pipeline does: it reads what was published last.
    """
    from tiktok_assets.curated.registry import UnknownTable
    from tiktok_assets.queries.formats import CannotWrite, format_of
    from tiktok_assets.queries.published import NoWarehouse
    from tiktok_assets.queries.selection import CannotRead, source_of
    from tiktok_assets.queries.tables import read, why_empty

    is_piped = output == _STANDARD_OUTPUT
    try:
        chosen = format or (FileFormat.CSV if is_piped else FileFormat(format_of(output)))
        if is_piped and chosen is not FileFormat.CSV and sys.stdout.isatty():
            raise typer.BadParameter(f"A terminal cannot show {chosen}: give a file.", param_hint="--output")
        rows = read(name, accounts=account, since=since, until=until)
        _write(rows, chosen, None if is_piped else output, name=name, is_exact=exact)
    except UnknownTable as error:
        raise typer.BadParameter(str(error), param_hint="NAME") from error
    except (CannotRead, CannotWrite, NoWarehouse) as error:
        raise unusable(error) from error
    if rows.is_empty():
        err.print(why_empty(name, accounts=account), markup=False, highlight=False, soft_wrap=True)
    if not is_piped:
        source = source_of(name)
        print_written(output, rows, account=source.account, day=source.day)


def _write(rows: pl.DataFrame, format: FileFormat, file: Path | None, *, name: str, is_exact: bool) -> None:
    """Into ``file``, which is replaced atomically; None is standard output."""
    from tiktok_assets.queries.formats import encode
    from tiktok_assets.storage.atomic import replacing

    if file is None:
        content = io.BytesIO()
        encode(rows, format, content, name=name, is_exact=is_exact)
        to_standard_output(content.getvalue())
        return
    try:
        with replacing(file) as scratch, scratch.open("wb") as opened:
            encode(rows, format, opened, name=name, is_exact=is_exact)
    except OSError as error:
        raise unwritable(file, error) from error


@app.command("raw", epilog="Example: tiktok-assets export raw --format ndjson --account pig1987 > pig1987.ndjson")
def export_raw(
    format: Annotated[RawFormat, typer.Option(help="One JSON object per row.")] = RawFormat.NDJSON,
    account: Annotated[list[str] | None, typer.Option(help="Only this account; may be repeated.")] = None,
    report: Annotated[
        list[str] | None, typer.Option(help="Only this report, for example follower_history; may be repeated.")
    ] = None,
) -> None:
    """Write the raw rows, every column with its text and provenance, to standard output."""
    from tiktok_assets.accounts import load_roster
    from tiktok_assets.queries.raw_rows import UnknownReport, exported_rows
    from tiktok_assets.settings import load_settings

    settings = load_settings()
    roster = load_roster(settings)
    if unknown := set(account or ()).difference(roster):
        message = f"No account is called {', '.join(sorted(unknown))}. There are: {', '.join(roster)}."
        raise typer.BadParameter(message, param_hint="--account")
    try:
        for rows in exported_rows(settings, accounts=account or list(roster), reports=report):
            sys.stdout.write(rows.write_ndjson())
    except UnknownReport as error:
        raise typer.BadParameter(str(error), param_hint="--report") from error
    except BrokenPipeError:  # the reader, for example `head`, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
