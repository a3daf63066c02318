"""Everything new in landing, processed in this process.

The same intake and job as the sensor's, without a daemon. Results are plain data; printing is the command line's.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.execute_in_process import core_execute_in_process, merge_run_tags

from tiktok_assets.accounts import load_roster
from tiktok_assets.graph import build_definitions
from tiktok_assets.intake import Intake, LandedExport, by_account, take_in
from tiktok_assets.partitions import range_tags
from tiktok_assets.sensors import ACCOUNT_TAG, EXPORTS_TAG, digest_of
from tiktok_assets.settings import Settings, project_root
from tiktok_assets.storage.lake import Lake

# A line per event on the terminal would hide the progress bar; the history keeps them all.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True, kw_only=True)
class AccountResult:
    """What became of one account's new exports.

    ``failed_checks``: promises broken, as "staging/overview has_rows"; ``warned_checks`` with the sentence each tells.
    """

    account: str
    exports: int
    first_month: dt.date
    last_month: dt.date
    succeeded: bool
    error: str | None
    failed_checks: tuple[str, ...]
    warned_checks: dict[str, str]
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Result:
    """One pass over landing."""

    intake: Intake
    accounts: tuple[AccountResult, ...]

    @property
    def is_clean(self) -> bool:
        """Nothing was set aside or left unread, no run failed, no check with severity error failed."""
        runs = all(account.succeeded and not account.failed_checks for account in self.accounts)
        return runs and not self.intake.rejected and not self.intake.unreadable


def process(
    settings: Settings,
    *,
    instance: dg.DagsterInstance | None = None,
    progress: Callable[[str, int, int], None] = lambda account, done, total: None,
) -> Result:
    """Take in what lies in landing and run ``process_exports`` once per account with something new.

    ``instance``: where Dagster keeps the history; the project's own by default. ``progress`` is told the account, and
    how many of how many accounts are done.
    """
    lake, roster = Lake(settings), load_roster(settings)
    intake = take_in(lake, roster)
    groups = by_account(intake.landed)
    if not groups:
        return Result(intake=intake, accounts=())
    job = build_definitions(settings).resolve_job_def("process_exports")
    results = []
    with instance or project_instance() as history:
        for done, (account, exports) in enumerate(groups.items()):
            progress(account, done, len(groups))
            results.append(_run(job, history, account, exports))
        progress("", len(groups), len(groups))
        # What a new export tells of the labels of others may have moved their days: those months are made again.
        moved = by_account(take_in(lake, roster).landed)
        for result in [result for result in results if result.succeeded and result.account in moved]:
            results[results.index(result)] = _made_again(
                result, _run(job, history, result.account, moved[result.account])
            )
    return Result(intake=intake, accounts=tuple(results))


def _made_again(first: AccountResult, again: AccountResult) -> AccountResult:
    """Both runs of an account as one result."""
    return dataclasses.replace(
        again,
        exports=first.exports,
        first_month=min(first.first_month, again.first_month),
        last_month=max(first.last_month, again.last_month),
        warnings=tuple(dict.fromkeys((*first.warnings, *again.warnings))),
    )


def project_instance() -> dg.DagsterInstance:
    """The history that ``make dev`` shows: that of the data folder, or of a DAGSTER_HOME with its own dagster.yaml."""
    home = Path(os.environ.get("DAGSTER_HOME") or project_root())
    configured = home if (home / "dagster.yaml").is_file() else project_root()
    return dg.DagsterInstance.from_config(str(configured))


def _run(
    job: dg.JobDefinition, instance: dg.DagsterInstance, account: str, exports: list[LandedExport]
) -> AccountResult:
    months = [month for export in exports for month in export.months]
    tags = {**range_tags([account], months), ACCOUNT_TAG: account, EXPORTS_TAG: digest_of(exports)}
    run = _execute(job, instance, tags)
    evaluations = run.get_asset_check_evaluations()
    broken = [evaluation for evaluation in evaluations if not evaluation.passed]

    def named(severity: dg.AssetCheckSeverity) -> dict[str, str]:
        return {
            f"{check.asset_key.to_user_string()} {check.check_name}": check.description or ""
            for check in broken
            if check.severity == severity
        }

    return AccountResult(
        account=account,
        exports=len(exports),
        first_month=min(months),
        last_month=max(months),
        succeeded=run.success,
        error=None if run.success else _why(run),
        failed_checks=tuple(named(dg.AssetCheckSeverity.ERROR)),
        warned_checks=named(dg.AssetCheckSeverity.WARN),
        warnings=tuple(dict.fromkeys(f"{export.source}: {text}" for export in exports for text in export.warnings)),
    )


def _execute(job: dg.JobDefinition, instance: dg.DagsterInstance, tags: dict[str, str]) -> dg.ExecuteInProcessResult:
    """What ``job.execute_in_process`` does, without keeping every output: 1.7 GB for a list of 900,000 videos."""
    return core_execute_in_process(
        job=InMemoryJob(job_def=job.as_ephemeral_job(resource_defs={}, input_values={})),
        run_config=_QUIET,
        instance=instance,
        output_capturing_enabled=False,
        raise_on_error=False,
        run_tags=merge_run_tags(
            job_def=job, partition_key=None, tags=tags, asset_selection=[], instance=instance, run_config=_QUIET
        ),
        run_id=None,
        asset_selection=frozenset(),
    )


def _why(run: dg.ExecuteInProcessResult) -> str:
    for event in run.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            cause = error.cause if error and error.cause else error
            return f"{event.step_key}: {cause.message.strip() if cause else 'failed'}"
    return "the run failed before its first step"
