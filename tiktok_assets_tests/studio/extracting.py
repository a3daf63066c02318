"""An extraction as a separate process, for tests that kill it: ``python -m ... <settings as JSON>``.

It uses the simulator's clock: when a limit requires waiting, it advances that clock and continues.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import sys
import urllib.request
from typing import Any

from tiktok_assets.settings import Settings
from tiktok_assets.studio.browser_studio import BrowserStudio
from tiktok_assets.studio.extraction import ExtractionRequest, Extractor
from tiktok_assets_tests.studio.conftest import NORTH


def control(address: str, **orders: Any) -> dt.datetime:
    """Give orders to the simulator. Returns its time after that."""
    request = urllib.request.Request(f"{address}/sim/control", json.dumps(orders).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return dt.datetime.fromisoformat(json.load(answer)["now"])


def main() -> None:
    """Extract until everything has landed."""
    given = json.loads(sys.argv[1])
    settings = Settings(**given["settings"])
    address = settings.studio_url
    studio = BrowserStudio(settings=settings, clock=lambda: control(address), sleep=lambda seconds: None)
    extractor = Extractor(
        studio=studio,
        ledger=studio.ledger,
        max_days=settings.max_export_days,
        clock=studio.clock,
        sleep=lambda seconds: print(control(address, advance=seconds), file=sys.stderr),
        wait_budget=math.inf,
    )
    first, last = (dt.date.fromisoformat(given[name]) for name in ("first", "last"))
    request = ExtractionRequest(account=NORTH, sections=given["sections"], first=first, last=last)
    while outcome := extractor(request).message:
        print(outcome, file=sys.stderr)


if __name__ == "__main__":
    main()
