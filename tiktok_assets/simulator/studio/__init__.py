"""A simulated TikTok Studio: pages, logins, JSON and downloads to test the extraction on, with every fault.

    world = StudioWorld([invent_account("north.pier", 1, first_day, last_day)], clock=lambda: moment)
    with serve(world) as address: ...

``world`` is the state of the server, ``server`` how it listens, ``faults`` what can go wrong. The behaviour of the real
Studio is taken from public captures; where they show nothing (the addresses of the export endpoints, the address of a
custom range) the extraction must not rely on anything here.
Does not belong here: anything that visits a Studio, and Dagster.
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
