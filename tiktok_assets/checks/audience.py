"""What is promised of an account's audience beside its schema. A broken promise warns and stops nothing."""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg
import polars as pl

from tiktok_assets.checks.schema import where
from tiktok_assets.curated.clock import disagreements
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
    more = f" And {len(found) - 1} more." if len(found) > 1 else ""
    return [
        dg.AssetCheckResult(
            check_name=_NAME,
            passed=not found,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{found[0][0]}: {found[0][2]}{more}" if found else None,
            metadata={**where(part), "accounts": ", ".join(account for account, _, _ in found) or "none"},
        )
    ]
