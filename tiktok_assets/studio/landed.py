"""What needs no new export: the days that an account's exports already contain, whoever landed them, and today's
insights.

Belongs here: receipts and files read as days by section. Does not belong here: which visits follow (``extraction``).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence

from tiktok_assets.accounts import Account
from tiktok_assets.exports.names import INSIGHTS, read_name
from tiktok_assets.exports.problems import ExportProblem
from tiktok_assets.exports.windows import LandedWindow, Window, final_days
from tiktok_assets.inbox.contents import read_with_siblings
from tiktok_assets.inbox.files import account_files
from tiktok_assets.inbox.identities import identity
from tiktok_assets.inbox.receipts import receipts
from tiktok_assets.inbox.sandbox import Limits
from tiktok_assets.reports import REPORTS
from tiktok_assets.storage.lake import Lake
from tiktok_assets.studio.extraction import ExtractionRequest
from tiktok_assets.studio.session import Sessions, SessionStatus

_SECTION = {report.name: report.section for report in REPORTS}


def extraction_request(
    lake: Lake,
    account: Account,
    sections: Sequence[str],
    first: dt.date,
    last: dt.date,
    *,
    now: dt.datetime,
    refresh_since: dt.datetime | None = None,
) -> ExtractionRequest:
    """What is left to request from Studio: not the days that an export of ``account`` already contains, unless
    refreshed.

    Insights describe the day they are read on: they are requested once a day, for a range that includes today.
    """
    requested = list(sections)
    if INSIGHTS in requested and (last < now.date() or (refresh_since is None and _has_insights(lake, account, now))):
        requested.remove(INSIGHTS)
    known = {} if refresh_since is not None else known_days(lake, account.key)
    return ExtractionRequest(
        account=account, sections=requested, first=first, last=last, refresh_since=refresh_since, known=known
    )


def known_days(lake: Lake, account: str) -> Mapping[str, frozenset[dt.date]]:
    """By section, the days whose numbers were available when an export of them was downloaded."""
    landed: dict[str, list[LandedWindow]] = {}
    for section, window in _windows(lake, account):
        landed.setdefault(section, []).append(window)
    return {section: final_days(windows) for section, windows in landed.items()}


def is_manual(lake: Lake, account: str) -> bool:
    """Whether ``account`` is exported manually: nobody has ever logged in, and exports of it were dropped."""
    never = Sessions.of(lake.settings).state(account).standing is SessionStatus.MISSING
    return never and any(True for _ in account_files(lake, account))


def _windows(lake: Lake, account: str) -> Iterator[tuple[str, LandedWindow]]:
    """The windows of every export: receipts list those in raw, the others are opened."""
    read = set()
    for receipt in receipts(lake, account):
        read.add(receipt.export_id)
        for section in {_SECTION[report] for report in receipt.reports}:
            yield section, LandedWindow(window=_window(*receipt.window), asked_at=receipt.downloaded_at)
    for path in account_files(lake, account):
        try:
            if identity(path) in read:
                continue
            contents, _ = read_with_siblings(lake, path, Limits.of(lake.settings))
        except ExportProblem:
            continue  # the intake reports why
        for section in contents.sections:
            yield section, LandedWindow(window=_window(*contents.window), asked_at=contents.downloaded_at)


def _window(first: dt.date, last: dt.date) -> Window:
    return Window(first=first, last=last)


def _has_insights(lake: Lake, account: Account, now: dt.datetime) -> bool:
    """Whether today's insights were read with nothing missing."""
    files = (path for path in account_files(lake, account.key) if f"_{now:%Y%m%d}T" in path.name)
    return any(
        not json.loads(path.read_bytes()).get("missing") for path in files if read_name(path.name).section == INSIGHTS
    )
