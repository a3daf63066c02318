"""An extraction as a process of its own, for tests that kill it: ``python -m ... <settings as JSON>``.

Its clock is the look-alike's: when a limit says wait, it lets the time pass there, and goes on.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import urllib.request
from typing import Any

from tiktok_assets.failures import DownloadNotStarted, LimitReached
from tiktok_assets.settings import Settings
from tiktok_assets.studio.extraction import Wanted, extract
from tiktok_assets.studio.resource import BrowserStudio
from tiktok_assets_tests.studio.conftest import NORTH


def control(address: str, **orders: Any) -> dt.datetime:
    """The moment of the look-alike, after it has obeyed."""
    request = urllib.request.Request(f"{address}/sim/control", json.dumps(orders).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return dt.datetime.fromisoformat(json.load(answer)["now"])


def main() -> None:
    """Extract until everything has landed."""
    given = json.loads(sys.argv[1])
    settings = Settings(**given["settings"])
    address = settings.studio_url
    studio = BrowserStudio(settings=settings, clock=lambda: control(address), sleep=lambda seconds: None)
    first, last = (dt.date.fromisoformat(given[name]) for name in ("first", "last"))
    wanted = Wanted(account=NORTH, sections=given["sections"], first=first, last=last)
    while True:
        try:
            extract(studio, wanted, studio.ledger, clock=studio.clock, max_days=settings.max_export_days)
            return
        except DownloadNotStarted:
            continue  # the next turn waits for the limit
        except LimitReached as refused:
            control(address, advance=max(0.0, (refused.retry_at - studio.clock()).total_seconds()) + 0.001)


if __name__ == "__main__":
    main()
