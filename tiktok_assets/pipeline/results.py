"""The results of one pass over landing: plain data, for people and as JSON.

Belongs here: results, and the exception that ends an interrupted pass. Does not belong here: making them (``process``,
``runs``), printing, Dagster.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from tiktok_assets.inbox.findings import Finding
from tiktok_assets.inbox.intake import Intake, LandedExport

Groups = Mapping[str, list[LandedExport]]


@dataclass(frozen=True, kw_only=True)
class AccountResult:
    """The result of one account's new exports.

    ``failed_checks``: broken promises, as "staging/overview has_rows"; ``warned_checks``: each with its sentence.
    """

    account: str
    exports: int
    first_month: dt.date
    last_month: dt.date
    succeeded: bool
    error: str | None
    failed_checks: tuple[str, ...]
    warned_checks: dict[str, str]
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class StreamsResult:
    """The result of a run for streams. ``files``: how many were new; the others are made again with other songs.

    ``warned_checks``: broken promises, each with its sentence.
    """

    files: int
    first_month: dt.date
    last_month: dt.date
    error: str | None
    warned_checks: dict[str, str]
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Result:
    """One pass over landing."""

    intake: Intake
    accounts: tuple[AccountResult, ...]
    streams: StreamsResult | None = None
    """Of the run for streams, if one was needed."""
    lost: tuple[Finding, ...] = ()
    """What was missing, or not what a run had made, when this pass began."""
    dead_runs: int = 0
    """Runs of killed processes that were marked as failed."""
    has_published: bool = False
    """Whether this pass published tables that an earlier run had stored."""
    unpublished: str | None = None
    """Why the stored tables could not be published; the warehouse still holds the previous ones."""

    @property
    def is_clean(self) -> bool:
        """No file was quarantined or unreadable, no run or check with severity error failed, all is published."""
        runs = all(account.succeeded and not account.failed_checks for account in self.accounts)
        runs = runs and (self.streams is None or self.streams.error is None)
        return runs and not self.unpublished and not self.intake.rejected and not self.intake.unreadable


class Interrupted(KeyboardInterrupt):
    """A person or the system stopped the processing. The message says what is done and what is left."""
