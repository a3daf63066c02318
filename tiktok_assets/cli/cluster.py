"""The commands for many machines (docs/cluster.md). Exit codes as in ``app``."""

from __future__ import annotations

import typer

from tiktok_assets.cli.output import err, out

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Many machines: what they share.")


@app.callback()
def cluster() -> None:
    """Many machines: what they share."""


@app.command(epilog="Example: DAGSTER_HOME=/opt/dagster tiktok-assets cluster init")
def init() -> None:
    """Make the tables of Dagster and of this program in Postgres, before the first process of a cluster starts. What is
    there stays."""
    import os

    from tiktok_assets.settings import load_settings

    settings = load_settings()
    if settings.state_url is None:
        err.print("TIKTOK_STATE_URL is not set. On one machine nothing has to be made: run `tiktok-assets process`.")
        raise typer.Exit(2)
    if not os.environ.get("DAGSTER_HOME"):
        err.print("DAGSTER_HOME is not set. Set it to the folder with a copy of deploy/dagster.yaml.")
        raise typer.Exit(2)
    from tiktok_assets.storage.shared_history import make_tables

    for line in make_tables(settings):
        out.print(line, markup=False, highlight=False, soft_wrap=True)
