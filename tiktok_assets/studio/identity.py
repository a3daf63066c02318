"""Whose session is it, and does Studio still accept it? One cheap request, before anything is clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from tiktok_assets.accounts import Account
from tiktok_assets.failures import AuthExpired, StudioUnreachable, UiChanged, WrongAccount
from tiktok_assets.studio.pages import LOGIN_EXPIRED

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

USER = "/tiktokstudio/api/web/user?needIsVerified=true"


class Owner(NamedTuple):
    """The owner of a session, as Studio names it. ``user_id``: TikTok's own number; empty if not reported."""

    handle: str
    user_id: str


def owner_of(context: BrowserContext, url: str, account: str, seconds: float) -> Owner:
    """The owner of the session of ``context``, as Studio names it. ``account`` is the account named in messages.

    Raises AuthExpired, StudioUnreachable, or UiChanged for an answer of unknown shape.
    """
    from playwright.sync_api import Error

    try:
        answer = context.request.get(f"{url}{USER}", timeout=seconds * 1000)
        status, path = answer.status, urlsplit(answer.url).path
        body = answer.json() if "json" in answer.headers.get("content-type", "") else None
    except Error as error:
        raise StudioUnreachable(
            f"{account}: {url} did not answer ({error.message.splitlines()[0][:200]}). Check the network."
        ) from error
    if status >= 500 or status == 429:
        raise StudioUnreachable(f"{account}: {url} answers HTTP {status}. Try again later.")
    codes = (body.get("status_code"), body.get("statusCode")) if isinstance(body, dict) else ()
    if LOGIN_EXPIRED in codes or status in (401, 403) or path.startswith("/login"):
        raise AuthExpired(
            f"{account}: Studio no longer accepts the saved login. Run `tiktok-assets login {account}`, then run this "
            "again."
        )
    owner = owner_in(body)
    if owner is None:
        raise UiChanged(
            f"{account}: Studio's answer does not name the owner of this session (HTTP {status}), so nothing was "
            "exported. Open Studio in your browser; if it works there, please report this."
        )
    return owner


def require_owner(context: BrowserContext, url: str, account: Account, seconds: float) -> Owner:
    """Raises WrongAccount if the session does not belong to ``account``, and what ``owner_of`` raises."""
    owner = owner_of(context, url, account.key, seconds)
    if owner.handle.lower() != account.handle.lower():
        raise WrongAccount(
            f"{account.key}: the saved login belongs to @{owner.handle}, not to @{account.handle}; nothing was "
            f"exported. Run `tiktok-assets login {account.key}` as @{account.handle}; if the handle has changed, "
            "correct it in accounts.toml."
        )
    return owner


def owner_in(body: Any) -> Owner | None:
    """The owner that an answer of ``USER`` names; None if it names none."""
    user = body
    for name in ("userBaseInfo", "UserProfile", "UserBase"):
        user = user.get(name) if isinstance(user, dict) else None
    handle = user.get("UniqId") if isinstance(user, dict) else None
    if not isinstance(user, dict) or not isinstance(handle, str) or not handle:
        return None
    ids = (str(place.get(name, "")) for place, name in ((user, "UserId"), (body, "userId")))
    return Owner(handle, next((one for one in ids if one.isdecimal()), ""))
