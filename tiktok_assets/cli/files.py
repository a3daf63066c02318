"""The commands that check, migrate, archive and export files. Exit codes as in ``app``."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from tiktok_assets.cli.output import AsJson, bar, out, print_json, print_validation, print_written, unusable, unwritable

if TYPE_CHECKING:
    from tiktok_assets.inbox.archive import Archiving
    from tiktok_assets.inbox.headers import SchemaCheck
    from tiktok_assets.legacy.migrate import Migrated

app = typer.Typer(rich_markup_mode=None)

# As in ``curated.videos.viral``, which needs Polars; a test compares them.
_MIN_VIEWS, _GROWTH_THRESHOLD = 10_000, 5.0


@app.command(epilog="Example: tiktok-assets aggregate all.xlsx --account pig1987 --account zonea0")
def aggregate(
    output: Annotated[Path, typer.Argument(help="The file to write: .csv, .parquet or .xlsx.")],
    account: Annotated[list[str] | None, typer.Option(help="Only this account; may be repeated.")] = None,
) -> None:
    """Write the days of all accounts into one file, one row per account and day."""
    from tiktok_assets.queries.aggregate import aggregate_accounts
    from tiktok_assets.queries.formats import CannotWrite
    from tiktok_assets.queries.published import NoWarehouse
    from tiktok_assets.queries.selection import CannotRead

    try:
        rows = aggregate_accounts(account, output)
    except (CannotRead, CannotWrite, NoWarehouse) as error:
        raise unusable(error) from error
    except OSError as error:
        raise unwritable(output, error) from error
    print_written(output, rows, account="account", day="date")


@app.command(epilog="Example: tiktok-assets viral --min-views 50000 --growth-threshold 3")
def viral(
    min_views: Annotated[int, typer.Option(help="Minimum of total views.", min=0)] = _MIN_VIEWS,
    growth_threshold: Annotated[
        float,
        typer.Option(help="Minimum growth: daily views since the previous snapshot, divided by daily views before it."),
    ] = _GROWTH_THRESHOLD,
    as_json: AsJson = False,
) -> None:
    """List the videos that took off: their daily views grew at least that many times as fast as before."""
    from tiktok_assets.exports.safe_text import printable
    from tiktok_assets.queries.published import NoWarehouse
    from tiktok_assets.queries.viral import detect_viral_trends, found_by_peers

    try:
        found = detect_viral_trends(min_views, growth_threshold)
    except NoWarehouse as error:
        raise unusable(error) from error
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--growth-threshold") from error
    if as_json:
        print_json(found.to_dicts())
        return
    table = Table("account", "found on", "views", "growth", "video", box=None, pad_edge=False)
    table.columns[-1].overflow = "fold"
    for one in found.iter_rows(named=True):
        growth = f"{one['daily_growth']:.1f}x" if one["daily_growth"] is not None else "from 0"
        video = Text(printable("\n".join(filter(None, (one["title"], one["link"] or one["video_id"])))))
        table.add_row(one["account"], f"{one['date']}", f"{one['total_views']:,}", growth, video)
    if found.height:
        out.print(table)
    else:
        by_peers = found_by_peers()
        videos = f"{by_peers:,} {'video' if by_peers == 1 else 'videos'}"
        out.print(
            f"No video with {min_views:,} views grew {growth_threshold:g} times as fast as before. Measuring growth "
            "takes two exports of Content, made on different days."
            + f" By its other rule, far above the account's others of the same age, viral_content holds {videos}: "
            "tiktok-assets export table viral_content." * bool(by_peers),
            highlight=False,
            soft_wrap=True,
        )


@app.command(epilog="Example: tiktok-assets validate data/staging 'old/tiktok_metrics_*.csv'")
def validate(
    paths: Annotated[list[str], typer.Argument(help="Files, folders or quoted patterns.")],
    as_json: AsJson = False,
) -> None:
    """Check staging's Parquet files, or old tables of the legacy pipeline, by the rules of the asset checks.

    Exit code 1 if there are problems.
    """
    from tiktok_assets.legacy.validate import validate as look_at

    report = look_at(paths)
    if as_json:
        print_json(dataclasses.asdict(report) | {"is_valid": report.is_valid})
    else:
        print_validation(report)
    raise typer.Exit(0 if report.is_valid else 1)


@app.command("schema-check", epilog="Example: tiktok-assets schema-check --json")
def schema_check(as_json: AsJson = False) -> None:
    """Compare the columns of every export in landing and archive with the known ones. Exit code 1 if any drifted."""
    from tiktok_assets.inbox.headers import check_schemas
    from tiktok_assets.settings import load_settings

    with bar("Reading headers", quiet=as_json) as progress:
        found = check_schemas(load_settings(), progress=progress)
    if as_json:
        print_json(found)
    else:
        _print_schemas(found)
    raise typer.Exit(1 if found.drift else 0)


def _print_schemas(found: SchemaCheck) -> None:
    table = Table("report", "variant", "tables", box=None, pad_edge=False)
    for one in found.seen:
        table.add_row(one.report, one.variant, str(one.tables))
    if found.seen:
        out.print(table)
    for one in found.drift:
        out.print(str(one), style="red", markup=False, highlight=False, soft_wrap=True)
    if not found.files:
        out.print("No exports in landing or archive.")
    elif not found.drift:
        out.print(f"{found.files} exports: every header is a known one.", style="green", highlight=False)


@app.command(epilog="Example: tiktok-assets migrate old/ && tiktok-assets migrate old/ --execute")
def migrate(
    path: Annotated[Path, typer.Argument(help="A CSV file of the legacy pipeline, or a folder of them.")],
    execute: Annotated[
        bool | None, typer.Option("--execute/--dry-run", help="Write, or only print what would be written.")
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Restore the backups.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give old CSV files today's column names: reach becomes video_views. Only --execute and --undo write.

    Only the header line changes. The original stays beside the file as NAME.bak, which is never overwritten; --undo
    restores it byte for byte. Exit code 1 if a file was refused.
    """
    from tiktok_assets.legacy import migrate as migration
    from tiktok_assets.settings import load_settings

    settings = load_settings()
    keep_out = [settings.data_dir] if isinstance(settings.data_dir, Path) else []
    try:
        if undo:
            found = migration.undo(path, execute=execute is not False, keep_out=keep_out)
        else:
            found = migration.migrate(path, execute=bool(execute), keep_out=keep_out)
    except migration.CannotMigrate as error:
        raise typer.BadParameter(str(error), param_hint="PATH") from error
    if as_json:
        print_json(found)
    else:
        _print_migrated(found, undo=undo)
    failed = any(one.outcome is migration.MigrationOutcome.REFUSED for one in found)
    is_unknown = path.is_file() and all(one.outcome is migration.MigrationOutcome.SKIPPED for one in found)
    raise typer.Exit(1 if failed or is_unknown else 0)


