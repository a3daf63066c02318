"""A look-alike TikTok Studio: pages, logins, JSON and downloads that our extraction is proved on, with every fault.

    world = StudioWorld([invent_account("north.pier", 1, first_day, last_day)], clock=lambda: moment)
    with serve(world) as address: ...

``world`` is what is true at the server, ``server`` how it listens, ``faults`` what can go wrong. What the real Studio
is known to do is in public captures; where they are silent (the addresses of the export endpoints, the range in the
address of a custom range) nothing here may be relied on by the extraction.
Here does not belong anything that visits a Studio, and no Dagster.
"""

from tiktok_assets.simulator.studio.accounts import StudioAccount, demo_accounts, invent_account
from tiktok_assets.simulator.studio.faults import FAULTS, Fault
from tiktok_assets.simulator.studio.server import PortTaken, run, serve
from tiktok_assets.simulator.studio.totp import totp
from tiktok_assets.simulator.studio.world import StudioWorld

__all__ = [
    "FAULTS",
    "Fault",
    "PortTaken",
    "StudioAccount",
    "StudioWorld",
    "demo_accounts",
    "invent_account",
    "run",
    "serve",
    "totp",
]
