"""The CSV files that Business Suite exported before Studio: full dates, no ZIP, a name the user chose.

Their labels are real UTC days. Form beyond what was measured (no BOM, LF, fields quoted only where necessary) is a
plain CSV; readers accept both. Studio's own ZIPs are ``exports``.
"""

import csv
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from typing import Literal

from tiktok_assets.simulator.account import DayTruth, SimulatedAccount
from tiktok_assets.simulator.exports import GeneratedExport
from tiktok_assets.simulator.quirks import available_until

Kind = Literal["overview", "audience", "video"]

_OVERVIEW = {
    "Video views": "video_views",
    "Reached audience": "reach",
    "Profile views": "profile_views",
    "Likes": "likes",
    "Shares": "shares",
    "Comments": "comments",
    "Phone number clicks ": "clicks",
    "Leads submission": "leads",
    "Net growth": "net_followers",
    "New followers": "new_followers",
    "Lost followers": "lost_followers",
}
_AUDIENCE = {
    "New followers": "new_followers",
    "Total followers": "followers",
    "Reached audience": "reach",
    "Engaged audience": "engaged_audience",
}
_VIDEO = {
    "Video views": "total_views",
    "Likes": "total_likes",
    "Comments": "total_comments",
    "Shares": "total_shares",
    "Add to Favorites": "favorites",
}
_REPORTS = {"overview": "overview", "audience": "follower_history", "video": "content"}


def business_suite_export(
    account: SimulatedAccount,
    kind: Kind,
    first: date,
    last: date,
    *,
    downloaded_at: datetime,
    missing: Literal["NAN", "--"] = "NAN",
    older: bool = False,
    name: str | None = None,
) -> GeneratedExport:
    """One CSV of Business Suite for the UTC days ``first``..``last``; days without data contain ``missing``.

    ``expected`` is under overview, follower_history (audience) or content (video). ``older`` writes the schema that
    names views ``reach`` where newer files say ``Video views``.
    """
    columns = dict({"overview": _OVERVIEW, "audience": _AUDIENCE, "video": _VIDEO}[kind])
    if older:
        columns = {"reach" if header == "Video views" else header: ours for header, ours in columns.items()}
    leading = ("Video title", "Video link", "Post time") if kind == "video" else ("Date",)
    make = _videos if kind == "video" else _days
    rows, expected = [], []
    for cells, keys, values in make(account, first, last, downloaded_at):
        counts = {ours: values.get(ours) for ours in columns.values()}
        numbers = (missing if counts[ours] is None else str(counts[ours]) for ours in columns.values())
        rows.append((*cells, *numbers))
        expected.append(keys | counts)
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows([(*leading, *columns), *rows])
    file_name = name or f"Business Suite {kind} {first:%Y%m%d}-{last:%Y%m%d}.csv"
    content = text.getvalue().encode()
    return GeneratedExport(
        name=file_name,
        content=content,
        members={file_name: content},
        downloaded_at=downloaded_at,
        expected={_REPORTS[kind]: expected},
    )


Row = tuple[Sequence[str], dict[str, object], dict[str, int]]


def _days(account: SimulatedAccount, first: date, last: date, downloaded_at: datetime) -> Iterator[Row]:
    data_until = available_until(downloaded_at)
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        day = date.fromordinal(ordinal)
        truth = account.on(day)
        has_data = day <= data_until and account.has_rows_on(day) and account.existed_on(day)
        keys: dict[str, object] = {"date_label": day, "true_day": day}
        yield (f"{day:%Y/%m/%d}",), keys, _numbers(truth) if truth and has_data else {}


def _numbers(truth: DayTruth) -> dict[str, int]:
    return truth._asdict() | {
        "reach": truth.unique_viewers,
        "engaged_audience": truth.unique_viewers // 9,
        "net_followers": truth.new_followers - truth.lost_followers,
        "clicks": 0,
        "leads": 0,
    }


def _videos(account: SimulatedAccount, first: date, last: date, downloaded_at: datetime) -> Iterator[Row]:
    offset = timedelta(hours=account.traits.utc_offset)
    captured_on = downloaded_at.astimezone(UTC).date()
    end = min(downloaded_at, datetime.combine(last + timedelta(days=1), time(), UTC))
    for video in account.posted:
        if not (first <= video.post_date <= last and video.posted_at < end):
            continue
        totals = account.totals_at(video, downloaded_at)
        keys: dict[str, object] = {
            "date_label": video.post_date,
            "true_day": captured_on,
            "video_id": str(video.video_id),
            "handle": account.handle,
            "title": video.title,
            "link": video.link,
            "post_date": video.post_date,
            "published_at": video.uploaded_at,
        }
        numbers = {f"total_{name}": getattr(totals, name) for name in totals._fields}
        numbers |= {"favorites": totals.likes // 6, "reach": totals.views * 7 // 10}
        yield (video.title, video.link, f"{video.posted_at + offset:%Y/%m/%d %H:%M:%S}"), keys, numbers
