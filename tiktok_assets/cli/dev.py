"""``tiktok-assets dev``: Dagster on this machine, closed to other web pages."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from tiktok_assets.cli.output import out

app = typer.Typer(rich_markup_mode=None)
Port = Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=1, max=65535)]


@app.command(epilog="Example: tiktok-assets dev --port 3333")
def dev(port: Port = 3000) -> None:
    """Open Dagster on http://127.0.0.1:3000, history kept. Ctrl-C stops it.

    As `dagster dev -h 127.0.0.1`, but other web pages in the same browser cannot use it.
    """
    from tiktok_assets.settings import project_root

    become_dagster(port, {"DAGSTER_HOME": str(_home(project_root()))}, project_root() / "workspace.yaml")


def become_dagster(port: int, environment: Mapping[str, str], workspace: Path) -> NoReturn:
    """Replace this process by ``dagster dev`` on 127.0.0.1, with further variables of the environment."""
    out.print(
        f"Dagster will answer on http://127.0.0.1:{port} in about 15 seconds; Ctrl-C stops it.",
        highlight=False,
        soft_wrap=True,
    )
    os.execve(
        sys.executable,
        [
            *(sys.executable, "-m", "tiktok_assets.webserver.dev"),
            *("-h", "127.0.0.1", "-p", str(port), "-w", str(workspace)),
        ],
        {**os.environ, **environment},
    )


def _home(root: Path) -> Path:
    """The folder whose ``dagster.yaml`` counts: that of DAGSTER_HOME if it has one, else the project's."""
    given = os.environ.get("DAGSTER_HOME")
    return Path(given) if given and (Path(given) / "dagster.yaml").is_file() else root
