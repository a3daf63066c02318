"""``tiktok-assets init``: a project folder for an installed package. Its files are copies of those at the root."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()

FILES = ("accounts.toml", "workspace.yaml", "dagster.yaml", ".env.example", "data/README.md")


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The folder to create, or an existing one to complete.")],
) -> None:
    """Create a project: accounts.toml, workspace.yaml, dagster.yaml, .env.example, data/. Existing files stay."""
    from tiktok_assets.settings import project_root

    packed = resources.files("tiktok_assets") / "project"
    source: Traversable = packed if packed.is_dir() else project_root()
    try:
        made = [name for name in FILES if _copied(source / name, folder / name)]
        (folder / "data/landing").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        typer.echo(f"{error.filename}: cannot be written ({error.strerror}). Give another folder.", err=True)
        raise typer.Exit(1) from None
    for name in FILES:
        typer.echo(f"{folder / name}: {'created' if name in made else 'kept'}")
    typer.echo(
        f"\nNext:\n  cd {folder}\n  # name your accounts in accounts.toml and drop their exports in data/landing\n"
        "  tiktok-assets process\n  tiktok-assets dev"
    )


def _copied(source: Traversable, target: Path) -> bool:
    """Write ``target`` with the bytes of ``source``, where there is no such file; whether it was written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with target.open("xb") as file:
            file.write(source.read_bytes())
    except FileExistsError:
        return False
    return True
