"""The command that prunes Dagster's own history. (Commands about the history of the data are in ``history``.)"""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated

import typer

from tiktok_assets.cli.output import AsJson, bar, err, out, print_json

app = typer.Typer(help="Dagster's record of runs, partitions and checks.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def history() -> None:
    """Dagster's record of runs, partitions and checks."""


@app.command(epilog="Example: tiktok-assets history prune --older-than 90d")
def prune(
    older_than: Annotated[str, typer.Option(help="Days or weeks, for example 90d or 12w.")],
    as_json: AsJson = False,
) -> None:
    """Delete old events that Dagster no longer needs, and free their disk space.

    The latest materialization of each partition and the latest result of each check stay, so partitions keep their
    colour; old runs keep their status. Dagster may be running meanwhile.
    """
    from dagster import DagsterRunStatus, RunsFilter

    from tiktok_assets.pipeline.process import project_instance
    from tiktok_assets.storage import pruning
    from tiktok_assets.storage.dagster_internals import event_log_files

    before = dt.datetime.now(dt.UTC) - _duration(older_than)
    ended = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]
    with project_instance() as instance:
        if (event_logs := event_log_files(instance)) is None:
            raise typer.BadParameter("The history of this DAGSTER_HOME is not kept in SQLite.")
        runs = [run.run_id for run in instance.get_runs(RunsFilter(statuses=ended, updated_before=before))]
    with bar("Pruning", quiet=as_json) as progress:
        pruned = pruning.prune(event_logs, runs, before, progress)
    if as_json:
        print_json({**vars(pruned), "locked": [str(path) for path in pruned.locked]})
        return
    out.print(
        f"Deleted {pruned.events:,} events across runs and {pruned.run_events:,} events of {pruned.runs:,} runs before "
        f"{before:%Y-%m-%d}; {pruned.bytes_freed / 1e6:,.1f} MB freed.",
        highlight=False,
        soft_wrap=True,
    )
    for path in pruned.locked:
        err.print(f"{path}: in use; its space is freed next time.", highlight=False, soft_wrap=True)


def _duration(text: str) -> dt.timedelta:
    if (found := re.fullmatch(r"(\d{1,5})([dw])", text)) is None or found[1].strip("0") == "":
        raise typer.BadParameter(
            f"{text!r} is not an age. Valid: days or weeks, for example 90d or 12w.", param_hint="--older-than"
        )
    return dt.timedelta(**{{"d": "days", "w": "weeks"}[found[2]]: int(found[1])})
