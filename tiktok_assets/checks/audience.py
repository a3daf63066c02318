"""What is promised of an account's audience beside its schema. A broken promise warns and stops nothing."""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg
import polars as pl

from tiktok_assets.checks.evaluation import evaluation
from tiktok_assets.curated.audience.clock import disagreements
from tiktok_assets.partitions import Slice

_NAME = "timezone_is_that_of_the_exports"


def check_specs(key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    description = "The hours that exports tell are on the clock that accounts.toml names, where it names one."
    return [dg.AssetCheckSpec(_NAME, asset=key, description=description)]


def check_results(
    audience: pl.DataFrame, timezones: Mapping[str, str | None], part: Slice
) -> list[dg.AssetCheckResult]:
    """The promise of ``check_specs`` about the rows of ``part``. ``timezones``: by account."""
    found = disagreements(part.within(audience), timezones)
    broken = {account: f"{account}: {sentence}" for account, _, sentence in found}
    return [evaluation(_NAME, part, broken, facts={"accounts": ", ".join(broken) or "none"})]
