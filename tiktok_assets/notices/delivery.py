"""The way out: a message to one recipient, by Apprise. The only module that imports it or reads ``TIKTOK_NOTIFY``.

Belongs here: who the recipients are, by names that give no secret away, and one try to reach one of them. Does not
belong here: what is sent and when it is tried again (``ledger``, ``sending``).

A URL of Apprise is a secret as a whole: for most services its host is a token. Apprise and what it uses write such URLs
into their logs, so nothing they log leaves this module, and a reason is made of status codes alone.
"""

from __future__ import annotations

import contextlib
import copy
import errno
import http
import logging
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tiktok_assets.failures import Failure
from tiktok_assets.notices.ledger import Message
from tiktok_assets.settings import Settings, urls_of

if TYPE_CHECKING:
    from apprise import AppriseAsset

_TIMEOUT = 15.0  # seconds for one recipient, its second try included
_NAME = "tiktok-assets"
# Services whose host is the address of a server; that of others is part of the secret.
_OWN_SERVERS = ("json", "jsons", "xml", "xmls", "form", "forms", "apprise", "apprises")
_LOGGERS = ("apprise", "urllib3", "requests", "smtplib")
_HTTP_STATUS = re.compile(r"error=(\d{3})\b")
_SMTP_STATUS = re.compile(r"\((\d{3}), b|refused: (\d{3})\b")
_OS_ERROR = re.compile(r"\[Errno (-?\d+)\]")
# A title is a stranger's: no chat may notify everybody for it, or show a link under other words.
_OBEYED_BY_CHATS = re.compile(
    r"(?P<link>(?<=: )https://www\.tiktok\.com/@(?!(?:everyone|here|channel)/)[\w.]+/(?:video|photo)/\d+$)"
    r"|[@<]|\](?=\()",
    re.ASCII | re.MULTILINE,
)


class NotDelivered(Failure):
    """The message did not reach the recipient. The description says why, and holds no secret."""

    allow_retries = True


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """Somebody, or some channel, that gets messages."""

    name: str
    """``e-mail to me@example.com``, ``Slack``: what people and the ledger call it."""
    server: Any = field(repr=False)
    is_mail: bool


def recipients(settings: Settings) -> tuple[list[Recipient], list[str]]:
    """Who gets messages, and a sentence for each entry of ``TIKTOK_NOTIFY`` that cannot be used.

    Each address of an e-mail is a recipient of its own, so that one that is refused is tried again alone.
    """
    if settings.notify is None:
        return [], []
    urls = urls_of(settings.notify)
    with _nothing_logged():
        found = [_named_servers(url) for url in urls]
    unusable = [
        f"TIKTOK_NOTIFY: entry {number} ({url.partition('://')[0]}://...) cannot be used: no service has this name, or "
        "parts of its address are missing or wrong. docs/notices.md shows an address for each service."
        for number, (url, servers) in enumerate(zip(urls, found, strict=True), 1)
        if not servers
    ]
    usable = [named for servers in found for named in servers]
    counts: Counter[str] = Counter()
    named = []
    for name, server in usable:
        counts[name] += 1
        numbered = name if counts[name] == 1 else f"{name} ({counts[name]})"
        named.append(Recipient(name=numbered, server=server, is_mail=_is_mail(server)))
    return named, unusable


def deliver(message: Message, recipient: Recipient) -> None:
    """One try, with a second one after a second. Raises NotDelivered."""
    with _nothing_logged() as said:
        import apprise

        way = apprise.Apprise(asset=_asset())
        way.add(recipient.server)
        kind = apprise.NotifyFormat.HTML if recipient.is_mail else apprise.NotifyFormat.TEXT
        body = message.html if recipient.is_mail else inert(message.text)
        title = message.subject if recipient.is_mail else inert(message.subject)
        try:
            is_accepted = bool(way.notify(body=body, title=title, body_format=kind))
        except Exception as error:  # a bug of one of its 190 plugins; the text of the error may hold the URL
            raise NotDelivered(f"Apprise failed with {type(error).__name__}") from None
    if not is_accepted:
        raise NotDelivered(_reason(said))


def inert(text: str) -> str:
    """``text`` in which no chat finds a mention or a link under other words: an invisible space breaks them.

    The TikTok link that ends a line stays whole.
    """
    return _OBEYED_BY_CHATS.sub(lambda found: found["link"] or f"{found[0]}\u200b", text)


def _named_servers(url: str) -> list[tuple[str, Any]]:
    """A name and a server for each recipient of a URL; none if it cannot be used."""
    import apprise

    try:
        server = apprise.Apprise.instantiate(url, asset=_asset())
        return [] if server is None else list(_each(url, server))
    except Exception:  # its text may hold the URL
        return []


def _each(url: str, server: Any) -> Iterator[tuple[str, Any]]:
    if not _is_mail(server):
        place = f" at {urlsplit(url).hostname}" if url.partition("://")[0].lower() in _OWN_SERVERS else ""
        server.overflow_mode = "split"  # a chat refuses what is too long
        yield f"{server.service_name}{place}", server
        return
    for target in server.targets:
        one = copy.copy(server)
        one.targets = [target]
        yield f"e-mail to {target[1]}", one


def _is_mail(server: Any) -> bool:
    from apprise.plugins.email.base import NotifyEmail

    return isinstance(server, NotifyEmail)


def _asset() -> AppriseAsset:
    """Apprise without files, threads of its own, or a name of its own."""
    from apprise import AppriseAsset

    return AppriseAsset(
        app_id=_NAME,
        app_desc=_NAME,
        app_url="",
        storage_mode="memory",
        async_mode=False,
        default_service_retry=1,
        default_service_wait=1.0,
        service_timeout=_TIMEOUT,
        pgp_autogen=False,
        pem_autogen=False,
    )


@contextlib.contextmanager
def _nothing_logged() -> Iterator[list[str]]:
    """What Apprise and its libraries log in the block goes to this list instead of to anybody's log."""
    said: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    handler = Kept()
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [(one, one.propagate, one.level) for one in loggers]
    for one in loggers:
        one.propagate = False
        one.setLevel(logging.DEBUG)
        one.addHandler(handler)
    try:
        yield said
    finally:
        for one, propagate, level in before:
            one.removeHandler(handler)
            one.propagate = propagate
            one.setLevel(level)


def _reason(said: Sequence[str]) -> str:
    """Why a try failed, by the codes in what was logged; the texts around them may hold secrets."""
    text = "\n".join(said)
    if found := _SMTP_STATUS.search(text):
        return f"the mail server refused it with {found[1] or found[2]}"
    if found := _HTTP_STATUS.search(text):
        return f"the service answered {found[1]}{_phrase(int(found[1]))}"
    if found := _OS_ERROR.search(text):
        number = int(found[1])
        return f"no connection ({os.strerror(number) if number in errno.errorcode else 'its host is not known'})"
    return "no answer, or one that is no acceptance"


def _phrase(status: int) -> str:
    with contextlib.suppress(ValueError):
        return f" {http.HTTPStatus(status).phrase}"
    return ""
