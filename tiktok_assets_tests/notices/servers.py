"""Real servers on 127.0.0.1 to which messages are sent: one for mail, one for webhooks."""

from __future__ import annotations

import contextlib
import email
import email.policy
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

SECRET = "planted-secret-4711"


@dataclass
class Mailbox:
    """What a mail server has received. ``refused``: the addresses it does not take mail for."""

    port: int
    mails: list[EmailMessage] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    def url(self, *to: str) -> str:
        return f"mailto://sender:{SECRET}@127.0.0.1:{self.port}?from=tiktok@example.com&to={','.join(to)}"

    async def handle_RCPT(  # noqa: N802
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        if address in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append(message)
        return "250 OK"


@contextlib.contextmanager
def mail_server() -> Iterator[Mailbox]:
    box = Mailbox(port=_free_port())
    anybody = {"authenticator": lambda *_: _accepted(), "auth_required": False, "auth_require_tls": False}
    controller = Controller(box, hostname="127.0.0.1", port=box.port, **anybody)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


def _accepted() -> Any:
    from aiosmtpd.smtp import AuthResult

    return AuthResult(success=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Webhook:
    """What a web server has received, and what it answers."""

    status: int = 200
    port: int = 0
    posts: list[dict[str, Any]] = field(default_factory=list)
    tries: int = 0

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.port}/hooks/{SECRET}"


@contextlib.contextmanager
def web_server() -> Iterator[Webhook]:
    hook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            hook.tries += 1
            if hook.status == 200:
                hook.posts.append(json.loads(content))
            self.send_response(hook.status)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield hook
        finally:
            server.shutdown()
            thread.join()
