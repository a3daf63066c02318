"""One-time codes of RFC 6238 (SHA-1, six digits, 30 s): the simulator's second factor, without a library."""

import base64
import hmac
from datetime import datetime, timedelta

STEP = timedelta(seconds=30)


def totp(secret: str, moment: datetime) -> str:
    """The six digits that ``secret`` (base32) shows at ``moment`` (aware)."""
    counter = int(moment.timestamp()) // int(STEP.total_seconds())
    digest = hmac.digest(base64.b32decode(secret, casefold=True), counter.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 1_000_000:06}"


def is_current(code: str, secret: str, moment: datetime) -> bool:
    """Whether ``code`` is that of ``moment``, or of the step before or after it."""
    return any(hmac.compare_digest(code.encode(), totp(secret, moment + step * STEP).encode()) for step in (-1, 0, 1))
