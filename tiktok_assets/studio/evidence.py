"""What is kept of a visit that failed: a screenshot, and a trace without anything that gives access to the account.

A trace as Playwright writes it contains every cookie. It stays in a private temp folder until it is scrubbed; only the
result becomes a document, readable by this user only, encrypted where machines share it, and only the last few are
kept. Logins are never recorded.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import tempfile
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pydantic import SecretStr

from tiktok_assets.failures import Failure, SessionUnreadable
from tiktok_assets.settings import Settings
from tiktok_assets.storage.documents import Documents
from tiktok_assets.storage.state import documents_of
from tiktok_assets.studio.encryption import WrongKey, decrypted, encrypted

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

KEPT = 20
HIDDEN = "***"
_SECRET_HEADERS = ("cookie", "set-cookie", "authorization", "x-csrf-token", "tt-csrf-token", "x-secsdk-csrf-token")
_FOLDER = "failures"
_LARGEST = 16 * 1024**2  # bytes; of the 20 kept, a shared database would have to hold 320 MB
_SHORTEST_SECRET = 8  # of a cookie's value; "1" or "en" would be replaced everywhere, and is no secret


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Screenshots and traces of failures. ``key``: what they are encrypted with, where they are."""

    documents: Documents
    key: SecretStr | None = None

    @classmethod
    def of_installation(cls, settings: Settings) -> Evidence:
        """Plain files on one machine, which an image viewer opens; encrypted where machines share them."""
        return cls(documents=documents_of(settings), key=settings.session_key if settings.state_url else None)

    def start(self, context: BrowserContext) -> None:
        """Start tracing; each ``of`` records one chunk."""
        context.tracing.start(screenshots=True, snapshots=True)

    @contextlib.contextmanager
    def of(self, page: Page, name: str, now: dt.datetime, excluded: tuple[type[BaseException], ...]) -> Iterator[None]:
        """Record while the block lasts. Kept if it fails, except for ``excluded`` failures, which a screenshot does not
        explain. A failure of ours carries the paths as metadata."""
        page.context.tracing.start_chunk()
        try:
            yield
        except Exception as failure:
            if isinstance(failure, excluded):
                self._drop(page.context)
            else:
                kept = self._keep(page, name, now)
                if isinstance(failure, Failure):
                    failure.metadata |= {f"evidence_{name.rpartition('.')[2]}": self.place(name) for name in kept}
            raise
        except BaseException:
            self._drop(page.context)
            raise
        self._drop(page.context)

    def _drop(self, context: BrowserContext) -> None:
        from playwright.sync_api import Error

        with contextlib.suppress(Error):
            context.tracing.stop_chunk()

    def _keep(self, page: Page, name: str, now: dt.datetime) -> list[str]:
        """Returns the names of what was kept. Never raises: the failure itself matters more."""
        from playwright.sync_api import Error

        stem = f"{now.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}_{name}"
        kept: list[str] = []
        with (
            contextlib.suppress(Error, OSError, zipfile.BadZipFile, Failure),
            tempfile.TemporaryDirectory(prefix="tiktok-assets-trace-") as private,
        ):
            raw, clean = Path(private) / "raw.zip", Path(private) / "clean.zip"
            secrets = secrets_of(page.context.cookies())
            with contextlib.suppress(Error):
                kept += self._write(f"{stem}.png", page.screenshot(timeout=3000))
            page.context.tracing.stop_chunk(path=raw)
            scrub_trace(raw, clean, secrets)
            kept += self._write(f"{stem}.trace.zip", clean.read_bytes())
            self.forget_old()
        return kept

    def _write(self, name: str, content: bytes) -> list[str]:
        if len(content) > _LARGEST:
            return []
        name = f"{_FOLDER}/{name}"
        self.documents.write(name, content if self.key is None else encrypted(content, self.key))
        return [name]

    def names(self) -> list[str]:
        """What is kept, oldest first: names begin with a timestamp."""
        return [*self.documents.versions(_FOLDER)]

    def place(self, name: str) -> Path | str:
        """Where it can be looked at."""
        place = self.documents.place(name)
        return place if self.key is None else f"{place} (`tiktok-assets failures --save FOLDER`)"

    def content(self, name: str) -> bytes | None:
        """The picture or trace; None where it is gone. Raises SessionUnreadable where the key is another one."""
        content = self.documents.read(name)
        if content is None or self.key is None:
            return content
        try:
            return decrypted(content, self.key)
        except WrongKey:
            raise SessionUnreadable(
                f"{name}: TIKTOK_SESSION_KEY is not the key it was encrypted with. Set that key, then run this again."
            ) from None

    def forget_old(self) -> None:
        """Keep only the last few."""
        with contextlib.suppress(OSError):
            for name in self.names()[:-KEPT]:
                self.documents.remove(name)


def secrets_of(cookies: Iterable[Mapping[str, Any]]) -> list[str]:
    """Everything in ``cookies`` that could give access to the account, longest first."""
    values = {str(cookie.get("value", "")) for cookie in cookies}
    return sorted((value for value in values if len(value) >= _SHORTEST_SECRET), key=len, reverse=True)


def scrub_trace(source: Path, target: Path, secrets: Collection[str]) -> None:
    """Copy a trace without cookies, secret headers and storage states, and without ``secrets`` in any encoding.

    Sizes in the trace's own index are not corrected; the viewer accepts that.
    """
    written = {form for secret in secrets for form in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1])}
    forms = [form.encode() for form in sorted(written, key=len, reverse=True)]
    with zipfile.ZipFile(source) as raw, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as clean:
        for name in raw.namelist():
            content = raw.read(name)
            if name.endswith((".trace", ".network")):
                content = b"\n".join(_scrubbed_line(line) for line in content.splitlines())
            for form in forms:
                content = content.replace(form, HIDDEN.encode())
            clean.writestr(name, content)


def _scrubbed_line(line: bytes) -> bytes:
    try:
        return json.dumps(_scrubbed(json.loads(line))).encode()
    except ValueError:
        return b"{}"


def _scrubbed(value: Any) -> Any:
    if isinstance(value, list):
        return [_scrubbed(one) for one in value]
    if not isinstance(value, dict):
        return value
    name = value.get("name")
    if isinstance(name, str) and name.lower() in _SECRET_HEADERS and "value" in value:
        return {**value, "value": HIDDEN}
    return {key: _hidden(key, inner) for key, inner in value.items()}


def _hidden(key: str, value: Any) -> Any:
    if key == "storageState" or key.lower() in _SECRET_HEADERS:
        return HIDDEN
    if key == "cookies" and isinstance(value, list):
        return []
    return _scrubbed(value)
