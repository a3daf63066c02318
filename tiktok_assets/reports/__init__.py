"""The seven reports of TikTok Studio, the insights beside them, and what their rows mean.

Belongs here: how the text of a report becomes typed rows, and what must hold for them.
Does not belong here: reading files (``tiktok_assets.exports``), Dagster, ratios of different reports (``curated``).
"""

from __future__ import annotations

from tiktok_assets.reports.content import CONTENT
from tiktok_assets.reports.follower_activity import FOLLOWER_ACTIVITY
from tiktok_assets.reports.follower_gender import FOLLOWER_GENDER
from tiktok_assets.reports.follower_history import FOLLOWER_HISTORY
from tiktok_assets.reports.follower_territories import FOLLOWER_TERRITORIES
from tiktok_assets.reports.insights import INSIGHTS
from tiktok_assets.reports.overview import OVERVIEW
from tiktok_assets.reports.report import Report
from tiktok_assets.reports.viewers import VIEWERS

REPORTS: tuple[Report, ...] = (
    OVERVIEW,
    VIEWERS,
    FOLLOWER_HISTORY,
    FOLLOWER_ACTIVITY,
    FOLLOWER_GENDER,
    FOLLOWER_TERRITORIES,
    CONTENT,
    INSIGHTS,
)

__all__ = ["REPORTS", "Report"]
