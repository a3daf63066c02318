"""How a test in another process drives the simulator: the methods of the world, over HTTP.

    POST /sim/control {"faults": [{"name": "captcha", "handle": "pig1987"}], "advance": 3600}
    GET  /sim/log

TikTok has no such endpoint.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tiktok_assets.simulator.studio.faults import Fault
from tiktok_assets.simulator.studio.sessions import ENDINGS
from tiktok_assets.simulator.studio.web import json_body
from tiktok_assets.simulator.studio.world import StudioWorld


class ControlRoutes:
    """Control and log of one world."""

    def __init__(self, world: StudioWorld) -> None:
        self._world = world
        self._orders: Mapping[str, Callable[[Any], None]] = {
            "clear_faults": lambda _: world.faults.clear(),
            "faults": self._add_faults,
            "advance": lambda seconds: world.advance(timedelta(seconds=float(seconds))),
            "forget_limits": lambda _: world.exports.forget_limits(),
            "expire_sessions": self._expire,
            "scan": lambda handle: world.sessions.scan(handle),
        }

    def routes(self) -> list[Route]:
        """Both of them."""
        return [Route("/sim/control", self.control, methods=["POST"]), Route("/sim/log", self.log)]

    async def control(self, request: Request) -> Response:
        """Executes every order of the body, clearing first; an unknown order or value changes nothing."""
        try:
            body = await json_body(request)
            if unknown := sorted(set(body) - set(self._orders)):
                raise ValueError(f"no order is called {', '.join(unknown)}; there are {', '.join(self._orders)}")
            for name in [name for name in self._orders if name in body]:
                self._orders[name](body[name])
        except (ValueError, TypeError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({"now": self._world.now().isoformat()})

    async def log(self, request: Request) -> Response:
        """Requests, exports and fired faults, oldest first."""
        exports = [
            {
                "handle": export.handle,
                "section": export.section,
                "format": export.file_format,
                "first": export.first.isoformat(),
                "last": export.last.isoformat(),
                "requested_at": export.requested_at.isoformat(),
                "name": export.name,
                "downloads": export.downloads,
            }
            for export in self._world.exports.made
        ]
        stamped = [
            [{**entry._asdict(), "at": entry.at.isoformat()} for entry in entries]
            for entries in (self._world.requests, self._world.faults.fired)
        ]
        return JSONResponse({"requests": stamped[0], "faults": stamped[1], "exports": exports})

    def _add_faults(self, faults: list[dict[str, Any]]) -> None:
        for fault in [Fault(**fields) for fields in faults]:  # all are parsed before the first is added
            self._world.faults.add(
                fault.name, handle=fault.handle, section=fault.section, times=fault.times, parameter=fault.parameter
            )

    def _expire(self, asked: Any) -> None:
        """True for every session, or ``{"handle": ..., "ending": ...}``."""
        fields = asked if isinstance(asked, dict) else {}
        ending = fields.get("ending")
        if ending not in (None, *ENDINGS):
            raise ValueError(f"a session cannot end as {ending!r}; there are {', '.join(ENDINGS)}")
        self._world.sessions.expire(fields.get("handle"), ending)
