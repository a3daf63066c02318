"""The queue of a run that a person starts by hand: the run coordinator that ``deploy/dagster.yaml`` names.

Dagster gives such a run of no job of ours ("Materialize" on an asset's page, a backfill) the tags of no job, and
dagster-celery one without a tag to its default queue. Here it gets its tag from the assets it makes and checks.
Belongs here: what Dagster asks of a coordinator. Does not belong here: which assets are whose (``queues``).
"""

from __future__ import annotations

import logging

import dagster as dg

from tiktok_assets.accounts import InvalidAccounts, load_roster
from tiktok_assets.partitions import accounts_of
from tiktok_assets.queues import QUEUE_TAG, queue_of, studio_queue
from tiktok_assets.settings import load_settings

log = logging.getLogger(__name__)


class QueueByAssets(dg.QueuedRunCoordinator):
    """Dagster's own coordinator; each run has a queue before it is enqueued."""

    def submit_run(self, context: dg.SubmitRunContext) -> dg.DagsterRun:
        run = context.dagster_run
        if (queue := queue_of_run(run)) not in (None, run.tags.get(QUEUE_TAG)):
            self._instance.add_run_tags(run.run_id, {QUEUE_TAG: queue})
        return super().submit_run(context)


def queue_of_run(run: dg.DagsterRun) -> str | None:
    """The queue that ``run`` has by its tag, its assets, and where it visits Studio, its account."""
    made = [key.to_user_string() for key in run.asset_selection or ()]
    checked = [check.asset_key.to_user_string() for check in run.asset_check_selection or ()]
    queue = run.tags.get(QUEUE_TAG) or queue_of(made, checked)
    return _of_egress(run) if queue == studio_queue() else queue


def _of_egress(run: dg.DagsterRun) -> str:
    """The queue of the egress of the run's accounts; where they have several, the default, which refuses the others."""
    try:
        roster = load_roster(load_settings())
    except (InvalidAccounts, OSError) as error:
        log.warning("Run %s goes to %s, whatever the egress of its account: %s", run.run_id, studio_queue(), error)
        return studio_queue()
    egresses = {roster[account].egress for account in accounts_of(run.tags, list(roster))}
    return studio_queue(*egresses) if len(egresses) == 1 else studio_queue()
