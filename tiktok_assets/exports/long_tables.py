"""A CSV file that is too large for memory: checked line by line, then read in pieces."""

from __future__ import annotations

import csv
import dataclasses
import itertools
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from tiktok_assets.exports.archive import Member
from tiktok_assets.exports.encodings import encoding_of, refuse_garbled, unproven
from tiktok_assets.exports.long_frames import PIECE
from tiktok_assets.exports.problems import BrokenFile
from tiktok_assets.exports.resaved import HEAD, IsHeader, header_row, table_in
from tiktok_assets.exports.text_rows import (
    LINK,
    ROW,
    SEPARATOR_LINE,
    SEPARATORS,
    TITLE,
    Table,
    header_of,
    is_bare,
    normal,
    ragged,
    separator_of,
    table_of,
    titled_line,
    unique,
)


def scan_csv(member: Member, path: Path, is_header: IsHeader | None) -> Table:
    """The table of a CSV file that is too large for memory: read where it is if it is plain CSV, else from a copy."""
    name, encoding = member.name, encoding_of(member.head)
    start = member.head.decode(encoding, errors="replace").lstrip("\ufeff\r\n")
    refuse_garbled(name, start)
    header = header_of(name, start.split("\n", 1)[0])
    is_bare = encoding == "utf-8-sig" and _has_bare_quotes(name, path, header)
    is_plain = encoding == "utf-8-sig" and not is_bare and (is_header is None or is_header(header))
    if member.scratch is None:
        return _scanned(name, path, header)
    copy = member.scratch / "plain.csv"
    if is_plain:
        table = _scanned(name, path, header)
    elif is_bare:
        _write_titled(name, path, copy, header)
        table = _scanned(name, copy, header)
    else:
        table = _copied(member, path, copy, encoding, start, is_header)
    return table if table.head else _compact(table, member.scratch / "table.parquet")


def _compact(table: Table, target: Path) -> Table:
    """The table from a Parquet file: of a CSV file every reader maps all bytes into memory, whatever it needs."""
    table.rows.lazy().sink_parquet(target, row_group_size=PIECE, maintain_order=True)
    return dataclasses.replace(table, rows=pl.scan_parquet(target))


def pieces(rows: pl.DataFrame | pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """The rows in their order, of a long table in pieces: batches of Polars are all read ahead."""
    if isinstance(rows, pl.DataFrame):
        yield rows
        return
    last = rows.select(pl.len()).collect(engine="streaming").item()
    for start in range(1, last + 1, PIECE):
        yield rows.filter(pl.col(ROW).is_between(start, start + PIECE - 1)).collect()


def _scanned(name: str, path: Path, header: tuple[str, ...]) -> Table:
    rows = pl.scan_csv(
        path,
        infer_schema=False,
        empty_string_is_null=False,
        with_column_names=lambda _: list(header),
        row_index_name=ROW,
        row_index_offset=1,
    )
    # A row with too many fields is an error of Polars; in one with too few, the last column is as good as empty.
    try:
        doubtful = pl.any_horizontal(pl.col(header).is_null()) | (pl.col(header[-1]) == "")
        suspects = rows.filter(doubtful).select(ROW).head(1).collect(engine="streaming").height
        ragged = _first_ragged(name, path, header) if suspects else None
    except pl.exceptions.PolarsError:
        ragged = _first_ragged(name, path, header) or BrokenFile(
            f"{name}: is not a well-formed CSV file. Export it again."
        )
    if ragged is not None:
        raise ragged
    return Table(header=header, rows=rows)


def _has_bare_quotes(name: str, path: Path, header: tuple[str, ...]) -> bool:
    """Whether all lines have Studio's form and a title has a quote that is not doubled, which no CSV reader can read.

    Raises BrokenFile for a line that is not UTF-8.
    """
    has_titles = {TITLE, LINK} <= set(map(normal, header))
    form, title = titled_line(header) if has_titles else (None, 0)
    found = False
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                text = line.decode()
            except UnicodeDecodeError as error:
                raise unproven(name, number, error.reason) from error
            if form is None or number == 1 or line.count(b'"') == 2 * len(header):
                continue
            match = form.fullmatch(text.rstrip("\r\n"))
            if match is None and text.strip():
                form = None
            elif match is not None:
                found = found or is_bare(match[title + 1])
    return found and form is not None


def _write_titled(name: str, path: Path, target: Path, header: tuple[str, ...]) -> None:
    """Write a Content.csv whose titles have quotes that are not doubled as plain CSV."""
    form, _ = titled_line(header)
    with path.open(encoding="utf-8-sig", newline="") as source, target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        next(source)
        writer.writerow(header)
        for number, line in enumerate(filter(str.strip, source), start=1):
            match = form.fullmatch(line.rstrip("\r\n"))
            if match is None:
                raise BrokenFile(f"{name}: row {number} is cut off or wrongly quoted. Export it again.")
            writer.writerow(match.groups())


def _copied(member: Member, path: Path, target: Path, encoding: str, start: str, is_header: IsHeader | None) -> Table:
    """The table of a file with another separator or encoding, or with rows above its header, from a plain copy.

    ``start``: the first lines of its text.
    """
    stated = SEPARATOR_LINE.match(start)
    separator = separator_of(start[stated.end() :] if stated else start, is_header, stated[1] if stated else None)
    notes = () if encoding == "utf-8-sig" else ("its text encoded in UTF-16",)
    notes += () if separator == "," else (f"its columns separated by {SEPARATORS[separator]}",)
    try:
        with path.open(encoding=encoding, newline="") as source, target.open("w", encoding="utf-8", newline="") as file:
            read = csv.reader((line.lstrip("\ufeff") for line in source), delimiter=separator, strict=True)
            rows = (row for row in read if any(map(str.strip, row)))
            head = list(itertools.islice(rows, HEAD))[1 if stated else 0 :]
            at = header_row(head, is_header) if is_header else 0
            if at is None or not head:
                return dataclasses.replace(table_of(unique(head[0] if head else ()), []), head=tuple(head))
            found = table_in(head, at)
            writer = csv.writer(file, lineterminator="\n")
            writer.writerows(head[at:])
            writer.writerows(rows)
    except (csv.Error, UnicodeDecodeError) as error:
        raise BrokenFile(f"{member.name}: is cut off or wrongly quoted. Export it again.") from error
    table = _scanned(member.name, target, unique(head[at]))
    return dataclasses.replace(table, saved_again=(*notes, *found.notes[: bool(at)]), above=tuple(found.above))


def _first_ragged(name: str, path: Path, header: tuple[str, ...]) -> BrokenFile | None:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(csv.reader(file, strict=True)):
                if row and len(row) != len(header):
                    return ragged(name, number, len(row), header)
    except (csv.Error, UnicodeDecodeError):
        return BrokenFile(f"{name}: is cut off or wrongly quoted. Export it again.")
    return None
