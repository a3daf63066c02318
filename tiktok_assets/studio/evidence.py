"""What is kept of a visit that failed: a screenshot, and a trace without anything that gives access to the account.

A trace as Playwright writes it contains every cookie. It stays in a private temp folder until it is scrubbed; only the
result goes to ``data/state/failures/*``, readable by this user only, and only the last few are kept. Logins are never
recorded.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import tempfile
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tiktok_assets.failures import Failure

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

KEPT = 20
HIDDEN = "***"
_SECRET_HEADERS = ("cookie", "set-cookie", "authorization", "x-csrf-token", "tt-csrf-token", "x-secsdk-csrf-token")
_SHORTEST_SECRET = 8  # of a cookie's value; "1" or "en" would be replaced everywhere, and is no secret


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Screenshots and traces of failures, in ``folder``."""

    folder: Path

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
                    failure.metadata |= {f"evidence_{path.suffix[1:]}": path for path in kept}
            raise
        except BaseException:
            self._drop(page.context)
            raise
        self._drop(page.context)

    def _drop(self, context: BrowserContext) -> None:
        from playwright.sync_api import Error

        with contextlib.suppress(Error):
            context.tracing.stop_chunk()

    def _keep(self, page: Page, name: str, now: dt.datetime) -> list[Path]:
        """Returns the files written. Never raises: the failure itself matters more."""
        from playwright.sync_api import Error

        stem = f"{now.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}_{name}"
        kept: list[Path] = []
        with (
            contextlib.suppress(Error, OSError, zipfile.BadZipFile),
            tempfile.TemporaryDirectory(prefix="tiktok-assets-trace-") as private,
        ):
            raw, clean = Path(private) / "raw.zip", Path(private) / "clean.zip"
            secrets = secrets_of(page.context.cookies())
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with contextlib.suppress(Error):
                kept.append(self._write(f"{stem}.png", page.screenshot(timeout=3000)))
            page.context.tracing.stop_chunk(path=raw)
            scrub_trace(raw, clean, secrets)
            kept.append(self._write(f"{stem}.trace.zip", clean.read_bytes()))
        self.forget_old()
        return kept

    def _write(self, name: str, content: bytes) -> Path:
        target = self.folder / name
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        return target

    def forget_old(self) -> None:
        """Keep only the last few files; their names begin with a timestamp."""
        with contextlib.suppress(OSError):
            for path in sorted(self.folder.iterdir(), key=lambda path: path.name, reverse=True)[KEPT:]:
                path.unlink(missing_ok=True)


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
