"""What this project needs of Playwright 1.65 and its public API does not offer.

The version is pinned in pyproject.toml; ``test_playwright_internals`` fails where a new one has moved it, and
``test_download`` where it behaves otherwise. ``test_architecture`` refuses private parts of Playwright elsewhere.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Download


def failure_within(download: Download, seconds: float) -> str | None:
    """``download.failure()``: why it broke off; None where it is complete. Raises TimeoutError after ``seconds``.

    Playwright itself waits for ever for a transfer that stalls, and its sync interface has no timeout for that.
    """
    return download._sync(asyncio.wait_for(download._impl_obj.failure(), seconds))
