"""Alignment: judging the labels of all exports of an account with many exports, compared with one with half as many."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl

from benchmarks.timing import Pair, side_by_side
from tiktok_assets.exports.provenance import PROVENANCE
from tiktok_assets.reports.alignment import DAILY, verdicts
from tiktok_assets.reports.reading import open_export
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.exports import Quirks, Section, land, studio_export

LAST = dt.date(2026, 9, 30)
SECTIONS: tuple[Section, ...] = ("overview", "viewers", "followers", "content")


def raw_rows(folder: Path, visits: int, days: int = 28) -> dict[str, pl.DataFrame]:
    """The raw rows of ``visits`` daily visits of four exports each, every third labelled a day ahead."""
    truth = SimulatedAccount.generate("bench", 1, LAST - dt.timedelta(days=visits + days + 30), LAST)
    rows: dict[str, list[pl.DataFrame]] = {}
    for number in range(visits):
        last = LAST - dt.timedelta(days=visits - number)
        moment = dt.datetime.combine(last + dt.timedelta(days=1), dt.time(18), dt.UTC)
        for section in SECTIONS:
            quirks = Quirks(label_shift=int(number % 3 == 0), viewers_offset=1)
            made = studio_export(
                truth, section, last - dt.timedelta(days=days - 1), last, downloaded_at=moment, quirks=quirks
            )
            with open_export(land(made, folder / str(number))) as export:
                for member, frame in export.frames(account="bench", source=made.name):
                    rows.setdefault(member.report.name, []).append(frame.lazy().collect())
    daily = {report.name for report in DAILY} | {"content"}
    return {name: pl.concat(frames, how="diagonal") for name, frames in rows.items() if name in daily}


def measure(folder: Path, many: int = 200) -> list[Pair]:
    """``many`` visits compared with half as many: a linear cost doubles."""
    every = raw_rows(folder, many)
    newest = LAST - dt.timedelta(days=many // 2)
    cut = pl.lit(newest).cast(PROVENANCE["date_label"])
    half = {name: rows.filter(pl.col("downloaded_at").dt.date() > cut) for name, rows in every.items()}
    name = f"align {many} visits of an account, against {many // 2}"
    return [side_by_side(name, lambda: verdicts(every), lambda: verdicts(half), rounds=3)]
