"""What people see of a table in the UI: its columns, where each comes from, and what a run put into it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import dagster as dg
import pandera.polars as pa
import polars as pl
import polars.selectors as cs

from tiktok_assets.partitions import Slice

OWNERS = ["team:data-platform"]
Facts = dict[str, int | str | dg.MetadataValue]
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


def column_lineage(
    schema: type[pa.DataFrameModel],
    upstream: Mapping[str, type[pa.DataFrameModel]],
    renamed: Mapping[str, str] | None = None,
) -> dg.TableColumnLineage:
    """Which upstream columns each column is made of: those of its name, or of the name it had before (``renamed``)."""
    known = {key: set(model.to_schema().columns) for key, model in upstream.items()}
    sources = {}
    for name in map(str, schema.to_schema().columns):
        before = (renamed or {}).get(name, name)
        sources[name] = [
            dg.TableColumnDep(dg.AssetKey(key.split("/")), before)
            for key, columns in known.items()
            if before in columns
        ]
    return dg.TableColumnLineage({name: deps for name, deps in sources.items() if deps})


def covered(rows: pl.DataFrame, part: Slice, *, day: str = "date", every_day: bool) -> Facts:
    """Rows and days covered, for each account; with ``every_day`` also the days missing between the first and last.

    A day without any known count, as TikTok lists some, is missing.
    """
    counts = cs.integer() - cs.by_name("date_shift_days", require_all=False)
    told = rows.filter(pl.any_horizontal(counts.is_not_null())) if every_day else rows
    days = (
        told.select("account", day)  # else Polars copies what it does not need, 300 MB of 900,000 videos
        .group_by("account")
        .agg(first=pl.col(day).min(), last=pl.col(day).max(), days=pl.col(day).n_unique(), rows=pl.len())
        .sort("account")
    )
    found: Facts = {"dagster/row_count": rows.height, "days_covered": int(days["days"].sum())}
    if every_day:
        days = days.with_columns(missing=(pl.col("last") - pl.col("first")).dt.total_days() + 1 - pl.col("days"))
        found["missing_days"] = int(days["missing"].sum())
    return {
        **found,
        "accounts": part_of_list(list(part.accounts)),
        "coverage": dg.MetadataValue.md(markdown_table(days.head(_LISTED))),
    }


def exports_used(raw: pl.LazyFrame, rows: pl.DataFrame) -> Facts:
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


def part_of_list(names: list[str]) -> str:
    """The first of ``names`` as one line, and how many more there are."""
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def markdown_table(rows: pl.DataFrame) -> str:
    """``rows`` as a Markdown table; unknown values show as a dash."""
    lines = [rows.columns, ["---"] * rows.width]
    lines += [["—" if value is None else _shown(value) for value in row] for row in rows.rows()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _shown(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return value.isoformat() if isinstance(value, dt.date) else str(value).replace("|", "\\|")
