"""The option ``--paper``: the names in ``reporting.printing.Paper``, which imports more than ``--help`` may."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class PaperSize(StrEnum):
    """Sizes of paper."""

    A4 = "a4"
    LETTER = "letter"


PaperOption = Annotated[PaperSize, typer.Option(help="The paper of a PDF.", case_sensitive=False)]
