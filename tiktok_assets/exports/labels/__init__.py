"""The true calendar: by how many days the labels of each daily file of an account run ahead of the real UTC days.

Belongs here: weighing everything an account's exports tell of their labels, as pure functions of numbers and times.
Does not belong here: reading files or the lake, Dagster, the staging columns this ends up in, growth and rates.

``align`` takes all daily files known of one account and gives each a shift (label minus real day), a confidence, and
the sentences that led there. The same files give the same answer in any order. Files move as a whole, never by rows.
"""

from __future__ import annotations

from tiktok_assets.exports.labels.alignment import Confidence, Verdict, align
from tiktok_assets.exports.labels.clocks import LocalDate
from tiktok_assets.exports.labels.differences import (
    DifferenceMeaning,
    follower_differences_agree,
    meaning_of_differences,
)
from tiktok_assets.exports.labels.files import DailyFile
from tiktok_assets.exports.labels.uploads import Upload

__all__ = [
    "Confidence",
    "DailyFile",
    "DifferenceMeaning",
    "LocalDate",
    "Upload",
    "Verdict",
    "align",
    "follower_differences_agree",
    "meaning_of_differences",
]
