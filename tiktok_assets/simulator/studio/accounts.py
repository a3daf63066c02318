"""Who can log in to the simulated Studio: invented credentials, and the account whose numbers are shown.

Belongs here: what an account is. Sessions are ``sessions``; the truth about an account is ``SimulatedAccount``.
"""

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from random import Random

from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.quirks import Quirks
from tiktok_assets.simulator.traits import PLAIN, Traits

DEMO_BEGINS = date(2024, 6, 1)
"""Fixed: the history of a simulated account depends on its first day, and must be the same at every start."""
DEMO_AHEAD = timedelta(days=120)
"""How long a demo world can run before its accounts run out of days."""


@dataclass(frozen=True, kw_only=True)
class StudioAccount:
    """One login of the simulated Studio.

    ``totp_secret``: base32; None means the password is enough. ``locale``: the interface's and the files' language.
    ``quirks``: of each export; None means what Studio usually shows at that moment (``usual_quirks``).
    """

    truth: SimulatedAccount = field(repr=False)
    password: str = field(repr=False)
    totp_secret: str | None = field(default=None, repr=False)
    locale: str = "en"
    quirks: Quirks | None = None

    @property
    def handle(self) -> str:
        """The name on TikTok, without @."""
        return self.truth.handle

    @property
    def email(self) -> str:
        """The other name it can log in with."""
        return f"{self.handle}@example.org"

    @cached_property
    def user_id(self) -> str:
        """TikTok's own number of the account: 19 digits."""
        digest = hashlib.sha256(self.handle.encode()).digest()
        return str(6 * 10**18 + int.from_bytes(digest[:7], "big"))

    @cached_property
    def following(self) -> int:
        """How many accounts it follows; no export contains it."""
        return Random(f"{self.handle}|following").randrange(8, 900)


def invent_account(
    handle: str, seed: int, first_day: date, last_day: date, *, traits: Traits = PLAIN, locale: str = "en"
) -> StudioAccount:
    """An account with credentials derived from its handle: the same on every machine, and nobody's secret."""
    secret = base64.b32encode(hashlib.sha256(f"simulated|{handle}".encode()).digest()[:20]).decode()
    truth = SimulatedAccount.generate(handle, seed, first_day, last_day, traits=traits)
    return StudioAccount(truth=truth, password=f"{handle}-simulated", totp_secret=secret, locale=locale)


def demo_accounts(today: date) -> tuple[StudioAccount, StudioAccount]:
    """``pig1987`` in English and ``zone.a0`` in Greek, with data until well after ``today``."""
    last_day = today + DEMO_AHEAD
    return (
        invent_account("pig1987", 1, DEMO_BEGINS, last_day, traits=Traits(viral_day=today - timedelta(days=20))),
        invent_account("zone.a0", 2, DEMO_BEGINS, last_day, traits=Traits(utc_offset=2), locale="el"),
    )
