"""Which report a header belongs to, in which variant, and what in it is new.

Columns decide, not names: people rename files. Tables of other products are refused by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tiktok_assets.exports.problems import ForeignFile
from tiktok_assets.exports.tables import normal
from tiktok_assets.reports import REPORTS
from tiktok_assets.reports.report import Report

# One of these columns, whatever its letter case, gives another product away.
FOREIGN = {
    "a TikTok Ads Manager report": {"cost", "campaign name", "ad name", "ad group name", "impressions", "cpc", "cpm"},
    "a Meta Business Suite export": {"primary"},
    "YouTube Studio's 'Table data.csv'": {"video publish time", "watch time (hours)", "estimated revenue (usd)"},
    "a table that somebody cleaned or processed": {
        *("engagement_rate", "artist", "zone", "year", "platform", "account"),
        *("video_views", "profile_views", "total_viewers", "total_views", "video_link"),
    },
}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a file's header relates to what is known. ``unknown`` columns stay text, ``missing`` ones become null."""

    report: Report
    variant: str
    unknown: tuple[str, ...]
    missing: tuple[str, ...]
    label_column: str | None
    """The column that names each row's day, as this file spells it, if it has one."""

    @property
    def product(self) -> str:
        return "business_suite" if self.variant.startswith("business_suite") else "studio"


def identify(file: str, header: Sequence[str]) -> Layout:
    """The layout of a table with this ``header``. Raises ForeignFile naming the product where it can."""
    written = {name.strip().casefold() for name in header}
    for product, columns in FOREIGN.items():
        if written & columns:
            raise ForeignFile(
                f"{file}: is {product}, not a TikTok Studio export (its columns: {', '.join(header)[:300]}). "
                "Export from TikTok Studio > Analytics > Download data."
            )
    names = {normal(name) for name in header}
    found = [report for report in REPORTS if all(names.intersection(either) for either in report.signature)]
    if len(found) != 1:
        raise ForeignFile(
            f"{file}: no known report has these columns: {', '.join(header)[:300] or '(none)'}. "
            "Known are Overview, Viewers, Followers and Content of TikTok Studio, "
            "and Business Suite's overview, audience and video files."
        )
    return _layout(found[0], header)


def _layout(report: Report, header: Sequence[str]) -> Layout:
    """The variant that shares most with ``header``, and where the header differs from it."""

    def distance(variant: str) -> int:
        return len({normal(name) for name in report.headers[variant]} ^ present.keys())

    present = {normal(name): name for name in header}
    nearest = min(report.headers, key=distance)
    expected = {normal(name): name for name in report.headers[nearest]}
    known = {normal(name) for names in report.headers.values() for name in names}
    return Layout(
        report=report,
        variant=nearest,
        unknown=tuple(name for name in header if normal(name) not in known),
        missing=tuple(name for key, name in expected.items() if key not in present),
        label_column=present.get(normal(report.label)) if report.label else None,
    )
