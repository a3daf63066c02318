"""Parsing: every byte of many ZIPs to typed rows, against Polars reading the same members' bytes once, as text."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections import defaultdict
from pathlib import Path

import polars as pl

from benchmarks.timing import Pair, side_by_side
from tiktok_assets.reports import REPORTS
from tiktok_assets.reports.reading import open_export
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.exports import Section, land, studio_export

SECTIONS: tuple[Section, ...] = ("overview", "viewers", "followers", "content")
KINDS: dict[str, tuple[Section, ...]] = {"Followers": ("followers",), "mixed": SECTIONS}
LAST = dt.date(2026, 9, 30)


def generate(folder: Path, zips: int, sections: tuple[Section, ...] = SECTIONS, days: int = 365) -> list[Path]:
    """``zips`` exports, ``len(sections)`` per account, with a window of ``days`` each."""
    paths = []
    moment = dt.datetime.combine(LAST + dt.timedelta(days=1), dt.time(18), dt.UTC)
    for number in range(zips):
        seed, section = divmod(number, len(sections))
        account = SimulatedAccount.generate(f"bench{seed}", seed, LAST - dt.timedelta(days), LAST)
        window = LAST - dt.timedelta(days - 1), LAST
        paths.append(land(studio_export(account, sections[section], *window, downloaded_at=moment), folder))
    return paths


def parse(paths: list[Path]) -> int:
    """What raw and staging do with them: each export to text with provenance, each report to typed and checked rows."""
    frames = defaultdict(list)
    for path in paths:
        with open_export(path) as export:
            for member, rows in export.frames(account="bench", source=path.name):
                frames[member.report.name].append(rows)
    typed = [report.parse(pl.concat(frames[report.name])) for report in REPORTS if report.name in frames]
    return sum(rows.height for rows in typed)


def measure(folder: Path, zips: int = 1000) -> list[Pair]:
    """A thousand Followers ZIPs (four files each), and a thousand ZIPs of all four sections in turn."""
    pairs = []
    for name, sections in KINDS.items():
        paths = generate(folder / name, zips, sections)
        members = [zipfile.ZipFile(path).read(entry) for path in paths for entry in zipfile.ZipFile(path).namelist()]

        def floor(members: list[bytes] = members) -> None:
            for content in members:
                pl.read_csv(content, infer_schema=False)

        def ours(paths: list[Path] = paths) -> None:
            parse(paths)

        pairs.append(side_by_side(f"parse {zips:,} {name} ZIPs ({len(members):,} files)", ours, floor, rounds=3))
    return pairs
