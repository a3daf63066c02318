"""An account exported three times: windows overlap, labels run ahead once, and the last visit changes one number."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from tiktok_assets.pipeline.process import process
from tiktok_assets.settings import Settings
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.exports import GeneratedExport, Quirks, land, studio_exports
from tiktok_assets.simulator.files import zip_bytes
from tiktok_assets_tests.instances import fresh
from tiktok_assets_tests.landing_files import drop, insights

ACCOUNT = SimulatedAccount.generate("north.pier", 5, date(2024, 10, 1), date(2025, 3, 31))
RESTATED = date(2025, 1, 12)
"""The last visit reports one view more for this day than the one before."""
TRUE_VIEWS = ACCOUNT.daily.filter(day=RESTATED)["video_views"].item()


@dataclasses.dataclass(frozen=True)
class Visit:
    """All sections exported at a moment, for the labels ``first`` to ``last``."""

    at: datetime
    first: date
    last: date
    quirks: Quirks = dataclasses.field(default_factory=Quirks)
    more_views: int = 0


VISITS = (
    Visit(datetime(2025, 1, 20, 16, 20, 30, tzinfo=UTC), date(2024, 12, 10), date(2025, 1, 19)),
    # At 23:45 UTC the account's own date is a day ahead, and so are the labels.
    Visit(
        datetime(2025, 1, 28, 23, 45, 2, tzinfo=UTC),
        date(2025, 1, 4),
        date(2025, 1, 28),
        Quirks(label_shift=1, viewers_offset=1, undefined_trailing=1),
    ),
    Visit(datetime(2025, 2, 6, 16, 20, 30, tzinfo=UTC), date(2025, 1, 1), date(2025, 2, 5), more_views=1),
)


SONG = """
[songs.demo]
title = "Demo"
artist = "North"
release_date = 2025-05-02
hashtags = ["newmusic", "fyp"]
"""


def installation(folder: Path) -> Settings:
    """An empty one for the account ``north`` alone, and a song."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "songs.toml").write_text(SONG)
    (folder / "accounts.toml").write_text('[accounts.north]\nhandle = "north.pier"\ntimezone = "Asia/Seoul"\n')
    files = {"accounts_file": folder / "accounts.toml", "songs_file": folder / "songs.toml"}
    return Settings.model_validate({"data_dir": folder / "data", **files})


def landed(settings: Settings, visits: Sequence[Visit]) -> None:
    """The files of ``visits``; the first visit reads insights along."""
    for visit in visits:
        folder = Path(str(settings.landing)) / "north" / f"{visit.at:%Y-%m-%d}"
        for export in studio_exports(ACCOUNT, visit.first, visit.last, downloaded_at=visit.at, quirks=visit.quirks):
            land(_with_more_views(export, visit.more_views), folder)
        if visit is VISITS[0]:
            drop(insights("north.pier", at=visit.at), folder, "Insights.json")


def processed(settings: Settings) -> Settings:
    """What is landed goes to the warehouse."""
    with fresh() as instance:
        assert process(settings, instance=instance).is_clean
    return settings


def _with_more_views(export: GeneratedExport, more: int) -> GeneratedExport:
    """The export as TikTok would report it after counting again."""
    if not more or "Overview.csv" not in export.members:
        return export
    label = f'"{RESTATED:%B} {RESTATED.day}",'.encode()
    cell = re.compile(rb"(?<=" + re.escape(label) + rb')"(\d+)"')
    content = cell.sub(lambda match: b'"%d"' % (int(match[1]) + more), export.members["Overview.csv"])
    assert content != export.members["Overview.csv"]
    members = {**export.members, "Overview.csv": content}
    return dataclasses.replace(export, members=members, content=zip_bytes(members, export.downloaded_at))
