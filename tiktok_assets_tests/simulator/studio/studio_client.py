"""A browser's requests without a browser: they go straight to the application, cookies are kept, nothing is clicked."""

from __future__ import annotations

import asyncio
import csv
from datetime import date
from io import BytesIO, StringIO
from typing import Any
from zipfile import ZipFile

import httpx
from starlette.types import ASGIApp

from tiktok_assets.simulator.studio import StudioAccount, StudioWorld, totp
from tiktok_assets.simulator.studio.app import studio_app

STUDIO = "/tiktokstudio/analytics"
LAST_28_DAYS = {"type": "fixed", "pastDay": 28}


class InProcess(httpx.BaseTransport):
    """Each request runs the application on its own event loop: 1 ms instead of a server's start."""

    def __init__(self, app: ASGIApp) -> None:
        self._transport = httpx.ASGITransport(app=app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._transport.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


class StudioClient:
    """A client: ``StudioClient(world)`` runs in process, ``StudioClient(world, address)`` over the network."""

    def __init__(self, world: StudioWorld, address: str | None = None) -> None:
        self.world = world
        transport = None if address else InProcess(studio_app(world))
        self.http = httpx.Client(transport=transport, base_url=address or "http://studio.test")

    def log_in(self, account: StudioAccount) -> httpx.Response:
        """Password, then the current code; returns the answer to the last form."""
        form = {"username": account.handle, "password": account.password}
        answer = self.http.post("/login/phone-or-email/email", data=form)
        if account.totp_secret is None:
            return answer
        return self.http.post("/login/2sv", data={"code": totp(account.totp_secret, self.world.now())})

    def get(self, path: str, **query: str) -> httpx.Response:
        """The answer itself: redirects are not followed."""
        return self.http.get(path, params=query)

    def json(self, path: str, **query: str) -> Any:
        """What a page reads of an endpoint."""
        return self.get(path, **query).json()

    def request_export(
        self, section: str = "overview", picked: Any = LAST_28_DAYS, file_format: str = "CSV"
    ) -> httpx.Response:
        """Requests an export, as the page does."""
        body = {"section": section, "format": file_format, "range": picked}
        return self.http.post("/tiktokstudio/api/web/export/create", json=body)

    def link(self, section: str = "overview", picked: Any = LAST_28_DAYS, file_format: str = "CSV") -> str:
        """The link to a new export that is ready at once."""
        task_id = self.request_export(section, picked, file_format).json()["task_id"]
        state = self.json("/tiktokstudio/api/web/export/state", task_id=task_id)
        assert state["state"] == "ready"
        return state["url"]

    def download(
        self, section: str = "overview", picked: Any = LAST_28_DAYS, file_format: str = "CSV"
    ) -> httpx.Response:
        """Requests an export and fetches its file."""
        return self.get(self.link(section, picked, file_format))


def custom(first: date, last: date) -> dict[str, str]:
    """A range as the page sends it once two days were clicked."""
    return {"type": "custom", "startDate": first.isoformat(), "endDate": last.isoformat()}


def tables(content: bytes) -> dict[str, list[list[str]]]:
    """Every CSV of a ZIP, header first, read by Python's own modules."""
    with ZipFile(BytesIO(content)) as archive:
        assert archive.testzip() is None
        texts = {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist()}
    return {name: list(csv.reader(StringIO(text, newline=""))) for name, text in texts.items()}
