"""What assets know of Studio: a visit to an account, and exports that land or fail by name.

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
    """One export in landing. ``window`` is what Studio was asked for: less than wanted where it has less.

    ``seconds``: from opening the page to the file's name; ``attempts``: to fetch the file, over all runs.
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
    """What a visit read along of Studio's own JSON, landed as one file. ``path`` is None where there was nothing.

    ``rows``: the numbers read; ``videos``: of how many videos a page told; ``missing``: what could not be got and why,
    a sentence each. That Studio has no data is an answer, and not missing.
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

        An export that an earlier visit asked for and did not land is landed instead of asking again, with its own
        window. Raises a failure of ``tiktok_assets.failures``: LimitReached (DataNotThere) with ``retry_at``;
        AuthExpired, HumanNeeded, UiChanged, WrongAccount for a person; DownloadNotStarted, DownloadFailed, BadExport,
        StudioUnreachable where a rerun may help.
        """

    @abc.abstractmethod
    def insights(self) -> LandedInsights:
        """Land what Studio's pages show and no export has: watch time, completion, ages, following.

        After the exports of the visit, whose pages are not opened again. Uses no reservation, and raises nothing for
        what Studio does or fails to do: that is ``LandedInsights.missing``.
        """


class Studio(abc.ABC):
    """Where exports come from."""

    @abc.abstractmethod
    def visit(self, account: Account) -> AbstractContextManager[Visit]:
        """A visit for ``account``. Raises AuthExpired, WrongAccount, LimitReached ... before anything is clicked."""
