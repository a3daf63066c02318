"""Which requests Dagster's web server answers: those of its own pages, and of programs on this machine.

Belongs here: the decision, and the application that makes it. Does not belong here: starting Dagster (``dev``).
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_OF_NOBODY_ELSE = frozenset({"same-origin", "none"})
_ENDED_BY_POLICY = 1008  # RFC 6455, 7.4.1


class Guard:
    """``app`` for requests without a ``refusal``; others get its sentence with status 403, or their socket closed.

    ``address``: what people open where that is not this machine's name: of a proxy that asks them for a login.
    """

    def __init__(self, app: ASGIApp, address: str = "") -> None:
        self._app, self._hosts = app, _LOCAL | {urlsplit(address).hostname or ""}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or (sentence := refusal(scope, self._hosts)) is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _ENDED_BY_POLICY, "reason": sentence})
        else:
            await PlainTextResponse(sentence + "\n", status_code=403)(scope, receive, send)


def refusal(scope: Scope, named: Collection[str] = _LOCAL) -> str | None:
    """Why the request of an ASGI scope (http or websocket) is not answered; None if it is.

    Host: one of ``named``, else a foreign name was pointed at it (DNS rebinding). Origin and Sec-Fetch-Site: of
    the page that asks, which browsers send and pages cannot change; following a link to a page is allowed. GraphQL:
    POST of JSON only, which a foreign page cannot send without being asked for its origin.
    """
    headers = Headers(scope=scope)
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not _is_of_one(hosts[0], named):
        return (
            "Refused: Dagster answers on this machine only, as http://127.0.0.1 or http://localhost with its port, "
            "and by the name in TIKTOK_WEB_URL."
        )
    foreign = [origin for origin in headers.getlist("origin") if not _is_of(origin, hosts[0])]
    if foreign or not (_is_own(headers) or _follows_link(scope, headers)):
        return f"Refused: the request comes from another web page. Open http://{hosts[0]} itself."
    if scope["type"] == "http" and str(scope["path"]).rstrip("/").endswith("/graphql"):
        return _refusal_of_graphql(scope, headers)
    return None


def _refusal_of_graphql(scope: Scope, headers: Headers) -> str | None:
    if scope["method"] == "POST":
        is_json = headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
        return None if is_json else "Refused: send GraphQL as JSON (content-type: application/json)."
    if not scope["query_string"] and "text/html" in headers.get("accept", ""):  # the page to try queries on
        return None
    return "Refused: send GraphQL by POST, as JSON."


def _is_of_one(host: str, names: Collection[str]) -> bool:
    try:
        return (urlsplit(f"http://{host}").hostname or " ") in names
    except ValueError:  # brackets without an address
        return False


def _is_of(origin: str, host: str) -> bool:
    return origin.lower() in {f"http://{host}".lower(), f"https://{host}".lower()}


def _is_own(headers: Headers) -> bool:
    return headers.get("sec-fetch-site", "none") in _OF_NOBODY_ELSE


def _follows_link(scope: Scope, headers: Headers) -> bool:
    """Whether a person follows a link of another page to one of Dagster's: a whole page, not a part of another."""
    is_page = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == ("navigate", "document")
    return scope["type"] == "http" and scope["method"] == "GET" and is_page
