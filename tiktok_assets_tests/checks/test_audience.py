"""The promise about the account's timezone, kept and broken."""

from __future__ import annotations

from datetime import date

import dagster as dg
import polars as pl

from tiktok_assets.checks import table as checks
from tiktok_assets.curated.audience.audience import AUDIENCE
from tiktok_assets.partitions import PartitionRange
from tiktok_assets_tests.curated.frames import active, parameters

PARTITIONS = PartitionRange(("a", "b"), (date(2026, 3, 1),))


def check_results(
    rows: pl.DataFrame, timezones: dict[str, str], partitions: PartitionRange
) -> list[dg.AssetCheckResult]:
    return checks.check_results(AUDIENCE, rows, partitions, parameters(timezones=timezones))


def test_a_timezone_that_the_exports_disprove_warns_and_names_account_and_remedy() -> None:
    rows = active(2)
    (spec,) = (spec for spec in checks.check_specs(AUDIENCE) if spec.name != "keeps_schema")
    (kept,) = check_results(rows, {"a": "Europe/Athens"}, PARTITIONS)
    assert (kept.check_name, kept.passed, kept.description) == (spec.name, True, None)
    (broken,) = check_results(rows, {"a": "Asia/Seoul"}, PARTITIONS)
    assert (broken.passed, broken.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert broken.description is not None
    assert broken.description.startswith("a: accounts.toml says Asia/Seoul, UTC+9")
    assert broken.metadata is not None
    assert broken.metadata["accounts"].value == "a"


def test_hours_outside_the_range_are_not_judged() -> None:
    (found,) = check_results(active(2), {"a": "Asia/Seoul"}, PartitionRange(("b",), PARTITIONS.months))
    assert found.passed
