"""From a login to the warehouse in a running Dagster: the browser lands what is missing, the sensor does the rest."""

from __future__ import annotations

import contextlib
import datetime as dt
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from tiktok_assets.accounts import Account
from tiktok_assets.exports.windows import last_day_with_data
from tiktok_assets.settings import Settings
from tiktok_assets.simulator.studio import StudioWorld, totp
from tiktok_assets.studio.login import SimulatorLogin, log_in
from tiktok_assets.studio.session import Session
from tiktok_assets_tests.e2e.dagster_dev import DagsterDev
from tiktok_assets_tests.e2e.running.conftest import EXTRACTED

pytestmark = pytest.mark.e2e

LANDING = [f"landing/{section}" for section in ("overview", "viewers", "followers", "content", "insights")]


@dataclass(frozen=True)
class Extraction:
    """A login, a backfill of the landing assets over this month and the one before, and a run of the same once more."""

    session: Session
    months: list[str]
    first: list[dict[str, Any]]
    again: dict[str, Any]


@pytest.fixture(scope="module")
def extraction(dagster_dev: DagsterDev, simulator: tuple[StudioWorld, str]) -> Extraction:
    world, address = simulator
    login = world.accounts[EXTRACTED]
    secret = str(login.totp_secret)
    owner = SimulatorLogin(handle=EXTRACTED, password=login.password, code=lambda: totp(secret, world.now()))
    settings = Settings(data_dir=UPath(dagster_dev.home / "data"), studio_url=address)
    session = log_in(settings, Account(key=EXTRACTED, handle=EXTRACTED), headless=True, help_with=owner)
    this_month = dt.datetime.now(dt.UTC).date().replace(day=1)
    months = [(this_month - dt.timedelta(days=1)).replace(day=1).isoformat(), this_month.isoformat()]
    keys = [f"{EXTRACTED}|{month}" for month in months]
    backfill = dagster_dev.backfill(LANDING, keys)
    query = f"select 1 from content_performance where account = '{EXTRACTED}'"
    dagster_dev.wait_for("the extracted rows in the warehouse", lambda: dagster_dev.published(query).height)
    first = dagster_dev.runs(**{"dagster/backfill": backfill})  # Dagster checks every 30 s whether it has ended
    again = dagster_dev.launch(LANDING, keys[0], keys[-1])
    return Extraction(session, months, first, again)


def test_a_backfill_of_landing_is_one_visit_and_the_sensor_brings_it_to_the_warehouse(
    dagster_dev: DagsterDev, simulator: tuple[StudioWorld, str], extraction: Extraction
) -> None:
    world, _ = simulator
    assert [run["status"] for run in extraction.first] == ["SUCCESS"]
    assert [export.section for export in world.exports.made] == ["overview", "viewers", "followers", "content"]
    found = dagster_dev.published(
        f"select date_label, video_views from social_media_stats where account = '{EXTRACTED}' "
        "and video_views is not null order by 1"
    )
    expected = world.exports.made[0].generated.expected["overview"]
    assert found.rows() == [(row["date_label"], row["video_views"]) for row in expected]
    assert found["date_label"][0].isoformat() == extraction.months[0]
    assert found["date_label"][-1] >= last_day_with_data(world.now())


def test_the_same_months_again_request_nothing_from_studio(
    simulator: tuple[StudioWorld, str], extraction: Extraction
) -> None:
    assert extraction.again["status"] == "SUCCESS"
    assert len(simulator[0].exports.made) == 4


def test_secrets_are_only_in_the_session_file(
    dagster_dev: DagsterDev, simulator: tuple[StudioWorld, str], extraction: Extraction
) -> None:
    login = simulator[0].accounts[EXTRACTED]
    cookies = {cookie["name"]: cookie["value"] for cookie in extraction.session.state["cookies"]}
    holders: dict[str, set[str]] = {
        secret: set() for secret in (login.password, str(login.totp_secret), *cookies.values())
    }
    names = set[str]()
    for path, content in _everything(dagster_dev.home):
        names.add(path.name)
        for secret, found in holders.items():
            if secret.encode() in content:
                found.add(path.name)
    assert any(name.endswith(".db") for name in names)  # Dagster's event log is searched too
    for secret, found in holders.items():
        assert found <= {f"{EXTRACTED}.json"}, secret
    assert holders[cookies["sessionid"]]


def _everything(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file, and every member of every archive."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield path, path.read_bytes()
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive, contextlib.suppress(zipfile.BadZipFile):  # a bomb
                    yield from ((path, archive.read(name)) for name in archive.namelist())
