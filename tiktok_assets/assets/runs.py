"""The jobs that make assets, and what a run of them makes: asked by sensors, and by the last assets of a run.

Does not belong here: the definitions of the jobs (``jobs``).
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import dagster as dg

from tiktok_assets.curated.table import Table
from tiktok_assets.inbox.receipts import RunOfLake
from tiktok_assets.storage.dagster_internals import AssetJob

PROCESS_EXPORTS, PROCESS_LAKE, LOAD_WAREHOUSE = "process_exports", "process_lake", "load_warehouse"
LOADING_JOBS = (PROCESS_EXPORTS, LOAD_WAREHOUSE)
"""The jobs whose last run under way publishes what all of them have loaded."""


@dataclass(frozen=True, kw_only=True)
class AssetJobs:
    """The jobs of one installation that make assets."""

    making: AssetJob
    """A run for new exports."""
    loading: AssetJob | None
    """A run that loads what those have made, where that is apart."""
    streams: AssetJob
    extracting: AssetJob
    reporting: AssetJob
    refreshing: AssetJob

    @property
    def publishing(self) -> tuple[str, ...]:
        """The names of those whose last run under way publishes what all of them have loaded."""
        return ((self.loading or self.making).name,)

    @property
    def all(self) -> list[AssetJob]:
        found = [self.making, self.loading, self.streams, self.extracting, self.reporting, self.refreshing]
        return [job for job in found if job is not None]


def selects(context: dg.AssetExecutionContext, tables: Iterable[Table]) -> bool:
    """Whether the run is one for all of ``tables``, even if it only continues where a failed one had stopped."""
    keys = {dg.AssetKey(table.key.split("/")) for table in tables}
    return keys <= context.job_def.asset_layer.selected_asset_keys


def makes_all(context: dg.AssetExecutionContext, tables: Iterable[Table]) -> bool:
    """Whether the run makes all of ``tables``, so that it answers for what they hold."""
    steps = context.run.step_keys_to_execute  # fewer where a failed run continues
    return selects(context, tables) and (steps is None or len(steps) >= len(context.job_def.nodes))


def run_of_lake(context: dg.AssetExecutionContext) -> RunOfLake:
    """The run, which makes the tables of the lake; it began with time where its start is not known."""
    record = context.instance.get_run_record_by_id(context.run.run_id)
    started_at = dt.datetime.fromtimestamp((record.start_time if record else None) or 0, dt.UTC)
    return RunOfLake(run_id=context.run.run_id, started_at=started_at)
