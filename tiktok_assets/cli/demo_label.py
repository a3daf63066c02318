"""What a label adds to the demo's exports: a song with its streams, targets, and a digest to a server of this machine.

Does not belong here: the exports and the folder (``demo_world``).
"""

from __future__ import annotations

import csv
import datetime as dt
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pydantic import SecretStr

from tiktok_assets.accounts import Account
from tiktok_assets.label.songs import add_song
from tiktok_assets.notices.digest import Week, digest
from tiktok_assets.notices.messages import message_of_digest
from tiktok_assets.notices.sending import send_message
from tiktok_assets.reporting.writing import each_tables
from tiktok_assets.settings import Settings
from tiktok_assets.storage.atomic import replacing
from tiktok_assets.storage.lake import Lake

CLIENT = "Night Records"
_ISRC = "DEXX12600001"
_SONG = {"title": "Summer Nights", "artist": "Pig", "campaign": "summer", "hashtags": ["summernights"], "isrc": [_ISRC]}
_STORES = {"Spotify": 1400, "Apple Music": 350}  # streams on the first day


def release_day(today: dt.date) -> dt.date:
    """When the song of the demo was released."""
    return today - dt.timedelta(days=31)


def write_down(settings: Settings, accounts: Sequence[Account], today: dt.date) -> None:
    """The song, a file of its streams in landing, and targets of this month and the one before."""
    released = release_day(today)
    add_song(settings, "summer-nights", **_SONG, release_date=released)
    path = Path(str(settings.landing)) / "streams" / f"summer-nights-{today}.csv"
    days = [released + dt.timedelta(days=number) for number in range((today - released).days - 1)]
    streams = [
        (day.isoformat(), _ISRC, store, first * 30 // (30 + number) + 7 * (number % 7))
        for number, day in enumerate(days)
        for store, first in _STORES.items()
    ]
    _write(path, ("date", "isrc", "store", "streams"), streams)
    months = {today.strftime("%Y-%m"), (today.replace(day=1) - dt.timedelta(days=1)).strftime("%Y-%m")}
    agreed = (("", CLIENT, "video_views", 600_000), (accounts[0].key, "", "followers_gained", 1500))
    targets = [(*whose, month, target) for month in sorted(months) for *whose, target in agreed]
    _write(Path(str(settings.targets_file)), ("account", "client", "metric", "month", "target"), targets)


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with replacing(path) as scratch, scratch.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def send_digest(settings: Settings, accounts: Sequence[Account], now: dt.datetime) -> str:
    """Send the digest of the last week to a server of this machine; says what it got, and where it can be read."""
    found = digest(each_tables(Lake(settings), list(accounts), now), Week.last_before(now), now)
    message = message_of_digest(found, settings.web_url)
    with _listening() as (address, received):
        sent = send_message(settings.model_copy(update={"notify": SecretStr(address)}), message, now)
    path = Path(str(settings.reports)) / "digest.html"
    with replacing(path) as scratch:
        scratch.write_text(message.html, encoding="utf-8")
    outcome = f"{sum(received):,} bytes reached a local server" if received else "; ".join(sent.problems)
    return f"{message.subject} ({outcome}): {path}"


@contextmanager
def _listening() -> Iterator[tuple[str, list[int]]]:
    """A server on 127.0.0.1 that takes every message: the address for TIKTOK_NOTIFY, and the size of each message."""
    received: list[int] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(len(self.rfile.read(int(self.headers.get("Content-Length", 0)))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the demo says what arrived."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"json://127.0.0.1:{server.server_port}/", received
        finally:
            server.shutdown()
            thread.join()
