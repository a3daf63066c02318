"""What people see of a table in the UI: its columns, where each comes from, and what a run put into it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import dagster as dg
import pandera.polars as pa
import polars as pl
import polars.selectors as cs

from tiktok_assets.exports.long_frames import Rows
from tiktok_assets.exports.months import month_of
from tiktok_assets.partitions import PartitionRange, partition_key
from tiktok_assets.storage.partition_metadata import set_partition_metadata

OWNERS = ["team:data-platform"]
Facts = dict[str, int | str | dg.MetadataValue]
ROWS = "dagster/row_count"
_LISTED = 20


def column_schema(schema: type[pa.DataFrameModel]) -> dg.TableSchema:
    """The columns of a table as Dagster shows them."""
    return dg.TableSchema(
        [
            dg.TableColumn(
                name,
                type=str(column.dtype),
                description=column.description,
                constraints=dg.TableColumnConstraints(nullable=column.nullable),
            )
            for name, column in schema.to_schema().columns.items()
        ]
    )


def record(
    context: dg.AssetExecutionContext,
    partitions: PartitionRange,
    of_partitions: pl.DataFrame,
    of_run: Mapping[str, object],
    *,
    asset_key: dg.AssetKey | None = None,
) -> None:
    """Set what the UI shows for each partition (a row of ``by_partition``) and, on the last one, for the run."""
    facts: dict[str, dict[str, object]] = {}
    for row in of_partitions.iter_rows(named=True):
        key = partition_key(row.pop("account"), row.pop("month"))
        facts[key] = row
    facts[partitions.last_partition].update(of_run)
    set_partition_metadata(context, asset_key or context.asset_key, facts)


def record_days(
    context: dg.AssetExecutionContext,
    rows: Rows,
    partitions: PartitionRange,
    of_run: Mapping[str, object],
    *,
    day: str = "date",
    every_day: bool,
) -> None:
    """``record`` the rows and days of each partition; of the run also its accounts and the days covered for each."""
    rows = partitions.within(rows, day)
    coverage = {
        "accounts": part_of_list(list(partitions.accounts)),
        "coverage": dg.MetadataValue.md(markdown_table(_days_of_accounts(rows, day, every_day=every_day))),
    }
    record(
        context, partitions, days_by_partition(rows, partitions, day=day, every_day=every_day), {**coverage, **of_run}
    )


def by_partition(rows: Rows, partitions: PartitionRange, day: str = "date", **facts: pl.Expr) -> pl.DataFrame:
    """A line for each partition: account, month, how many rows it has, and ``facts``, each made of its rows.

    Every count of a partition without rows is 0.
    """
    # Lazy: else Polars copies columns that it does not need, 300 MB of 900,000 videos.
    counted = rows.lazy().group_by("account", month=month_of(pl.col(day))).agg(pl.len().alias(ROWS), **facts)
    lines = partitions.keys_frame().lazy().join(counted, on=["account", "month"], how="left", maintain_order="left")
    return lines.with_columns(cs.integer().fill_null(0)).collect()


def days_by_partition(rows: Rows, partitions: PartitionRange, *, day: str = "date", every_day: bool) -> pl.DataFrame:
    """``by_partition`` with the days covered; with ``every_day`` also those missing.

    A day is missing if it has no known count (TikTok lists such days) and lies between the first and the last day of
    its account in ``rows``: the missing days of an account are those of all its partitions.
    """
    covered = pl.col(day).filter(_is_known(every_day=every_day))
    days = by_partition(
        rows, partitions, day, days_covered=covered.n_unique(), _first=covered.min(), _last=covered.max()
    )
    if every_day:
        first, last = pl.col("_first").min().over("account"), pl.col("_last").max().over("account")
        ends = pl.min_horizontal(last, pl.col("month").dt.month_end()), pl.max_horizontal(first, "month")
        span = ((ends[0] - ends[1]).dt.total_days() + 1).clip(lower_bound=0)
        missing = pl.when(first.is_not_null()).then(span - pl.col("days_covered")).otherwise(0)
        days = days.with_columns(missing_days=missing)
    return days.drop("_first", "_last")


def _is_known(*, every_day: bool) -> pl.Expr:
    """Whether a row counts as a covered day: any row, or with ``every_day`` one with a known count of an export.

    ``following`` is none: Studio shows it on the day of a visit, a day or two after the last one that exports contain.
    """
    counts = cs.integer() - cs.by_name("date_shift_days", "following", require_all=False)
    return pl.any_horizontal(counts.is_not_null()) if every_day else pl.lit(value=True)


def _days_of_accounts(rows: Rows, day: str, *, every_day: bool) -> pl.DataFrame:
    """First and last day of the first accounts, days and rows; with ``every_day`` also the days missing between."""
    days = (
        rows.lazy()
        .filter(_is_known(every_day=every_day))
        .group_by("account")
        .agg(first=pl.col(day).min(), last=pl.col(day).max(), days=pl.col(day).n_unique(), rows=pl.len())
        .sort("account")
        .head(_LISTED)
        .collect()
    )
    if not every_day:
        return days
    return days.with_columns(missing=(pl.col("last") - pl.col("first")).dt.total_days() + 1 - pl.col("days"))


def exports_used(raw: pl.LazyFrame, rows: Rows) -> Facts:
    """The exports out of ``raw`` that ``rows`` come from, newest first, and how many there are."""
    exports = (
        raw.select("source", "export_id", "downloaded_at")
        .unique()
        .join(rows.lazy().select("export_id").unique(), on="export_id", how="semi")
        .collect(engine="streaming")
        .sort("downloaded_at", "source", descending=True)
    )
    return {
        "exports_used": exports.height,
        "source_files": part_of_list(exports["source"].unique(maintain_order=True).to_list()),
    }


def part_of_list(names: list[str], most: int = _LISTED) -> str:
    """The first of ``names`` as one line, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def markdown_table(rows: pl.DataFrame) -> str:
    """``rows`` as a Markdown table; unknown values show as a dash."""
    lines = [rows.columns, ["---"] * rows.width]
    lines += [["—" if value is None else _shown(value) for value in row] for row in rows.rows()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _shown(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return value.isoformat() if isinstance(value, dt.date) else str(value).replace("|", "\\|")
