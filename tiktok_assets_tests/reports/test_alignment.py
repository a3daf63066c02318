"""Labels that run ahead, from dropped files to the warehouse: one row per real day, whichever export came first."""

from __future__ import annotations

import datetime as dt
import json
from itertools import permutations
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
import pytest

from tiktok_assets.inbox.receipts import receipts
from tiktok_assets.pipeline.process import Result, process
from tiktok_assets.settings import Settings
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.exports import GeneratedExport, Quirks, Section, land, studio_export
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.raw import raw_of_account
from tiktok_assets_tests import budget
from tiktok_assets_tests.budget import rounds
from tiktok_assets_tests.instances import fresh
from tiktok_assets_tests.lake_contents import differing, tables
from tiktok_assets_tests.made_once import MadeOnce

TRUTH = SimulatedAccount.generate("pig1987", 11, dt.date(2024, 11, 1), dt.date(2025, 6, 30))


def export(
    first: str, last: str, downloaded_at: str, *, shift: int = 0, section: Section = "overview"
) -> GeneratedExport:
    days = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    moment = dt.datetime.fromisoformat(downloaded_at).replace(tzinfo=dt.UTC)
    return studio_export(TRUTH, section, *days, downloaded_at=moment, quirks=Quirks(label_shift=shift))


# Ahead by a day, without evidence of it: it was downloaded weeks after its last day.
AHEAD = export("2025-01-01", "2025-01-31", "2025-03-02T18:20:30", shift=1)
# As labelled, up to the last available day.
PLAIN = export("2025-01-20", "2025-02-28", "2025-03-01T18:20:30")
# Ahead, with evidence of it: its last label is the day of the download.
TELLING = export("2025-02-10", "2025-03-10", "2025-03-10T23:20:30", shift=1)


def take(settings: Settings, *exports: GeneratedExport, instance: dg.DagsterInstance | None = None) -> Result:
    """Drop and process; the result."""
    for one in exports:
        land(one, Path(str(settings.landing)) / "pig1987" / one.name)
    return process(settings, instance=instance or fresh())


def taken(settings: Settings, made_once: MadeOnce, *exports: GeneratedExport) -> None:
    """The same as the first of an installation, for several tests."""

    def make() -> None:
        assert take(settings, *exports).is_clean

    made_once.fill(Path(str(settings.data_dir)), f"aligned {' '.join(one.name for one in exports)}", make)


def days(settings: Settings) -> pl.DataFrame:
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        query = "select date, video_views, date_label, date_shift_days, export_id from social_media_stats order by date"
        return pl.DataFrame(connection.sql(query).to_arrow_table())


def views_are_true(found: pl.DataFrame) -> bool:
    truths = [TRUTH.on(day) for day in found["date"]]
    return found["video_views"].to_list() == [truth.video_views for truth in truths if truth]


def test_a_single_export_without_evidence_keeps_its_labels(settings: Settings, made_once: MadeOnce) -> None:
    taken(settings, made_once, AHEAD)
    found = days(settings)
    assert (found["date"][0], found["date"][-1]) == (dt.date(2025, 1, 1), dt.date(2025, 1, 31))
    assert set(found["date_shift_days"]) == {0}


def test_a_later_export_moves_the_earlier_one_and_its_months_are_rebuilt(
    settings: Settings, made_once: MadeOnce
) -> None:
    taken(settings, made_once, AHEAD)
    result = take(settings, PLAIN)
    assert result.is_clean
    found = days(settings)
    assert found["date"].to_list() == [dt.date(2024, 12, 31) + dt.timedelta(days=number) for number in range(60)]
    assert views_are_true(found)
    moved = found.filter(pl.col("date") < dt.date(2025, 1, 20))
    assert set(moved["date_shift_days"]) == {1}
    assert moved["date_label"].to_list() == [day + dt.timedelta(days=1) for day in moved["date"]]
    [account] = result.accounts
    assert (account.first_month, account.last_month) == (dt.date(2024, 12, 1), dt.date(2025, 2, 1))
    assert all(one.has_reached_all for one in receipts(Lake(settings), "pig1987"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, made_once: MadeOnce) -> Settings:
    """All three exports in one run."""
    folder = tmp_path_factory.mktemp("at-once")
    (folder / "accounts.toml").write_text("[accounts.pig1987]\n")
    settings = Settings.model_validate({"data_dir": folder / "data", "accounts_file": folder / "accounts.toml"})
    taken(settings, made_once, AHEAD, PLAIN, TELLING)
    return settings


@pytest.fixture(scope="module")
def at_once(whole: Settings) -> pl.DataFrame:
    return days(whole)


def test_each_real_day_appears_once_with_its_own_number(at_once: pl.DataFrame) -> None:
    assert at_once["date"].to_list() == [dt.date(2024, 12, 31) + dt.timedelta(days=number) for number in range(69)]
    assert views_are_true(at_once)


@budget.in_the_long_run
@pytest.mark.parametrize("number", rounds(1, at_most=6))
def test_the_same_exports_make_the_same_tables_in_any_order(
    number: int, settings: Settings, whole: Settings, made_once: MadeOnce
) -> None:
    order = [*permutations((TELLING, PLAIN, AHEAD))][number]
    taken(settings, made_once, order[0])
    for one in order[1:]:
        assert take(settings, one).is_clean
    assert differing(tables(settings), tables(whole)) == []


@budget.in_the_long_run
def test_a_run_logs_that_the_shift_of_an_older_export_changed(settings: Settings, made_once: MadeOnce) -> None:
    taken(settings, made_once, AHEAD)
    [before] = receipts(Lake(settings), "pig1987")
    assert before.shifts == {}
    history = fresh()
    take(settings, PLAIN, instance=history)
    after = {one.source: one.shifts for one in receipts(Lake(settings), "pig1987")}
    assert sorted(map(json.dumps, after.values())) == ['{"overview": 1}', "{}"]
    entries = [entry.user_message for run in history.get_runs() for entry in history.all_logs(run.run_id)]
    [said] = [entry for entry in entries if "date shift of its labels changed" in entry]
    assert "(days ahead of the real day: overview 0 -> 1)" in said


def test_nothing_is_processed_again_if_nothing_moved(settings: Settings, made_once: MadeOnce) -> None:
    taken(settings, made_once, AHEAD, PLAIN, TELLING)
    again = process(settings, instance=fresh())
    assert again.accounts == ()


def test_raw_keeps_the_labels_as_they_are(whole: Settings) -> None:
    raw = raw_of_account(Lake(whole), "overview", "pig1987")
    assert raw["date_label"].min() == dt.date(2025, 1, 1)
    assert raw.height == 31 + 40 + 29
    assert not any("shift" in name for name in raw.columns)
