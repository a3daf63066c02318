"""A template, its styles and scripts as one HTML file whose policy lets only these scripts run, and nothing be fetched.

Texts are untrusted (a title is whatever somebody typed): the template escapes them.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any

from tiktok_assets.reporting import words

if TYPE_CHECKING:
    import jinja2


def rendered(
    template: str, *, scripts: Sequence[str], styles: Sequence[str], made_at: dt.datetime, **values: Any
) -> str:
    """The page of a template of this package that extends ``frame.html``, as of ``made_at`` (aware).

    ``scripts``: the texts of its scripts, in order; ``styles``: files of this package; ``values``: what it shows.
    """
    return (
        environment(text)
        .get_template(template)
        .render(
            style="\n".join(text(name) for name in styles),
            scripts=scripts,
            digests=" ".join(f"'sha256-{_digest(script)}'" for script in scripts),
            made_at=f"{words.day(made_at.date())}, {made_at:%H:%M} {made_at.tzname() or 'UTC'}",
            **values,
        )
    )


def environment(read: Callable[[str], str]) -> jinja2.Environment:
    """Templates by name, as ``read`` returns them, in which every value is escaped and none is missing."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FunctionLoader(read),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


def text(name: str) -> str:
    """A file of this package."""
    return resources.files(__package__ or "").joinpath(name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
