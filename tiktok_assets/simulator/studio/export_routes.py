"""The export endpoints that the page's own script calls: request, wait, fetch the file."""

from typing import get_args

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tiktok_assets.simulator.exports import Section
from tiktok_assets.simulator.studio.exports import Refused
from tiktok_assets.simulator.studio.texts import TEXTS, language_of
from tiktok_assets.simulator.studio.web import (
    INVALID,
    LIMIT_REACHED,
    CutResponse,
    json_body,
    login_expired,
    visitor_of,
)
from tiktok_assets.simulator.studio.world import StudioWorld


class ExportRoutes:
    """The routes of exports of one world. A link to a file needs no session."""

    def __init__(self, world: StudioWorld) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Request, wait, fetch."""
        return [
            Route("/tiktokstudio/api/web/export/create", self.create, methods=["POST"]),
            Route("/tiktokstudio/api/web/export/state", self.state),
            Route("/tiktokstudio/export/{task_id}/{name}", self.file),
        ]

    async def create(self, request: Request) -> Response:
        try:
            body = await json_body(request)
            section = next(one for one in get_args(Section) if one == body.get("section"))
            written = "csv" if str(body.get("format", "XLSX")).upper() == "CSV" else "xlsx"
        except (ValueError, StopIteration):
            return JSONResponse({"status_code": INVALID, "status_msg": "invalid request"})
        visitor = visitor_of(self._world, request, section)
        if visitor is None:
            return login_expired()
        try:
            export = self._world.exports.request(visitor.account, section, written, body.get("range") or {})
        except Refused as refused:
            return self._refusal(refused, language_of(visitor.account.locale))
        return JSONResponse({"status_code": 0, "task_id": export.id})

    async def state(self, request: Request) -> Response:
        visitor = visitor_of(self._world, request, "export")
        export = self._world.exports.find(request.query_params.get("task_id", ""))
        if visitor is None:
            return login_expired()
        if export is None or export.handle != visitor.account.handle:
            return JSONResponse({"status_code": INVALID, "status_msg": "no such task"})
        if not self._world.exports.is_ready(export):
            return JSONResponse({"status_code": 0, "state": "pending"})
        address = f"/tiktokstudio/export/{export.id}/{export.name}?x-expires={int(export.expires_at.timestamp())}"
        return JSONResponse({"status_code": 0, "state": "ready", "url": address})

    async def file(self, request: Request) -> Response:
        export = self._world.exports.find(request.path_params["task_id"])
        if export is None or not self._world.exports.is_ready(export):
            return Response("not found", 404)
        delivery = self._world.exports.hand_out(export)
        kind = CutResponse if delivery.cut else Response
        disposition = {"content-disposition": f'attachment; filename="{delivery.name}"'} if delivery.name else {}
        return kind(delivery.body, delivery.status, headers=disposition, media_type=delivery.media_type)

    def _refusal(self, refused: Refused, language: str) -> Response:
        texts, days = TEXTS[language], self._world.exports.max_days
        messages = {"limit": texts.limit, "too_many": texts.too_many, "too_long": texts.too_long.format(days=days)}
        code = LIMIT_REACHED if refused.reason in ("limit", "too_many") else INVALID
        body = {"status_code": code, "status_msg": messages.get(refused.reason, texts.incomplete)}
        headers = {"retry-after": str(refused.retry_after)} if refused.retry_after is not None else {}
        return JSONResponse(body, refused.status, headers=headers)
