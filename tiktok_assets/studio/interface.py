"""What assets know about Studio: a visit for one account, and exports that land or raise a typed failure.

Belongs here: the narrow interface. Does not belong here: a browser (``browser_studio``).
"""

from __future__ import annotations

import abc
import datetime as dt
from contextlib import AbstractContextManager
from dataclasses import dataclass

from upath import UPath

from tiktok_assets.accounts import Account
from tiktok_assets.exports.windows import Window


@dataclass(frozen=True, kw_only=True)
class LandedFile:
    """One export in landing. ``window`` is what Studio was asked for: shorter than requested where it has less.

    ``seconds``: from opening the page until the file has its name; ``attempts``: to fetch the file, over all runs.
    """

    account: str
    section: str
    window: Window
    path: UPath
    export_id: str
    bytes: int
    rows: int
    seconds: float
    attempts: int
    warnings: tuple[str, ...] = ()

    @property
    def has_no_data(self) -> bool:
        """Headers without rows: small accounts have no data for some sections."""
        return self.rows == 0


@dataclass(frozen=True, kw_only=True)
class LandedInsights:
    """What a visit captured of Studio's own JSON, landed as one file. ``path`` is None if nothing was captured.

    ``rows``: how many numbers; ``videos``: how many videos have any; ``missing``: what could not be captured and why,
    one sentence each. "No data" from Studio is an answer, not missing.
    """

    account: str
    path: UPath | None
    export_id: str
    bytes: int
    rows: int
    videos: int
    seconds: float
    missing: tuple[str, ...] = ()


class Visit(abc.ABC):
    """Studio as the owner of one account sees it, while the context lasts."""

    @abc.abstractmethod
    def export(self, section: str, first: dt.date, last: dt.date) -> LandedFile:
        """Land ``section`` for the days from ``first`` to ``last``; each section once a visit.

        An export that an earlier visit requested but did not land is landed, with its own window, instead of requesting
        it again. Raises a failure of ``tiktok_assets.failures``: LimitReached (DataNotThere) with ``retry_at``;
        AuthExpired, HumanNeeded, UiChanged, WrongAccount, which need a person; DownloadNotStarted, DownloadFailed,
        BadExport, StudioUnreachable where a rerun may help.
        """

    @abc.abstractmethod
    def insights(self) -> LandedInsights:
        """Land what Studio's pages show but no export contains: watch time, completion, ages, following.

        Call it after the visit's exports; their pages are not opened again. Uses no reservation, and never raises for
        what Studio does or fails to do: that goes into ``LandedInsights.missing``.
        """


class Studio(abc.ABC):
    """Where exports come from."""

    @abc.abstractmethod
    def visit(self, account: Account) -> AbstractContextManager[Visit]:
        """A visit for ``account``. Raises AuthExpired, WrongAccount, LimitReached etc. before anything is clicked."""
