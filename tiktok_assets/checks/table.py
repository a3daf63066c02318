"""The promises of a curated table, checked on the partitions a run makes: its schema, and its own ``checks``.

A broken promise warns and stops nothing; a broken schema stops what is downstream. The findings and their sentences
are the table's. Does not belong here: the promises of staging (``staging``).
"""

from __future__ import annotations

import dagster as dg
import polars as pl

from tiktok_assets.checks.evaluation import SHOWN, evaluation
from tiktok_assets.checks.schema import schema_result, schema_spec
from tiktok_assets.curated.table import Parameters, Table
from tiktok_assets.exports.long_frames import Rows
from tiktok_assets.partitions import PartitionRange
from tiktok_assets.storage.metadata import markdown_table

_OF_DAYS = ["account", "date", "kind", "sentence"]


def check_specs(table: Table) -> list[dg.AssetCheckSpec]:
    key = dg.AssetKey(table.key.split("/"))
    promised = {name: text for checks in table.checks for name, text in checks.descriptions.items()}
    specs = [dg.AssetCheckSpec(name, asset=key, description=text) for name, text in promised.items()]
    return [schema_spec(key), *specs] if table.layer == "curated" else specs


def check_results(
    table: Table, rows: Rows, partitions: PartitionRange, parameters: Parameters
) -> list[dg.AssetCheckResult]:
    """``check_specs`` except the schema, for the rows of ``partitions``.

    ``rows``: where the table looks back, including earlier ones for comparison.
    """
    if not table.checks:
        return []
    rows = rows.lazy().collect()
    own = partitions.within(rows, table.day)
    judged = rows if any(source.look_back for source in table.inputs.values()) else own
    days = own.select("account", table.day).n_unique()
    return [
        _result(name, partitions.within(cases) if "date" in cases.columns else cases, partitions, days)
        for checks in table.checks
        for name, cases in checks.cases(judged, parameters).items()
    ]


def all_results(
    table: Table, rows: Rows, stored: Rows, partitions: PartitionRange, parameters: Parameters
) -> list[dg.AssetCheckResult]:
    """All of ``check_specs``. ``stored``: those of ``rows`` that are stored."""
    results = check_results(table, rows, partitions, parameters)
    return [schema_result(table.schema, stored, partitions), *results] if table.layer == "curated" else results


def _result(name: str, cases: pl.DataFrame, partitions: PartitionRange, days: int) -> dg.AssetCheckResult:
    """``days``: those of the run's rows, whatever was found on them."""
    of_accounts = cases.partition_by("account", as_dict=True, maintain_order=True)
    broken = {str(account): _summary(found) for (account,), found in of_accounts.items()}
    if "date" not in cases.columns:
        return evaluation(name, partitions, broken, facts={"accounts": ", ".join(broken) or "none"})
    rows = {} if cases.is_empty() else {"rows": dg.MetadataValue.md(markdown_table(cases[_OF_DAYS].head(SHOWN)))}
    facts = {
        "days": days,
        "data_errors": cases.filter(kind="data_error").height,
        "events": cases.filter(kind="event").height,
    }
    return evaluation(name, partitions, broken, facts=facts | rows)


def _summary(cases: pl.DataFrame) -> str:
    """An account's newest case as a sentence, and how many more there are."""
    if "date" not in cases.columns:
        return "{account}: {sentence}".format(**cases.row(-1, named=True))
    newest = cases.sort("date").row(-1, named=True)
    more = f" And {cases.height - 1} more." if cases.height > 1 else ""
    return f"{newest['account']}, {newest['date']:%-d %B %Y}: {newest['sentence']}{more}"
