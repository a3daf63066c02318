"""Can these tables be trusted? Staging's Parquet files and the legacy pipeline's tables, checked from outside.

Belongs here: reading files by path, every finding with file, row, column and value. Does not belong here: what must
hold for a report (``reports``) and for days (``days``), the faults of the legacy pipeline (``tables``), printing.
"""

from __future__ import annotations

import datetime as dt
import itertools
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandera.errors
import pandera.polars as pa
import polars as pl

from tiktok_assets.curated.registry import STAGING
from tiktok_assets.exports.archive import open_members
from tiktok_assets.exports.problems import ExportProblem
from tiktok_assets.exports.tables import read_table
from tiktok_assets.exports.text_rows import ROW, Table
from tiktok_assets.legacy import days
from tiktok_assets.legacy import tables as legacy
from tiktok_assets.reports import REPORTS
from tiktok_assets.streams.rows import GRAIN
from tiktok_assets.streams.tables import STREAMS

TABLES: dict[str, type[pa.DataFrameModel]] = {table.name: table.schema for table in (*STAGING, STREAMS)}
"""The schema of each table, by the name of its folder in data/staging."""
_SHOWN = 20
"""The most findings of one file that are printed."""
_PARTITION = re.compile(r"^(account|date)=(.*)$")
_BOUND = {
    "greater_than_or_equal_to": "is below",
    "less_than_or_equal_to": "is above",
    "isin": "is not one of",
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing a person should know: where, and what, as a sentence. ``row`` 1 is the first row of the table."""

    file: str
    row: int | None = None
    column: str | None = None
    value: str | None = None
    message: str

    def __str__(self) -> str:
        row = f", row {self.row}" if self.row is not None else ""
        column = f", {self.column}" if self.column else ""
        value = f": {self.value!r} " if self.row is not None and self.value is not None else ": "
        return f"{self.file}{row}{column}{value}{self.message}."


@dataclass(frozen=True, kw_only=True)
class ValidationReport:
    """What was checked, and what was found. A file with warnings is usable, one with problems is not."""

    files: tuple[str, ...]
    rows: int
    problems: tuple[Finding, ...]
    warnings: tuple[Finding, ...]

    @property
    def is_valid(self) -> bool:
        return not self.problems

    @property
    def summary(self) -> str:
        found = f"{len(self.problems)} problems, {len(self.warnings)} warnings."
        return f"{len(self.files)} files, {self.rows} rows: {found}"

    def lines(self, findings: Iterable[Finding]) -> Iterator[str]:
        """A line per finding; only the first ones if a file has very many."""
        for file, of_file in itertools.groupby(sorted(findings, key=lambda one: one.file), lambda one: one.file):
            shown = list(of_file)
            yield from map(str, shown[:_SHOWN])
            if len(shown) > _SHOWN:
                yield f"{file}: and {len(shown) - _SHOWN} more (--json lists all)."

    def __str__(self) -> str:
        lines = [*self.lines(self.problems), *self.lines(self.warnings)]
        if any(finding.row is not None for finding in (*self.problems, *self.warnings)):
            lines.append("Row 1 is the first below the header.")
        return "\n".join([*lines, self.summary])


@dataclass
class _FileFindings:
    file: str
    rows: int = 0
    problems: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    days_of: dict[str, pl.DataFrame] = field(default_factory=dict)
    """Its days, by table of staging."""

    def judge(self, one: days.DayFinding) -> None:
        report = self.problem if one.is_error else self.warn
        report(one.message, row=one.row, column=one.column)

    def problem(self, message: str, **where: object) -> None:
        self.problems.append(Finding(file=self.file, message=message, **where))  # pyright: ignore[reportArgumentType]

    def warn(self, message: str, **where: object) -> None:
        self.warnings.append(Finding(file=self.file, message=message, **where))  # pyright: ignore[reportArgumentType]


Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


def validate_staging_data(path_or_glob: Paths) -> ValidationReport:
    """Check staging's Parquet files or the legacy pipeline's tables; print the findings, and return them.

    Days are judged by the rules of the asset checks; what is missing between two months is found across files.

    ``path_or_glob``: a file, a folder (every Parquet and CSV file in it), a pattern as ``data/staging/**/*.parquet`` or
    ``old/tiktok_metrics_*.csv``, or several of these. What cannot be read is a problem in the report, not an
    exception.
    """
    report = validate(path_or_glob)
    print(report)
    return report


def validate(path_or_glob: Paths, *, today: dt.date | None = None) -> ValidationReport:
    """As ``validate_staging_data``, without printing."""
    today = today or dt.datetime.now(dt.UTC).date()
    several = [path_or_glob] if isinstance(path_or_glob, str | os.PathLike) else list(path_or_glob)
    found: dict[str, _FileFindings] = {}
    for one in several:
        files = list(_files(os.fspath(one)))
        for path in files:
            if str(path) not in found:
                found[str(path)] = _check_file(path, today)
        if not files:
            nothing = _FileFindings(file=os.fspath(one))
            nothing.problem("there is no such file, and no Parquet or CSV file matches it")
            found[nothing.file] = nothing
    for one in days.judged(_staged_days(found.values())):
        found[one.file].judge(one)
    return ValidationReport(
        files=tuple(found),
        rows=sum(one.rows for one in found.values()),
        problems=tuple(problem for one in found.values() for problem in one.problems),
        warnings=tuple(warning for one in found.values() for warning in one.warnings),
    )


def _staged_days(found: Iterable[_FileFindings]) -> Iterator[pl.DataFrame]:
    """The days of each daily table of staging, over all its files: a month goes on in the next one."""
    for name in TABLES:
        if of_table := [one.days_of[name] for one in found if name in one.days_of and one.days_of[name].width]:
            yield pl.concat(of_table, how="diagonal")


def _files(text: str) -> Iterator[Path]:
    path = Path(text).expanduser()
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from sorted(file for file in path.rglob("*") if file.suffix.lower() in (".parquet", ".csv"))
    else:
        pattern = path.relative_to(path.anchor) if path.is_absolute() else path
        yield from sorted(file for file in Path(path.anchor).glob(str(pattern)) if file.is_file())


def _check_file(path: Path, today: dt.date) -> _FileFindings:
    found = _FileFindings(file=str(path))
    try:
        if path.suffix.lower() == ".parquet":
            _staged(path, found, today)
        elif path.suffix.lower() == ".csv":
            _legacy_table(path, found, today)
        else:
            found.problem("is neither a Parquet file of staging nor a CSV file of the legacy pipeline")
    except (OSError, ExportProblem, pl.exceptions.PolarsError) as error:
        found.problem(f"cannot be read ({str(error).rstrip('.')})")
    return found


# --- Parquet files of staging ----------------------------------------------------------------------------------------


def _staged(path: Path, found: _FileFindings, today: dt.date) -> None:
    # Without hive partitioning: Polars would add columns from the names of the folders.
    rows = pl.read_parquet(path, hive_partitioning=False)
    found.rows = rows.height
    name = _table_of(path, rows)
    is_flat = not any(column.is_nested() for column in rows.dtypes)  # as every table of the legacy pipeline was
    if name is None and is_flat and (names := legacy.current_names(rows.columns, path.name)):
        texts = rows.select(pl.all().cast(pl.String, strict=False).fill_null(""))
        of_rows = [dict(zip(names, row, strict=True)) for row in texts.iter_rows()]
        _legacy_rows(rows.columns, names, of_rows, found, today)
        return
    if name is None:
        found.problem(
            f"is not a table of staging: it is in no table's folder, and no report has its columns "
            f"({', '.join(rows.columns)[:200]})"
        )
        return
    if rows.is_empty():
        found.warn("has no rows; staging does not write such files")
    _breaks_schema(TABLES[name], rows, found)
    _in_wrong_partition(path, rows, found)
    report = next((report for report in REPORTS if report.name == name), None)
    key = ["account", *report.grain] if report else list(GRAIN) if name == STREAMS.name else []
    if key and set(key) <= set(rows.columns):
        _twice(key, rows, found)
    if report and report.grain == ("date",) and rows.schema.get("account") == pl.String():
        found.days_of[name] = _days(rows, found.file)


def _days(rows: pl.DataFrame, file: str) -> pl.DataFrame:
    """The counts of a daily table, for the rules; a column of a wrong type is a problem already."""
    counts = [name for name in days.COUNTS if rows.schema.get(name) == pl.Int64()]
    if rows.schema.get("date") != pl.Date():
        return pl.DataFrame()
    numbered = rows.with_columns(file=pl.lit(file), row=pl.int_range(1, pl.len() + 1))
    return numbered.select("account", "date", "file", "row", *counts)


def _table_of(path: Path, rows: pl.DataFrame) -> str | None:
    """The table by its folder in staging, else by its columns."""
    parts = path.absolute().parts
    named = [after for before, after in itertools.pairwise(parts) if before == "staging"]
    if named and named[-1] in TABLES:
        return named[-1]
    alike = [name for name, schema in TABLES.items() if set(schema.to_schema().columns) == set(rows.columns)]
    return alike[0] if alike else None


def _breaks_schema(schema: type[pa.DataFrameModel], rows: pl.DataFrame, found: _FileFindings) -> None:
    try:
        schema.validate(rows, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        cases = errors.failure_cases.unique(maintain_order=True)
    else:
        return
    of_type = {column for column, check in cases.select("column", "check").rows() if check.startswith("dtype")}
    for case in cases.iter_rows(named=True):
        column, check, value, row = case["column"], case["check"], case["failure_case"], case["index"]
        number = None if row is None else row + 1
        if check == "column_in_dataframe":
            found.problem("is missing", column=value)
        elif check == "column_in_schema":
            found.problem("is not a column of staging", column=value)
        elif check.startswith("dtype"):
            found.problem(f"holds {value}, not {re.sub(r'dtype|[()]', '', check).strip(chr(39))}", column=column)
        elif check == "not_nullable":
            found.problem("must not be empty", row=number, column=column)
        elif "multiple_fields_uniqueness" in check or "unique" in check:
            pass  # duplicate rows are reported one by one
        elif column not in of_type:  # bounds mean nothing for values of the wrong type
            bound, _, limit = check.partition("(")
            found.problem(
                f"{_BOUND.get(bound, f'breaks {bound}')} {limit.rstrip(')')}".strip(),
                row=number,
                column=column,
                value=value,
            )


def _in_wrong_partition(path: Path, rows: pl.DataFrame, found: _FileFindings) -> None:
    partition = {match[1]: match[2] for part in path.parts if (match := _PARTITION.match(part))}
    numbered = rows.with_row_index("_row", offset=1)
    if "account" in partition and rows.schema.get("account") == pl.String():
        for row, value in numbered.filter(pl.col("account") != partition["account"]).select("_row", "account").rows():
            found.problem(f"is in the folder of {partition['account']}", row=row, column="account", value=value)
    if "date" in partition and rows.schema.get("date") == pl.Date():
        outside = pl.col("date").dt.truncate("1mo").cast(pl.String) != partition["date"]
        for row, value in numbered.filter(outside).select("_row", pl.col("date").cast(pl.String)).rows():
            found.problem(f"is in the folder of the month {partition['date'][:7]}", row=row, column="date", value=value)


def _twice(key: Sequence[str], rows: pl.DataFrame, found: _FileFindings) -> None:
    numbered = rows.with_row_index("_row", offset=1).with_columns(_first=pl.col("_row").first().over(key))
    for row in numbered.filter(pl.col("_row") != pl.col("_first")).iter_rows(named=True):
        what = ", ".join(str(row[name]) for name in key)
        found.problem(f"repeats row {row['_first']}", row=row["_row"], column=" + ".join(key), value=what)


# --- CSV files of the legacy pipeline --------------------------------------------------------------------------------


def _legacy_table(path: Path, found: _FileFindings, today: dt.date) -> None:
    with open_members(path) as members:
        table = read_table(members[0])
    names = legacy.current_names(table.header, path.name)
    if names is None:
        found.problem(
            "is not a table of the legacy pipeline, which has a date, Video Views or reach, and artist or Year (its "
            f"columns: {', '.join(table.header)[:200]}). If it is an export, run `tiktok-assets inspect`"
        )
        return
    if len(set(names)) < len(names):
        twin = next(name for name in names if names.count(name) > 1)
        found.problem("two columns have this meaning; it is unknown which one is right", column=twin)
        return
    _legacy_rows(table.header, names, list(_texts(table, names)), found, today)


def _legacy_rows(
    header: Sequence[str], names: tuple[str, ...], rows: list[dict[str, str]], found: _FileFindings, today: dt.date
) -> None:
    for name in legacy.EXPECTED:
        if name not in names:
            found.warn("the column is missing; its values are unknown", column=name)
    for written, name in zip(header, names, strict=True):
        if name == written and name not in {*legacy.CURRENT_NAMES.values(), "account", "platform"}:
            found.warn("is not a column of the legacy pipeline; it was not checked", column=name)
    found.rows = len(rows)
    if not rows:
        found.warn("has no rows")
    wrong, doubtful = legacy.faults(rows, today)
    for fault in wrong:
        found.problem(fault.message, row=fault.row, column=fault.column, value=fault.value)
    for fault in doubtful:
        found.warn(fault.message, row=fault.row, column=fault.column, value=fault.value)
    for one in days.judged([legacy.days(rows, found.file)]):
        found.judge(one)


def _texts(table: Table, names: tuple[str, ...]) -> Iterator[dict[str, str]]:
    frame = table.rows.lazy().drop(ROW).collect()
    for row in frame.iter_rows():
        yield dict(zip(names, (cell or "" for cell in row), strict=True))
