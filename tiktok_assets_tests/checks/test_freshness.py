"""Freshness by days of data: who is late, and what the check shows; it is seen broken on a lake."""

from __future__ import annotations

import datetime as dt

import dagster as dg
import pytest

from tiktok_assets import clock
from tiktok_assets.assets.freshness import freshness_result
from tiktok_assets.checks.evaluation import broken_for
from tiktok_assets.graph import build_definitions
from tiktok_assets.reporting.freshness import LATE_AFTER, Freshness, freshness
from tiktok_assets.settings import Settings
from tiktok_assets_tests.instances import fresh
from tiktok_assets_tests.landing_files import LAST, overview_processed
from tiktok_assets_tests.made_once import MadeOnce

DAY = dt.timedelta(days=1)
EVENING = dt.datetime.combine(LAST + DAY, dt.time(18), dt.UTC)
"""When Studio has the numbers of the last day of ``overview_processed`` and of no later one."""


def of(account: str, days_behind: int) -> Freshness:
    return Freshness(account=account, last=LAST, days_behind=days_behind)


def test_an_account_is_as_late_as_the_newest_day_people_can_query(settings: Settings, made_once: MadeOnce) -> None:
    overview_processed(settings, made_once)
    for days, is_late in ((0, False), (LATE_AFTER, False), (LATE_AFTER + 1, True)):
        (found,) = freshness(settings, ["pig1987", "zonea0"], EVENING + days * DAY)
        assert (found.account, found.last, found.days_behind, found.is_late) == ("pig1987", LAST, days, is_late)


def test_without_a_warehouse_nobody_is_judged(settings: Settings) -> None:
    assert freshness(settings, ["pig1987"], EVENING) == []


def test_the_check_names_each_late_account_and_its_days() -> None:
    kept = freshness_result([of("a", LATE_AFTER)])
    assert (kept.passed, kept.description) == (True, None)
    broken = freshness_result([of("a", 12), of("b", 9), of("c", 1)])
    assert (broken.passed, broken.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert broken.description == (
        "a: the numbers end on 20 Jun 2025, 12 days behind what Studio can have. This concerns a, b."
    )
    assert (broken.metadata["accounts_judged"].value, broken.metadata["accounts_late"].value) == (3, 2)
    assert "| c | 2025-06-20 | 1 |" in str(broken.metadata["accounts"].value)


def test_the_job_of_the_reports_judges_it_though_no_table_changed(
    settings: Settings, made_once: MadeOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    overview_processed(settings, made_once)
    monkeypatch.setattr(clock, "now", lambda: EVENING + 30 * DAY)
    check = dg.AssetCheckKey(dg.AssetKey(["warehouse", "social_media_stats"]), "is_fresh")
    job = build_definitions(settings).resolve_job_def("refresh_reports")
    judging = job.get_subset(asset_selection=set(), asset_check_selection={check})  # without the pages
    with fresh() as instance:
        run = judging.execute_in_process(instance=instance)
        (found,) = run.get_asset_check_evaluations()
    assert broken_for(found) == {
        "pig1987": "pig1987: the numbers end on 20 Jun 2025, 30 days behind what Studio can have."
    }
