"""The true calendar: by how many days the labels of each daily file of an account run ahead of the real UTC days.

Belongs here: weighing all evidence about labels in an account's exports, as pure functions of numbers and times. Does
not belong here: reading files or the lake, Dagster, the staging columns with the result, growth and rates.

``align`` takes all known daily files of one account and gives each a shift (label minus real day), a confidence, and
the evidence in sentences. The same files give the same result in any order. Files move as a whole, never by rows.
"""

from __future__ import annotations

from tiktok_assets.exports.labels.agreement import Contradiction, contradictions
from tiktok_assets.exports.labels.clocks import LocalDate
from tiktok_assets.exports.labels.differences import (
    DifferenceMeaning,
    follower_differences_agree,
    meaning_of_differences,
)
from tiktok_assets.exports.labels.files import DailyFile
from tiktok_assets.exports.labels.shifts import Confidence, Verdict, align
from tiktok_assets.exports.labels.uploads import Upload

__all__ = [
    "Confidence",
    "Contradiction",
    "DailyFile",
    "DifferenceMeaning",
    "LocalDate",
    "Upload",
    "Verdict",
    "align",
    "contradictions",
    "follower_differences_agree",
    "meaning_of_differences",
]
