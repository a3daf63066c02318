"""What every route needs: the visitor of a request, cookies, answers in Studio's format, and the log.

Routes are ``app`` and ``login``.
"""

import json
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tiktok_assets.simulator.studio.accounts import StudioAccount
from tiktok_assets.simulator.studio.markup import Markup
from tiktok_assets.simulator.studio.sessions import Session
from tiktok_assets.simulator.studio.texts import TEXTS, language_of
from tiktok_assets.simulator.studio.world import Served, StudioWorld

LOGIN_EXPIRED = 8
LIMIT_REACHED = 2190
INVALID = 5


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """The visitor: the account of a valid session."""

    account: StudioAccount
    session: Session


def assets_of(world: StudioWorld) -> str:
    """The folder of the static files: another one with every start."""
    return f"/static/{world.start[:8]}"


def session_of(world: StudioWorld, request: Request, place: str, *, is_page: bool) -> Session | None:
    """The session behind the request's cookie, ended or not."""
    return world.visit(request.cookies.get("sessionid", ""), place, is_page=is_page)


def visitor_of(world: StudioWorld, request: Request, place: str) -> Visitor | None:
    """The visitor of a JSON request; None if the session is not valid (any more)."""
    session = session_of(world, request, place, is_page=False)
    if session is None or session.ended_as is not None:
        return None
    return Visitor(account=world.accounts[session.handle], session=session)


def markup_for(world: StudioWorld, account: StudioAccount, *, hooks: bool = True) -> Markup:
    """Pages of an account are in its language."""
    return Markup(language=language_of(account.locale), css_class=world.css_class, hooks=hooks)


def markup_of_stranger(world: StudioWorld, request: Request) -> Markup:
    """Before a login, pages are in the browser's language."""
    return Markup(language=language_of(request.headers.get("accept-language", "")), css_class=world.css_class)


def login_expired() -> JSONResponse:
    """HTTP 200, as the real endpoints answer without a session."""
    return JSONResponse({"status_code": LOGIN_EXPIRED, "status_msg": TEXTS["en"].login_expired})


def page(html: str, status: int = 200) -> HTMLResponse:
    """A page that browsers do not cache."""
    return HTMLResponse(html, status, headers={"cache-control": "no-store"})


def set_session(world: StudioWorld, response: Response, session: Session) -> None:
    """The cookies of a login."""
    life = int((session.ends_at - session.begun_at).total_seconds())
    for name, value in session.cookies(world.token(32)).items():
        response.set_cookie(name, value, max_age=life, httponly=name != "tt_csrf_token", samesite="lax")


def local_path(address: str | None, default: str) -> str:
    """``address`` if it stays on this site."""
    return address if address and address.startswith("/") and not address.startswith("//") else default


async def json_body(request: Request) -> dict[str, Any]:
    """The body as a JSON object; raises ValueError for anything else."""
    body = json.loads(await request.body() or b"{}")
    if not isinstance(body, dict):
        raise ValueError("the body is not a JSON object")
    return body


class CutResponse(Response):
    """Announces all of its body, sends half of it, and breaks the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        # Returning without the rest makes the server close the connection.


class Log:
    """Notes every request with its answer."""

    def __init__(self, app: ASGIApp, world: StudioWorld) -> None:
        self._app = app
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                session = self._world.sessions.find(Request(scope).cookies.get("sessionid", ""))
                handle = session.handle if session else None
                served = Served(self._world.now(), scope["method"], scope["path"], message["status"], handle)
                self._world.requests.append(served)
            await send(message)

        await self._app(scope, receive, noting)
