"""The reports of the installation, served beside Dagster: browsers follow no link from its pages to a file."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tiktok_assets.reporting import ADDRESS

_PATH = ADDRESS.rstrip("/")
# A report is an origin of its own: no script in it can use Dagster, which has the same address.
_SANDBOX = b"sandbox allow-scripts allow-downloads allow-popups allow-popups-to-escape-sandbox"


class _Files(StaticFiles):
    async def check_config(self) -> None:
        """Nothing: the first report makes the folder."""


def with_reports(app: ASGIApp, folder: Path) -> ASGIApp:
    """``app``, and the files of ``folder`` below ``ADDRESS``."""
    files = _Files(directory=folder, html=True, check_dir=False)
    reports = Starlette(routes=[Mount(_PATH, app=_sandboxed(files))])

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        is_report = scope["type"] == "http" and f"{scope['path']}/".startswith(ADDRESS)
        await (reports if is_report else app)(scope, receive, send)

    return application


def _sandboxed(app: ASGIApp) -> ASGIApp:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_sandboxed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(b"content-security-policy", _SANDBOX), (b"cache-control", b"no-cache")]
                message = {**message, "headers": [*message.get("headers", ()), *headers]}
            await send(message)

        await app(scope, receive, send_sandboxed)

    return application