def _print_migrated(found: list[Migrated], *, undo: bool) -> None:
    from tiktok_assets.legacy.migrate import MigrationOutcome

    style = {
        MigrationOutcome.REFUSED: "red",
        MigrationOutcome.CHANGED: "green",
        MigrationOutcome.RESTORED: "green",
        MigrationOutcome.SKIPPED: "dim",
    }
    for one in found:
        reason = f": {one.reason}" if one.reason else ""
        out.print(
            f"{one.file}: {one.outcome}{reason}",
            style=style.get(one.outcome),
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
        for before, after in one.renamed if one.outcome is not MigrationOutcome.REFUSED else ():
            out.print(f"  {before} -> {after}", markup=False, highlight=False, soft_wrap=True)
        if one.outcome is MigrationOutcome.CHANGED:
            out.print(f"  backup: {one.backup}", markup=False, highlight=False, soft_wrap=True)
    counts = Counter(str(one.outcome) for one in found)
    summary = ", ".join(f"{number} {outcome}" for outcome, number in counts.items()) or "no CSV files there"
    hint = ""
    if counts[MigrationOutcome.WOULD_CHANGE] or counts[MigrationOutcome.WOULD_RESTORE]:
        hint = ". Nothing was written" + ("." if undo else "; --execute does it.")
    out.print(f"{summary}{hint}", highlight=False)


@app.command(epilog="Example: tiktok-assets archive --dry-run")
def archive(
    older_than: Annotated[
        int | None, typer.Option(help="Days since the download; TIKTOK_ARCHIVE_AFTER by default.", min=0)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would be moved.")] = False,
    as_json: AsJson = False,
) -> None:
    """Move old processed exports from landing to the archive, where every command still finds them.

    Each file is read first: its sha256 must be that of an export that has reached the warehouse. To undo, move a file
    back. Exit code 1 if a file could not be moved.
    """
    from tiktok_assets.inbox.archive import archive as put_away
    from tiktok_assets.settings import load_settings

    settings = load_settings()
    with bar("Archiving", quiet=as_json) as progress:
        found = put_away(settings, older_than=older_than, dry_run=dry_run, progress=progress)
    if as_json:
        print_json(found)
    else:
        _print_archived(found, settings.archive_after if older_than is None else older_than)
    raise typer.Exit(1 if any(one.is_fault for one in found.kept) else 0)


def _print_archived(found: Archiving, days: int) -> None:
    from tiktok_assets.exports.safe_text import one_line

    for one in found.moved:
        line = one_line(f"{one.account}, {one.source}: {one.archived_to}")
        out.print(line, markup=False, highlight=False, soft_wrap=True)
    for one in found.kept:
        style = "red" if one.is_fault else "dim"
        line = one_line(f"stays in landing: {one.account}, {one.source}: {one.reason}")
        out.print(line, style=style, markup=False, highlight=False, soft_wrap=True)
    what = "would be moved" if found.is_dry_run else "moved"
    out.print(
        f"{len(found.moved)} files {what}, {len(found.kept)} stay, {found.younger} are younger than {days} days.",
        highlight=False,
    )
