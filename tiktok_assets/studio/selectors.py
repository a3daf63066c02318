"""Where elements are on Studio's pages, read from ``selectors.toml``: ours, overridden by the user's own.

Belongs here: reading and checking the table, and finding one of its elements. Does not belong here: which element is
needed when (``pages``, ``picker``).
"""

from __future__ import annotations

import re
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tiktok_assets.failures import PermanentFailure
from tiktok_assets.settings import project_root

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

Role = Literal["button", "menuitem", "textbox"]
# The role of an element of which only the text is known.
ROLES: Mapping[str, Role] = {
    "download_data": "button",
    "range": "button",
    "custom": "menuitem",
    "start_date": "textbox",
    "end_date": "textbox",
    "previous_month": "button",
    "next_month": "button",
    "apply": "button",
    "download": "button",
    "got_it": "button",
}
_NEVER = re.compile(r"(?!)")


class InvalidSelectors(PermanentFailure):
    """``selectors.toml`` cannot be used; the message names the line to fix."""


@dataclass(frozen=True, kw_only=True)
class Selectors:
    """The table. ``css`` by element; ``texts`` by element, all languages in one pattern."""

    css: Mapping[str, str]
    texts: Mapping[str, re.Pattern[str]]

    def everywhere(self, scope: Page | Locator, name: str) -> Locator:
        """All elements that match ``name``, by CSS or by role and text."""
        role = ROLES.get(name)
        found = scope.locator(self.css[name]) if self.css.get(name) else None
        if role is None:
            return found or scope.locator(":not(*)")
        by_text = scope.get_by_role(role, name=self.texts.get(name, _NEVER))
        return found.or_(by_text) if found else by_text

    def visible(self, scope: Page | Locator, name: str) -> Locator:
        """The first visible element of ``everywhere``."""
        return self.everywhere(scope, name).filter(visible=True).first

    def find(self, scope: Page | Locator, name: str, seconds: float) -> Locator | None:
        """The element, by CSS rather than by text; None if it is not visible within ``seconds``."""
        from playwright.sync_api import TimeoutError

        try:
            self.visible(scope, name).wait_for(timeout=max(1, seconds * 1000))
        except TimeoutError:
            return None
        if self.css.get(name):
            exact = scope.locator(self.css[name]).filter(visible=True)
            if exact.count():
                return exact.first
        return self.visible(scope, name)

    def says(self, name: str, text: str) -> bool:
        """Whether ``text`` is what Studio says for ``name`` in any language."""
        return bool(self.texts.get(name, _NEVER).match(text.strip()))


def load_selectors(own: Path | None = None) -> Selectors:
    """Our table, overridden by ``own`` (default: ``selectors.toml`` at the project's root) if it exists.

    Raises InvalidSelectors for an unknown name, an invalid pattern, or a file that is not TOML.
    """
    shipped = Path(__file__).with_name("selectors.toml")
    table = tomllib.loads(shipped.read_text("utf-8"))
    names = {name for texts in table["texts"].values() for name in texts}
    path = own or project_root() / "selectors.toml"
    if path.exists():
        changes = _read(path)
        _refuse_unknown(path, "elements", changes.get("elements", {}), set(table["elements"]))
        for language, texts in changes.get("texts", {}).items():
            _refuse_unknown(path, f"texts.{language}", texts, names)
            table["texts"].setdefault(language, {}).update(texts)
        table["elements"].update(changes.get("elements", {}))
    try:
        texts = {name: _pattern(table["texts"], name) for name in names}
    except re.error as error:
        raise InvalidSelectors(f"{path}: {error.pattern!r} is not a regular expression ({error}). Fix it.") from error
    return Selectors(css=table["elements"], texts=texts)


def _pattern(languages: Mapping[str, Mapping[str, str]], name: str) -> re.Pattern[str]:
    alternatives = "|".join(f"(?:{texts[name]})" for texts in languages.values() if name in texts)
    return re.compile(rf"^\s*(?:{alternatives})\s*$", re.IGNORECASE | re.DOTALL)


def _read(path: Path) -> dict[str, Any]:
    try:
        changes = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidSelectors(f"{path}: cannot be read ({error}). Fix or remove it.") from error
    _refuse_unknown(path, "", changes, {"elements", "texts"})
    return changes


def _refuse_unknown(path: Path, table: str, given: object, known: set[str]) -> None:
    where = f"[{table}]" if table else "the top"
    if not isinstance(given, dict):
        raise InvalidSelectors(f"{path}: {where} is not a table.")
    for name, value in given.items():
        if name not in known:
            raise InvalidSelectors(f"{path}: {where} has no {name!r}. Valid names: {', '.join(sorted(known))}.")
        if table and not isinstance(value, str):
            raise InvalidSelectors(f"{path}: {where} {name} is not a quoted string.")


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """The time left for something. Real time: pages do not follow an injected clock."""

    ends_at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        return cls(ends_at=time.monotonic() + seconds)

    @property
    def left(self) -> float:
        """Seconds; 0 once the deadline has passed."""
        return max(0.0, self.ends_at - time.monotonic())
