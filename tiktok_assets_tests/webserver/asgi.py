"""Requests to an ASGI application, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message

HOST = "127.0.0.1:3000"


def sent(
    app: ASGIApp, kind: str, target: str, headers: Sequence[tuple[str, str]] = (), method: str = "GET"
) -> list[Message]:
    """What ``app`` sends to a request of ``kind``: ``headers``, with a Host if they have none."""
    url, named = urlsplit(target), {name for name, _ in headers}
    everything = [*headers, *([] if "host" in named else [("host", HOST)])]
    scope = {
        "type": kind,
        "method": method,
        "path": url.path,
        "root_path": "",
        "query_string": url.query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in everything],
    }
    messages: list[Message] = []
    asked: list[str] = []

    async def send(message: Message) -> None:
        messages.append(message)

    async def receive() -> Message:
        if not asked:
            asked.append(kind)
            return {"type": "http.request"} if kind == "http" else {"type": f"{kind}.connect"}
        await asyncio.Event().wait()  # nothing more comes, and the connection stays
        raise AssertionError

    async def ask() -> None:
        await app(scope, receive, send)

    asyncio.run(ask())
    return messages
