"""The JSON of ``/aweme/v2/data/insight/``: numbers that Studio's pages load but no export contains.

Shapes are those of public captures: a history is a list of one ``{status, value}`` per day, a video's number is one
level deeper than an account's, a type that was not requested is null, and status 2 means no data.
Daily counts are the account's truth; what the truth lacks (ages, sources, watch time) is drawn from the id of the
account or video, so it is the same at every request.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from tiktok_assets.simulator.quirks import available_until
from tiktok_assets.simulator.studio.accounts import StudioAccount
from tiktok_assets.simulator.studio.video_insights import VIDEO_TYPES, video_insight
from tiktok_assets.simulator.traits import DayTruth

NO_DATA: Mapping[str, Any] = {"status": 2}
MOST_DAYS = 400
"""An answer never contains more; the longest observed range was 372 days."""
AGES = ("18-24", "25-34", "35-44", "45-54", "55+")
SOURCES = ("For You", "Personal Profile", "Following", "Search", "Sound")


@dataclass(frozen=True, kw_only=True)
class Question:
    """One entry of ``type_requests``: the account, ``days`` days up to ``end_days`` before today, asked at ``now``."""

    account: StudioAccount
    days: int
    end_days: int
    now: datetime

    @property
    def data_until(self) -> date:
        """The last day with data."""
        return min(available_until(self.now), self.account.truth.last_day)

    def truths(self) -> list[DayTruth | None]:
        """The truth of each day of the window, None where there is no data (yet)."""
        last = self.now.date() - timedelta(days=self.end_days)
        window = [last - timedelta(days=back) for back in range(self.days - 1, -1, -1)]
        truth, until = self.account.truth, self.data_until
        return [truth.on(day) if day <= until and truth.existed_on(day) else None for day in window]

    def latest(self) -> DayTruth | None:
        """The truth of the last day with data."""
        return self.account.truth.on(self.data_until)


def answer(account: StudioAccount, type_requests: Iterable[Mapping[str, Any]], now: datetime) -> dict[str, Any]:
    """The body for ``type_requests``; raises ValueError for a request without ``insigh_type`` (which is spelt so)."""
    body: dict[str, Any] = dict.fromkeys(ACCOUNT_TYPES)
    for request in type_requests:
        kind = request.get("insigh_type")
        if not isinstance(kind, str):
            raise ValueError("a type request has no insigh_type")
        if kind in VIDEO_TYPES:
            body[kind] = video_insight(account, kind, str(request.get("aweme_id", "")), now)
        elif build := ACCOUNT_TYPES.get(kind):
            days = min(int(request.get("days", request.get("range", 7))), MOST_DAYS)
            question = Question(account=account, days=days, end_days=int(request.get("end_days", 1)), now=now)
            body[kind] = build(question)
        else:
            body[kind] = None
    extra = {"fatal_item_ids": [], "logid": now.strftime("%Y%m%d%H%M%S"), "now": int(now.timestamp() * 1000)}
    return {"status_code": 0, "status_msg": "", "extra": extra} | body


def _history(count: Callable[[DayTruth], int]) -> Callable[[Question], list[dict[str, Any]]]:
    def build(question: Question) -> list[dict[str, Any]]:
        truths = question.truths()
        return [{"status": 0, "value": count(truth)} if truth else {"status": 2, "value": 0} for truth in truths]

    return build


def _follower_num(question: Question) -> Mapping[str, Any]:
    latest = question.latest()
    return {"status": 0, "value": latest.followers} if latest else NO_DATA


def _unique_viewer_num(question: Question) -> Mapping[str, Any]:
    """Every new viewer of the window once, and the returning ones of its best day."""
    truths = [truth for truth in question.truths() if truth]
    if not truths:
        return NO_DATA
    return {"status": 0, "value": sum(day.new_viewers for day in truths) + max(day.returning_viewers for day in truths)}


def _shares(names: tuple[str, ...], subject: str) -> Callable[[Question], Mapping[str, Any]]:
    """Shares (0..1) that sum to 1, in the order of ``names``."""

    def build(question: Question) -> Mapping[str, Any]:
        if not question.account.truth.shows_audience(question.data_until):
            return NO_DATA
        return {"status": 0, "value": pairs(split(names, f"{question.account.handle}|{subject}"))}

    return build


def split(names: tuple[str, ...], seed: str) -> dict[str, float]:
    """A whole divided among ``names``: thousandths that sum to 1."""
    rng = Random(seed)
    weights = [rng.randrange(20, 400) for _ in names]
    parts = [weight * 1000 // sum(weights) for weight in weights]
    parts[0] += 1000 - sum(parts)
    return {name: part / 1000 for name, part in zip(names, parts, strict=True)}


def pairs(shares: Mapping[str, float]) -> list[dict[str, Any]]:
    """As Studio lists shares."""
    return [{"key": name, "value": share} for name, share in shares.items()]


def _follower_gender(question: Question) -> Mapping[str, Any]:
    truth = question.account.truth
    if not truth.shows_audience(question.data_until):
        return NO_DATA
    return {"status": 0, "value": pairs(dict(truth.gender_on(question.data_until)))}


def _follower_location(question: Question) -> Mapping[str, Any]:
    truth = question.account.truth
    if not truth.shows_audience(question.data_until):
        return {"status": 2, "country_percent_list": None}
    territories = truth.territories_on(question.data_until)
    listed = [
        {"country_name": code, "country_vv_percent": share, "city_percent_list": []} for code, share in territories
    ]
    return {"status": 0, "country_percent_list": listed}


def _active_hours(question: Question) -> list[dict[str, Any]]:
    truth, last = question.account.truth, question.data_until
    if not truth.shows_audience(last):
        return [{"status": 2}]
    window = [last - timedelta(days=back) for back in range(question.days - 1, -1, -1)]
    return [{"status": 0, "value": list(truth.active_followers_on(day))} for day in window]


ACCOUNT_TYPES: Mapping[str, Callable[[Question], Any]] = {
    "vv_history": _history(lambda day: day.video_views),
    "pv_history": _history(lambda day: day.profile_views),
    "like_history": _history(lambda day: day.likes),
    "comment_history": _history(lambda day: day.comments),
    "share_history": _history(lambda day: day.shares),
    "follower_num": _follower_num,
    "follower_num_history": _history(lambda day: day.followers),
    "net_follower_history": _history(lambda day: day.new_followers - day.lost_followers),
    "reached_audience_history": _history(lambda day: day.unique_viewers),
    "unique_viewer_num": _unique_viewer_num,
    "viewer_gender_percent": _shares(("Female", "Male", "Other"), "viewer gender"),
    "viewer_age_distribution": _shares(AGES, "viewer ages"),
    "follower_age_distribution": _shares(AGES, "follower ages"),
    "follower_gender_percent": _follower_gender,
    "follower_location_percent": _follower_location,
    "follower_active_history_hours": _active_hours,
    "vv_traffic_source": _shares(SOURCES, "sources"),
}
"""Every type of an account, and how it is answered."""
