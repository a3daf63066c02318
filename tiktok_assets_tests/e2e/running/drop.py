"""Exports of made-up accounts, dropped into a running Dagster."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime

from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.exports import Section, land, studio_export
from tiktok_assets_tests.bombs import BOMBS
from tiktok_assets_tests.e2e.dagster_dev import DagsterDev

DOWNLOADED_AT = datetime(2026, 1, 1, 16, 20, 31, tzinfo=UTC)
WHOLE_YEAR = (date(2025, 1, 1), date(2025, 12, 31))
DROPPED = ("pig1987", "zonea0")
BOMBS_DROPPED = ("a value in the last row", "a sheet that states a little", "JSON that repeats what was asked")


def account(name: str) -> SimulatedAccount:
    """The truth about ``name``."""
    return SimulatedAccount.generate(name, 1, date(2024, 12, 1), date(2026, 1, 10))


def drop(dagster_dev: DagsterDev, name: str, section: Section, window: tuple[date, date]) -> None:
    export = studio_export(account(name), section, *window, downloaded_at=DOWNLOADED_AT)
    land(export, dagster_dev.landing / name)


def drop_a_year_of_two_accounts(dagster_dev: DagsterDev) -> float:
    """Overview of two accounts, beside bombs; waits until both can be queried, and returns the seconds it took."""
    begun = time.monotonic()
    for name in DROPPED:
        drop(dagster_dev, name, "overview", WHOLE_YEAR)

    for kind in BOMBS_DROPPED:
        name_of_file, content, _ = BOMBS[kind]
        folder = dagster_dev.landing / DROPPED[0] / kind
        folder.mkdir(parents=True)
        (folder / name_of_file).write_bytes(content())

    def both() -> bool:
        found = dagster_dev.published(f"select distinct account from social_media_stats where account in {DROPPED}")
        return found.height == len(DROPPED)

    dagster_dev.wait_for("both accounts in the published warehouse", both)
    return time.monotonic() - begun
