"""Options of the commands that write pages, from the choices that pages have (``reporting.choices``)."""

from __future__ import annotations

from typing import Annotated

import typer

from tiktok_assets.reporting.choices import Paper, Part

__all__ = ["Paper", "PaperOption", "Part", "PartsOption"]

PaperOption = Annotated[Paper, typer.Option(help="The paper of a PDF.", case_sensitive=False)]
PartsOption = Annotated[
    list[Part] | None, typer.Option(help="Show this and no more; may be repeated. Everything by default.")
]
