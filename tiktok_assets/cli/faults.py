"""The root of all commands: whatever ends one of them is a sentence on standard error and an exit code, no traceback.

Belongs here: which exit code an error has. Does not belong here: the sentences (``storage.faults``, and the errors
themselves). What is none of these is a bug of ours, and shows its traceback.
"""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from tiktok_assets.cli.output import err

STOPPED = "Stopped. Nothing is lost; run it again to continue."


class Commands(TyperGroup):
    """Commands that end with a sentence."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stopped:  # Interrupted says what is done and what is left
            raise _ended(str(stopped) or STOPPED, 130, "yellow") from stopped
        except Exception as error:
            if (found := _explained(error)) is None:
                raise
            raise _ended(*found) from error


def _ended(text: str, code: int, style: str = "red") -> typer.Exit:
    err.print(text, style=style, markup=False, highlight=False, soft_wrap=True)
    return typer.Exit(code)


def _explained(error: Exception) -> tuple[str, int] | None:
    """The sentence of an error, and the exit code; None for a bug of ours, and for what typer itself ends with."""
    if type(error).__module__.startswith(("click", "typer")):  # also --help, which imports nothing else
        return None
    from tiktok_assets.accounts import InvalidAccounts
    from tiktok_assets.failures import Failure
    from tiktok_assets.label.songs import InvalidSongs
    from tiktok_assets.settings import InvalidSettings, load_settings
    from tiktok_assets.storage.faults import sentence_of

    if isinstance(error, InvalidSettings | InvalidAccounts | InvalidSongs):
        return str(error), 2
    if isinstance(error, Failure):
        return error.description, 1
    try:
        place = str(load_settings().data_dir)
    except InvalidSettings:
        place = None
    sentence = sentence_of(error, place)
    return None if sentence is None else (sentence, 1)
