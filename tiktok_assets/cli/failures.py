"""The command for what failed visits to Studio left behind. Exit codes as in ``app``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tiktok_assets.cli.output import AsJson, out, print_json

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: tiktok-assets failures --save failures")
def failures(
    save: Annotated[Path | None, typer.Option(help="A folder that gets a copy of each, readable by you alone.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the screenshots and traces of failed visits to Studio, oldest first; with `--save`, copy them decrypted."""
    from tiktok_assets.settings import load_settings
    from tiktok_assets.storage.atomic import replacing
    from tiktok_assets.studio.evidence import Evidence

    evidence = Evidence.of_installation(load_settings())
    names = evidence.names()
    for name in names:
        if save is not None and (content := evidence.content(name)) is not None:
            with replacing(save / name.rpartition("/")[2], mode=0o600) as scratch:
                scratch.write_bytes(content)
    if as_json:
        print_json([name.rpartition("/")[2] for name in names])
        return
    for name in names:
        out.print(name.rpartition("/")[2], markup=False, highlight=False, soft_wrap=True)
    if not names:
        out.print("No visit to Studio has failed.", highlight=False)
