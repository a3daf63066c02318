"""Studio's exports of a simulated account: the ZIP, its name, its members, and what a correct reader must return.

    export = studio_export(account, "viewers", first, last, downloaded_at=moment, locale="el", file_format="csv",
                           quirks=Quirks(viewers_offset=1, undefined_trailing=1))
    export.name, export.content         # the ZIP as served
    export.expected["viewers"]          # one dict per row: date_label, true_day, the values under our names
    land(export, folder)                # as a browser would leave it there

The window is what a person picks in Studio, so it is in labels: with ``label_shift=1`` the label 5 March contains UTC
day 4 March. Labels whose day has no data yet (see ``available_until``) are left out, and an Overview ZIP is named after
the labels it contains. Content.csv totals are those of the moment of download, as in two real exports ten minutes
apart.

Belongs here: Studio's ZIPs. The CSV files of Business Suite are ``business_suite``, the rows ``reports``.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal, NamedTuple

from tiktok_assets.simulator import reports
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.files import Table, csv_bytes, xlsx_bytes, zip_bytes
from tiktok_assets.simulator.quirks import PLAIN, Quirks, available_until, usual_quirks
from tiktok_assets.simulator.reports import ExpectedRows
from tiktok_assets.simulator.visit import Visit

__all__ = [
    "SECTIONS",
    "GeneratedExport",
    "Quirks",
    "available_until",
    "land",
    "studio_export",
    "studio_exports",
    "usual_quirks",
]

Section = Literal["overview", "content", "viewers", "followers"]
FileFormat = Literal["csv", "xlsx"]


class Member(NamedTuple):
    """One file of a section's ZIP: its name without the ending, the report it contains, and how its rows are made."""

    stem: str
    report: str
    build: Callable[[Visit], tuple[Table, ExpectedRows]]


SECTIONS: Mapping[Section, tuple[Member, ...]] = {
    "overview": (Member("Overview", "overview", reports.overview),),
    "content": (Member("Content", "content", reports.content),),
    "viewers": (Member("Viewers", "viewers", reports.viewers),),
    "followers": (
        Member("FollowerHistory", "follower_history", reports.follower_history),
        Member("FollowerActivity", "follower_activity", reports.follower_activity),
        Member("FollowerGender", "follower_gender", reports.follower_gender),
        Member("FollowerTopTerritories", "follower_territories", reports.follower_territories),
    ),
}


@dataclass(frozen=True, kw_only=True)
class GeneratedExport:
    """One file as downloaded, and the truth it stands for.

    ``expected``: report -> one dict per row, in the order of the file: ``date_label`` (with its year; None in gender
    and territories), ``true_day``, and the typed values under the names of our staging tables. None is unknown: an
    ``undefined`` and the zeros beside it. Activity rows also contain ``is_zero_tail`` and ``hour_utc``.
    """

    name: str
    content: bytes
    members: Mapping[str, bytes]
    downloaded_at: datetime
    expected: Mapping[str, ExpectedRows]


def studio_export(
    account: SimulatedAccount,
    section: Section,
    first: date,
    last: date,
    *,
    downloaded_at: datetime,
    locale: str = "en",
    file_format: FileFormat = "csv",
    quirks: Quirks = PLAIN,
) -> GeneratedExport:
    """The ZIP of one section for the labels ``first``..``last``, made at ``downloaded_at`` (aware, UTC)."""
    if last < first:
        raise ValueError(f"{section} of {account.handle!r}: the window ends {last}, before it begins {first}")
    visit = Visit(account=account, first=first, last=last, downloaded_at=downloaded_at, locale=locale, quirks=quirks)
    built = {member: member.build(visit) for member in SECTIONS[section]}
    members = {
        f"{member.stem}.{file_format}": (
            csv_bytes(table, quirks) if file_format == "csv" else xlsx_bytes(table, member.stem, downloaded_at)
        )
        for member, (table, _) in built.items()
    }
    stamped = file_format == "csv" and quirks.stamp == "download"
    return GeneratedExport(
        name=_zip_name(visit, section),
        content=zip_bytes(members, downloaded_at if stamped else None),
        members=members,
        downloaded_at=downloaded_at,
        expected={member.report: expected for member, (_, expected) in built.items()},
    )


def studio_exports(
    account: SimulatedAccount,
    first: date,
    last: date,
    *,
    downloaded_at: datetime,
    locale: str = "en",
    file_format: FileFormat = "csv",
    quirks: Quirks = PLAIN,
) -> tuple[GeneratedExport, ...]:
    """All four sections in one visit, in the order of ``SECTIONS``."""
    return tuple(
        studio_export(
            account,
            section,
            first,
            last,
            downloaded_at=downloaded_at,
            locale=locale,
            file_format=file_format,
            quirks=quirks,
        )
        for section in SECTIONS
    )


def land(export: GeneratedExport, folder: Path) -> Path:
    """Writes the file into ``folder`` as a finished download: atomically, modified at ``downloaded_at``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / export.name
    unfinished = folder / f".{export.name}.part"
    unfinished.write_bytes(export.content)
    modified = export.downloaded_at.timestamp()
    os.utime(unfinished, (modified, modified))
    unfinished.replace(path)
    return path


def _zip_name(visit: Visit, section: Section) -> str:
    """Overview carries its first label and an epoch: the date of its last label, the time of day of the download."""
    handle = visit.account.handle
    stem = f"{section.capitalize()}_{handle}"
    if section == "overview":
        labels = [label for label, _ in visit.labelled_days()] or [visit.last]
        moment = datetime.combine(labels[-1], visit.downloaded_at.astimezone(UTC).time(), UTC)
        stem = f"Overview_{visit.first.isoformat()}_{int(moment.timestamp())}_{handle}"
    return f"{stem} (1).zip" if visit.quirks.duplicate_name else f"{stem}.zip"
