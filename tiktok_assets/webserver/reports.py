"""The reports of the installation, served beside Dagster: browsers follow no link from its pages to a file."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from upath import UPath

from tiktok_assets.reporting import ADDRESS
from tiktok_assets.storage.objects import read

_PATH, _FRONT = ADDRESS.rstrip("/"), "index.html"
_NOT_FOUND = PlainTextResponse("Not Found", status_code=404)
# A report is an origin of its own: no script in it can use Dagster, which has the same address.
_SANDBOX = b"sandbox allow-scripts allow-downloads allow-popups allow-popups-to-escape-sandbox"


class _Files(StaticFiles):
    async def check_config(self) -> None:
        """Nothing: the first report makes the folder."""


def with_reports(app: ASGIApp, folder: Path | UPath) -> ASGIApp:
    """``app``, and the files of ``folder`` below ``ADDRESS``; an object is read when it is asked for."""
    files = _Files(directory=folder, html=True, check_dir=False) if isinstance(folder, Path) else _stored(folder)
    reports = Starlette(routes=[Mount(_PATH, app=_sandboxed(files))])

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        is_report = scope["type"] == "http" and f"{scope['path']}/".startswith(ADDRESS)
        await (reports if is_report else app)(scope, receive, send)

    return application


def _stored(folder: UPath) -> ASGIApp:
    def page(request: Request) -> Response:
        name = request.path_params["name"] or _FRONT
        if "/" in name or name.startswith("."):
            return _NOT_FOUND
        try:
            return Response(read(folder / name), media_type=mimetypes.guess_type(name)[0])
        except FileNotFoundError:
            return _NOT_FOUND

    return Starlette(routes=[Route("/{name:path}", page)])


def _sandboxed(app: ASGIApp) -> ASGIApp:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_sandboxed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(b"content-security-policy", _SANDBOX), (b"cache-control", b"no-cache")]
                message = {**message, "headers": [*message.get("headers", ()), *headers]}
            await send(message)

        await app(scope, receive, send_sandboxed)

    return application
