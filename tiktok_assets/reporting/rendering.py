"""A template, its styles and scripts as one HTML file whose policy lets only these scripts run, and nothing be fetched.

Texts are untrusted (a title is whatever somebody typed): the template escapes them.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources
from typing import Any


def rendered(template: str, *, scripts: Sequence[str], styles: Sequence[str], **values: Any) -> str:
    """The page. ``scripts``, ``styles``: files of this package, in order; ``values``: what the template shows."""
    return rendered_with(template, [text(name) for name in scripts], styles=styles, **values)


def rendered_with(template: str, scripts: Sequence[str], *, styles: Sequence[str], **values: Any) -> str:
    """As ``rendered``, with the scripts themselves."""
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    digests = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    return environment.from_string(text(template)).render(
        style="\n".join(text(name) for name in styles), scripts=scripts, digests=digests, **values
    )


def text(name: str) -> str:
    """A file of this package."""
    return resources.files(__package__ or "").joinpath(name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
