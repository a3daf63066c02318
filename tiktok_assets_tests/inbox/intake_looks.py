"""Looks into the landing folders, for the tests of intake."""

from __future__ import annotations

from tiktok_assets.accounts import load_roster
from tiktok_assets.exports.provenance import READER_VERSION
from tiktok_assets.inbox.intake import Intake, take_in
from tiktok_assets.settings import Settings
from tiktok_assets.storage.changes import together
from tiktok_assets.storage.lake import Lake


def look(settings: Settings, *, settle_seconds: float = 0.0) -> Intake:
    return take_in(Lake(settings), load_roster(settings), settle_seconds=settle_seconds)


def landed(intake: Intake) -> list[tuple[str, str]]:
    """Account and place of each export that waits to be processed."""
    return [(one.account, one.source) for one in intake.landed]


def pretend_processed(settings: Settings, intake: Intake) -> None:
    """The receipts that a run leaves."""
    lake = Lake(settings)
    with together():
        for one in intake.landed:
            lake.write_bytes(lake.raw_folder("exports", one.account) / f"{one.export_id}.v{READER_VERSION}.json", b"{}")
