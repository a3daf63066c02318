"""Failures of runs, typed by one question: will a rerun help?

Belongs here: what Dagster shows in red. Does not belong here: why a file is no export (``exports.problems``), and
Dagster itself: ``assets.dagster_failures`` raises each of these as a ``dg.Failure`` of the same words.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import ClassVar


class Failure(Exception):
    """What ends a run, in one sentence. ``metadata``: numbers, texts and paths that are shown beside it."""

    allow_retries: ClassVar[bool]
    """Whether a rerun may help without anybody acting first."""

    def __init__(self, description: str, metadata: Mapping[str, object] | None = None) -> None:
        super().__init__(description)
        self.description = description
        self.metadata = dict(metadata or {})


class PermanentFailure(Failure):
    """A rerun cannot change the outcome; a person has to act. The message says what to do."""

    allow_retries = False


class EmptyRange(PermanentFailure):
    """The run was asked for no partition at all: a reversed or empty range, which Dagster itself lets succeed."""


class PartitionsLost(PermanentFailure):
    """Dagster would make fewer partitions than the run names, and call it a success."""


class RowsOutsideRange(PermanentFailure):
    """An asset returned rows of partitions that the run was not asked for; storing them would lose others."""


class WarehouseUnusable(PermanentFailure):
    """The file under the warehouse's name is not one, or not ours; it is neither written nor replaced."""


class DataOfNewerVersion(PermanentFailure):
    """The data folder was written by a version of this program that this one does not know; it is left as it is."""


class PassingFailure(Failure):
    """A rerun may succeed, and nobody has to act first."""

    allow_retries = True


class WarehouseOvertaken(PassingFailure):
    """Another writer has published the warehouse since this one had read it; its own rows are loaded again."""


class AuthExpired(PermanentFailure):
    """There is no session that opens Studio: `tiktok-assets login <account>`, then run again."""


class HumanNeeded(PermanentFailure):
    """Studio asks for something only a person can do, such as a captcha."""


class UiChanged(PermanentFailure):
    """A page of Studio is not as expected; the message names the element to write into ``selectors.toml``."""


class WrongAccount(PermanentFailure):
    """The session, or what it returned, belongs to another account; nothing of it is stored under this one."""


class SessionUnreadable(PermanentFailure):
    """There is a saved session, and it cannot be read or written here: another key, another user, a damaged file."""


class EgressElsewhere(PermanentFailure):
    """The account is visited through an egress that this machine does not have; another machine has to visit it."""


class BrowserUnusable(PermanentFailure):
    """There is no browser, or it cannot be started here; the message names the remedies."""


class ExtractionFailed(PermanentFailure):
    """More than one account, or export of an account, failed; a line for each says why. What landed is kept."""


class StudioUnreachable(PassingFailure):
    """A page of Studio did not open at all: the network, or their server."""


class DownloadNotStarted(PassingFailure):
    """The export was requested, but no file came within ``TIKTOK_DOWNLOAD_TIMEOUT``."""


class DownloadFailed(PassingFailure):
    """A download started and did not complete: the link expired or the connection broke."""


class BadExport(PassingFailure):
    """The downloaded file is not the requested export; it is in quarantine."""


class LimitReached(Failure):
    """An export that may not be made before ``retry_at`` (aware). Retrying earlier cannot help, waiting does."""

    allow_retries = False

    def __init__(self, description: str, retry_at: dt.datetime) -> None:
        super().__init__(description, metadata={"retry_at": retry_at.timestamp()})
        self.retry_at = retry_at


class DataNotThere(LimitReached):
    """Studio has no data for these days yet; it appears until 17:00 UTC of the next day."""


class StateUnavailable(PassingFailure):
    """Postgres, which holds what machines share, does not answer."""


class LockLost(PassingFailure):
    """A lock that was held is somebody else's by now; nothing was stored since."""
