"""The seven tables of Studio: each row once as the text of the file, once as the truth (``expected``).

Every builder takes a ``Visit`` and returns (Table, expected). Bytes are ``files``; members and names are ``exports``.
Studio writes label L on the row of the UTC day L - label_shift, in Viewers of L - label_shift - viewers_offset.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from tiktok_assets.simulator.date_labels import date_text, date_texts
from tiktok_assets.simulator.files import Table
from tiktok_assets.simulator.traits import DayTruth
from tiktok_assets.simulator.videos import SimulatedVideo
from tiktok_assets.simulator.visit import Visit

ExpectedRows = list[dict[str, Any]]
"""What a correct reader returns for each row; None means unknown."""

MOST_VIDEOS = 15
"""Content.csv never contained more rows."""

_HOUR = timedelta(hours=1)


def overview(visit: Visit) -> tuple[Table, ExpectedRows]:
    """One row per day; days before the account existed are 0."""
    texts, number, extra = date_texts(visit.locale), visit.number, visit.quirks.extra_columns
    rows: list[tuple[str, ...]] = []
    expected: ExpectedRows = []
    for label, day in visit.labelled_days():
        truth = visit.account.on(day) or _nothing_on(day)
        _, views, profile_views, likes, comments, shares, *_ = truth
        more = [number(truth.new_followers if name == "New followers" else day.day % 7) for name in extra]
        counts = (number(views), number(profile_views), number(likes), number(comments), number(shares))
        rows.append((texts[label.month, label.day], *counts, *more))
        expected.append(
            {
                "date_label": label,
                "true_day": day,
                "video_views": views,
                "profile_views": profile_views,
                "likes": likes,
                "comments": comments,
                "shares": shares,
            }
        )
    return Table(("Date", "Video Views", "Profile Views", "Likes", "Comments", "Shares", *extra), rows), expected


def viewers(visit: Visit) -> tuple[Table, ExpectedRows]:
    """One row per day; a day without a value is ``undefined,0,0``."""
    texts, number, quirks = date_texts(visit.locale), visit.number, visit.quirks
    rows: list[tuple[str, ...]] = []
    expected: ExpectedRows = []
    labelled = visit.labelled_days(quirks.viewers_offset)
    for index, (label, day) in enumerate(labelled):
        has_value = quirks.undefined_leading <= index < len(labelled) - quirks.undefined_trailing
        truth = visit.account.on(day) if has_value and visit.account.existed_on(day) else None
        total, new, returning = truth[6:9] if truth else (None, None, None)
        cells = map(number, truth[6:9]) if truth else ("undefined", "0", "0")
        rows.append((texts[label.month, label.day], *cells))
        expected.append(
            {
                "date_label": label,
                "true_day": day,
                "unique_viewers": total,
                "new_viewers": new,
                "returning_viewers": returning,
            }
        )
    return Table(("Date", "Total Viewers", "New Viewers", "Returning Viewers"), rows), expected


def follower_history(visit: Visit) -> tuple[Table, ExpectedRows]:
    """One row per day; a day without a value is ``undefined,0``. The difference has the meaning the quirk says."""
    texts, number = date_texts(visit.locale), visit.number
    rows: list[tuple[str, ...]] = []
    expected: ExpectedRows = []
    labelled = visit.labelled_days()
    for index, (label, day) in enumerate(labelled):
        has_value = index >= visit.quirks.undefined_leading and visit.account.existed_on(day)
        truth = visit.account.on(day) if has_value else None
        followers, difference, cells = None, None, ("undefined", "0")
        if truth:
            followers = truth.followers
            difference = _difference(visit, truth, is_last=index == len(labelled) - 1)
            cells = (number(followers), number(difference))
        rows.append((texts[label.month, label.day], *cells))
        expected.append(
            {"date_label": label, "true_day": day, "followers": followers, "follower_difference": difference}
        )
    return Table(("Date", "Followers", "Difference in followers from previous day"), rows), expected


def _difference(visit: Visit, truth: DayTruth, *, is_last: bool) -> int:
    """As the file states it: 0 if the other day is unknown, hence also in the last row when it looks forward."""
    if visit.quirks.difference == "next":
        following = visit.account.on(truth.day + timedelta(days=1))
        return 0 if is_last or following is None else following.followers - truth.followers
    before = truth.day - timedelta(days=1)
    previous = visit.account.on(before) if visit.account.existed_on(before) else None
    return truth.followers - previous.followers if previous else 0


def follower_activity(visit: Visit) -> tuple[Table, ExpectedRows]:
    """One row per local hour of the last days. Expected adds the hour's start in UTC and whether it is after the data.

    ``true_day`` is the local date without the label shift: hours are local, so an hour's UTC day can be another.
    """
    number = visit.number
    rows: list[tuple[str, ...]] = []
    expected: ExpectedRows = []
    offset = timedelta(hours=visit.account.traits.utc_offset)
    end = datetime.combine(visit.data_until + timedelta(days=1), time(), UTC)
    for day in _activity_dates(visit, end + offset) if visit.shows_audience else ():
        label = day + timedelta(days=visit.quirks.label_shift)
        text = date_text(label, visit.locale)
        midnight = datetime.combine(day, time(), UTC) - offset
        for hour, online in enumerate(visit.account.active_followers_on(day)):
            begin = midnight + hour * _HOUR
            is_tail = begin >= end
            active = 0 if is_tail else online
            rows.append((text, str(hour), number(active)))
            expected.append(
                {
                    "date_label": label,
                    "true_day": day,
                    "hour": hour,
                    "active_followers": active,
                    "hour_utc": begin,
                    "is_zero_tail": is_tail,
                }
            )
    return Table(("Date", "Hour", "Active followers"), rows), expected


def _activity_dates(visit: Visit, local_end: datetime) -> Iterator[date]:
    last = (local_end - _HOUR).date()
    if local_end.hour != 0 and not visit.quirks.zero_tail:
        last -= timedelta(days=1)
    return (last - timedelta(days=back) for back in range(visit.quirks.activity_days - 1, -1, -1))


def follower_gender(visit: Visit) -> tuple[Table, ExpectedRows]:
    """A snapshot: one row per gender, in order of share."""
    shares = visit.account.gender_on(visit.data_until) if visit.shows_audience else ()
    return _distribution(visit, "Gender", "gender", shares)


def follower_territories(visit: Visit) -> tuple[Table, ExpectedRows]:
    """A snapshot: ten territories in order of share, then ``Others``."""
    shares = visit.account.territories_on(visit.data_until) if visit.shows_audience else ()
    return _distribution(visit, "Top territories", "territory", shares)


def _distribution(
    visit: Visit, header: str, column: str, shares: Sequence[tuple[str, float]]
) -> tuple[Table, ExpectedRows]:
    captured_on = visit.downloaded_at.astimezone(UTC).date()
    rows = [(value, str(int(share)) if share in (0, 1) else repr(share)) for value, share in shares]
    expected: ExpectedRows = [
        {"date_label": None, "true_day": captured_on, column: value, "share": share} for value, share in shares
    ]
    return Table((header, "Distribution"), rows), expected


def content(visit: Visit) -> tuple[Table, ExpectedRows]:
    """One row per video: the 15 that gained most views in the window, with lifetime totals at the moment of download.

    ``date_label`` is the local date of the export (column Time), ``true_day`` the UTC date of the download.
    """
    account, number = visit.account, visit.number
    exported_on = account.local_date(visit.downloaded_at)
    captured_on = visit.downloaded_at.astimezone(UTC).date()
    rows: list[tuple[str, ...]] = []
    expected: ExpectedRows = []
    for video in _most_gaining(visit):
        totals = account.totals_at(video, visit.downloaded_at)
        post_text = date_text(video.post_date, visit.locale)
        counts = (number(totals.likes), number(totals.comments), number(totals.shares), number(totals.views))
        rows.append((date_text(exported_on, visit.locale), video.title, video.link, post_text, *counts))
        expected.append(
            {
                "date_label": exported_on,
                "true_day": captured_on,
                "video_id": str(video.video_id),
                "handle": account.handle,
                "title": video.title,
                "link": video.link,
                "post_date": video.post_date,
                "published_at": video.uploaded_at,
                "total_views": totals.views,
                "total_likes": totals.likes,
                "total_comments": totals.comments,
                "total_shares": totals.shares,
            }
        )
    dates_and_names = ("Time", "Video title", "Video link", "Post time")
    return Table((*dates_and_names, "Total likes", "Total comments", "Total shares", "Total views"), rows), expected


def _most_gaining(visit: Visit) -> list[SimulatedVideo]:
    if visit.quirks.empty_section:
        return []
    account, clock = visit.account, visit.account.clocks.views
    now = account.clock_position(visit.downloaded_at)
    begin = visit.first.toordinal() - visit.quirks.label_shift - account.origin.toordinal()
    end = min(now, visit.data_until.toordinal() + 1 - account.origin.toordinal())
    shown = [video for video in account.posted if video.posted_at <= visit.downloaded_at]
    gains = [(video.views_at(clock, end) - video.views_at(clock, begin), video.video_id, video) for video in shown]
    return [video for _, _, video in sorted(gains, reverse=True)[:MOST_VIDEOS]]


def _nothing_on(day: date) -> DayTruth:
    return DayTruth(day, *([0] * (len(DayTruth._fields) - 1)))
