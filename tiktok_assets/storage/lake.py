"""The folders of the data lake, and the only way a file gets into them: whole, or not at all.

Belongs here: paths, atomic writes, reading of many Parquet files; on this machine or any storage fsspec knows.
Does not belong here: what the tables mean, Dagster, DuckDB.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from upath import UPath

from tiktok_assets.exports.provenance import READER_VERSION
from tiktok_assets.settings import Settings

_RAW_NAME = re.compile(r"^(\d{8}T\d{6}Z_[0-9a-f]{12})(?:_v\w+)?\.parquet$")


@dataclass(frozen=True)
class Lake:
    """All layers of one installation."""

    settings: Settings

    def months_kept(self, months: Iterable[dt.date]) -> list[dt.date]:
        """Of ``months``, those that have a partition: from the first month kept to the current one."""
        today = dt.datetime.now(dt.UTC).date()
        return [month for month in months if self.settings.start_date <= month <= today]

    def raw_folder(self, report: str, account: str) -> UPath:
        """One immutable file per export."""
        return self.settings.raw / report / f"account={account}"

    def raw_file(self, report: str, account: str, downloaded_at: dt.datetime, export_id: str) -> UPath:
        version = "" if READER_VERSION == "1" else f"_v{READER_VERSION}"
        return self.raw_folder(report, account) / f"{downloaded_at:%Y%m%dT%H%M%SZ}_{export_id[:12]}{version}.parquet"

    def partition_file(self, layer: str, table: str, account: str, month: dt.date) -> UPath:
        """The file of one partition of a staging or curated table."""
        return self.settings.data_dir / layer / table / f"account={account}" / f"date={month}" / "data.parquet"

    def raw_files(self, report: str, account: str) -> list[UPath]:
        """The files of a report, of each export the one that the newest reader wrote."""
        newest: dict[str, UPath] = {}
        for path in sorted(files_in(self.raw_folder(report, account)), key=lambda path: (len(path.name), path.name)):
            if match := _RAW_NAME.match(path.name):
                newest[match.group(1)] = path
        return list(newest.values())

    def write(self, path: UPath, rows: pl.DataFrame | pl.LazyFrame) -> None:
        """Store ``rows`` as one Parquet file, replacing what is there."""
        if not isinstance(path, Path):
            buffer = io.BytesIO()
            rows.lazy().sink_parquet(buffer)
            path.write_bytes(buffer.getvalue())
            return
        with self._scratch_for(path) as scratch:
            if isinstance(rows, pl.LazyFrame):
                rows.sink_parquet(scratch, maintain_order=True)
            else:
                rows.write_parquet(scratch)

    def write_bytes(self, path: UPath, content: bytes) -> None:
        """Store ``content`` as one file, replacing what is there."""
        if not isinstance(path, Path):
            path.write_bytes(content)
            return
        with self._scratch_for(path) as scratch:
            scratch.write_bytes(content)

    @contextlib.contextmanager
    def _scratch_for(self, path: Path) -> Iterator[Path]:
        """A file outside the scanned folders; flushed to disk and renamed to ``path`` when the block succeeds."""
        folder = self.settings.state / "scratch"
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder)
        os.close(handle)
        scratch = Path(name)
        try:
            yield scratch
            with scratch.open("rb") as file:
                os.fsync(file.fileno())
            scratch.chmod(0o644)
            path.parent.mkdir(parents=True, exist_ok=True)
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)

    def remove(self, path: UPath) -> None:
        """Delete one file if it is there."""
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


def read_parquet(paths: Iterable[UPath], where: pl.Expr | None = None) -> pl.DataFrame:
    """The rows of many files; columns that only some of them have are null in the others. Empty without files."""
    frames = [pl.scan_parquet(path if isinstance(path, Path) else io.BytesIO(path.read_bytes())) for path in paths]
    if not frames:
        return pl.DataFrame()
    rows = pl.concat(frames, how="diagonal")
    return (rows if where is None else rows.filter(where)).collect()


@contextlib.contextmanager
def local_copy(path: UPath) -> Iterator[Path]:
    """``path`` as a file of this machine with the same name and time, for programs that read only such."""
    if isinstance(path, Path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="tiktok-assets-") as folder:
        copy = Path(folder) / path.name
        with path.open("rb") as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target)
        changed = path.stat().st_mtime
        os.utime(copy, (changed, changed))
        yield copy


def files_in(folder: UPath) -> list[UPath]:
    """The files in ``folder``; none where it does not exist. A folder that cannot be read is an error, not empty."""
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []
