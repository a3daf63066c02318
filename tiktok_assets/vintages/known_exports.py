"""The exports known at a moment: their raw rows, and the alignment of their labels judged from them alone.

Belongs here: what is read. Does not belong here: the tables computed from it (``as_of``).
"""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass

import polars as pl

from tiktok_assets.exports.labels import DailyFile, Verdict
from tiktok_assets.reports.alignment import table, verdicts
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.raw import judged_rows, raw_rows


@dataclass(frozen=True)
class KnownExports:
    """The exports of ``accounts`` that were downloaded until ``moment``."""

    lake: Lake
    accounts: tuple[str, ...]
    moment: dt.datetime

    def raw(self, report: str) -> pl.LazyFrame:
        """The raw rows of the exports downloaded until the moment."""
        return raw_rows(self.lake, report, self.accounts).filter(self._is_known)

    @functools.cached_property
    def verdicts(self) -> dict[str, list[tuple[Verdict, DailyFile]]]:
        """By account: how many days the labels of each file run ahead, judged from these exports alone, and why."""
        found = {}
        for account in self.accounts:
            judged = judged_rows(self.lake, account)
            known = {report: rows.filter(self._is_known) for report, rows in judged.items() if rows.width}
            found[account] = verdicts(known)
        return found

    @functools.cached_property
    def alignment(self) -> pl.DataFrame:
        """The verdicts as rows of ``Alignment``, one for every month a file covers."""
        return pl.concat(table(account, found) for account, found in self.verdicts.items())

    @property
    def _is_known(self) -> pl.Expr:
        return pl.col("downloaded_at") <= self.moment
