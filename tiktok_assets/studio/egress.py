"""Egresses: the networks, each with an address that Studio sees, through which accounts are visited.

Belongs here: which of them this machine has, and the proxy of one. Does not belong here: the
pause between its visits (``limits``), and whose turn it is (``turns``). An account and its login keep to one egress: a
login that appears from another country looks stolen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from tiktok_assets.accounts import Account
from tiktok_assets.failures import EgressElsewhere
from tiktok_assets.settings import Settings, proxies_of

if TYPE_CHECKING:
    from playwright.sync_api import ProxySettings


def is_here(settings: Settings, account: Account) -> bool:
    """Whether this machine may visit Studio through the egress of ``account``."""
    return not settings.egress or account.egress in settings.egress


def require_egress(settings: Settings, account: Account) -> None:
    """Raises EgressElsewhere if another machine has to visit ``account``."""
    if not is_here(settings, account):
        raise EgressElsewhere(
            f"{account.key}: its egress is {account.egress}, and this machine has only {', '.join(settings.egress)} "
            f"(TIKTOK_EGRESS). Run this where {account.egress} is, or add {account.egress} to TIKTOK_EGRESS if this "
            "machine has it."
        )


def proxy_of(settings: Settings, egress: str) -> ProxySettings | None:
    """What Playwright's ``launch(proxy=...)`` takes; None for an egress that is this machine's own network."""
    address = proxies_of(settings.egress_proxy).get(egress) if settings.egress_proxy else None
    if address is None:
        return None
    url = urlsplit(address)
    server: ProxySettings = {"server": f"{url.scheme}://{url.netloc.rpartition('@')[2]}"}
    if url.username:
        server |= {"username": unquote(url.username), "password": unquote(url.password or "")}
    return server
