"""The commands of the demo: an installation of its own in ``<data folder>/demo``. Exit codes as in ``app``."""

from __future__ import annotations

from typing import Annotated

import typer

from tiktok_assets.cli.dev import Port
from tiktok_assets.cli.output import err, out

app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


@app.callback(epilog="Example: tiktok-assets demo --account pig1987 --account another")
def demo(
    context: typer.Context,
    account: Annotated[
        list[str] | None, typer.Option(help="The name of an invented account; may be repeated. By default two.")
    ] = None,
) -> None:
    """Run everything on invented accounts: a simulator of TikTok Studio, a real browser, the whole graph.

    The demo has a folder of its own with accounts, exports, warehouse, report and Dagster's history. It is made anew
    each time.
    """
    if context.invoked_subcommand is not None:
        return
    from tiktok_assets.cli import demo_world
    from tiktok_assets.failures import Failure

    try:
        is_clean = demo_world.make(demo_world.invented(account or demo_world.DEFAULT))
    except demo_world.NotTheDemos as refused:
        raise _refused(refused) from refused
    except Failure as failure:
        err.print(failure.description, style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from failure
    raise typer.Exit(0 if is_clean else 1)


@app.command(epilog="Example: tiktok-assets demo dev --port 3333")
def dev(port: Port = 3000) -> None:
    """Open the demo in Dagster. Ctrl-C stops it."""
    from tiktok_assets.cli import demo_world

    try:
        demo_world.open_in_dagster(port)
    except demo_world.NotTheDemos as refused:
        raise _refused(refused) from refused


@app.command(epilog="Example: tiktok-assets demo remove")
def remove() -> None:
    """Delete the demo's folder, and nothing else."""
    from tiktok_assets.cli import demo_world

    try:
        folder, existed = demo_world.remove()
    except demo_world.NotTheDemos as refused:
        raise _refused(refused) from refused
    out.print(
        f"{folder}: {'deleted' if existed else 'there is no demo'}.", markup=False, highlight=False, soft_wrap=True
    )


def _refused(error: ValueError) -> typer.Exit:
    err.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
    return typer.Exit(2)
