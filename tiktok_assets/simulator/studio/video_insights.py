"""What Studio shows of one video: the list of a content page, and the video types of the insight endpoint.

Counts are those of the truth at the moment asked. Length, watch time, completion, favorites and sources are drawn from
the video's id (``VideoFacts``), so that a test can compute them too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from tiktok_assets.simulator.studio.accounts import StudioAccount
from tiktok_assets.simulator.videos import SimulatedVideo, Totals

FEW_VIEWS = 100
"""Below this, Studio shows no watch time: status 2."""
PAGE_SIZE = 50


@dataclass(frozen=True, kw_only=True)
class VideoFacts:
    """The truth about a video besides its counts. Shares are 0..1, times are seconds."""

    duration: float
    average_watch_time: float
    completion_rate: float
    sources: Mapping[str, float]
    favorite_rate: float
    follower_rate: float

    @staticmethod
    def of(video_id: int) -> "VideoFacts":
        """The facts derived from this id."""
        rng = Random(f"{video_id}|facts")
        duration = round(rng.uniform(6, 75), 1)
        for_you = rng.randrange(550, 930)
        profile = rng.randrange(10, 60)
        search = rng.randrange(0, 10)
        return VideoFacts(
            duration=duration,
            average_watch_time=round(duration * rng.uniform(0.12, 0.85), 2),
            completion_rate=round(rng.uniform(0.02, 0.6), 4),
            sources={
                "For You": for_you / 1000,
                "Personal Profile": profile / 1000,
                "Following": (1000 - for_you - profile - search) / 1000,
                "Search": search / 1000,
            },
            favorite_rate=rng.uniform(0.001, 0.03),
            follower_rate=rng.uniform(0.0002, 0.004),
        )


def posted_videos(account: StudioAccount, now: datetime) -> list[SimulatedVideo]:
    """What a content page lists: newest first."""
    shown = [video for video in account.truth.posted if video.posted_at <= now]
    return sorted(shown, key=lambda video: (video.posted_at, video.video_id), reverse=True)


def find_video(account: StudioAccount, video_id: str, now: datetime) -> SimulatedVideo | None:
    """The posted video of that id, if it is the account's."""
    return next((video for video in posted_videos(account, now) if str(video.video_id) == video_id), None)


def item_list(account: StudioAccount, cursor: int, size: int, now: datetime) -> dict[str, Any]:
    """One page of videos from ``cursor`` on; counts are strings, as in the real list."""
    videos = posted_videos(account, now)
    page = videos[cursor : cursor + max(1, min(size, PAGE_SIZE))]
    end = cursor + len(page)
    items = [_item(account, video, now) for video in page]
    return {
        "status_code": 0,
        "status_msg": "",
        "item_list": items,
        "cursor": end,
        "has_more": end < len(videos),
        "total": len(videos),
    }


def _item(account: StudioAccount, video: SimulatedVideo, now: datetime) -> dict[str, Any]:
    totals, facts = account.truth.totals_at(video, now), VideoFacts.of(video.video_id)
    return {
        "item_id": str(video.video_id),
        "desc": video.title,
        "create_time": str(int(video.uploaded_at.timestamp())),
        "post_time": str(int(video.posted_at.timestamp())),
        "duration": int(facts.duration * 1000),
        "play_count": str(totals.views),
        "like_count": str(totals.likes),
        "comment_count": str(totals.comments),
        "share_count": str(totals.shares),
        "favorite_count": str(int(totals.views * facts.favorite_rate)),
        "is_pinned": False,
    }


def video_insight(account: StudioAccount, kind: str, video_id: str, now: datetime) -> Any:
    """The answer to one type of ``VIDEO_TYPES``; a video that is not the account's has no data."""
    video = find_video(account, video_id, now)
    if video is None:
        return None if kind == "video_info" else {"status": 2}
    totals = account.truth.totals_at(video, now)
    if totals.views < FEW_VIEWS and kind != "video_info":
        return {"status": 2} if kind == "video_new_followers" else {"is_after_7d": False, "value": {"status": 2}}
    return VIDEO_TYPES[kind](video, totals, VideoFacts.of(video.video_id))


def _info(video: SimulatedVideo, totals: Totals, facts: VideoFacts) -> dict[str, Any]:
    return {
        "aweme_id": str(video.video_id),
        "desc": video.title,
        "create_time": int(video.uploaded_at.timestamp()),
        "statistics": {
            "play_count": totals.views,
            "digg_count": totals.likes,
            "comment_count": totals.comments,
            "share_count": totals.shares,
            "collect_count": int(totals.views * facts.favorite_rate),
        },
        "video": {"duration": int(facts.duration * 1000)},
    }


def _nested(value: Any) -> dict[str, Any]:
    return {"is_after_7d": False, "value": {"status": 0, "value": value}}


def _retention(facts: VideoFacts) -> dict[str, Any]:
    """Falls linearly from everybody at the first second to those who see the end."""
    seconds = int(facts.duration)
    fall = (1 - facts.completion_rate) / seconds
    points = [{"timestamp": str(second * 1000), "value": round(1 - second * fall, 4)} for second in range(seconds + 1)]
    return {"is_after_7d": False, "value": {"status": 0, "list": points}}


VIDEO_TYPES: Mapping[str, Callable[[SimulatedVideo, Totals, VideoFacts], Any]] = {
    "video_info": _info,
    "video_per_duration_realtime": lambda video, totals, facts: _nested(facts.average_watch_time),
    "video_finish_rate_realtime": lambda video, totals, facts: _nested(facts.completion_rate),
    "video_retention_rate_realtime": lambda video, totals, facts: _retention(facts),
    "video_traffic_source_percent_realtime": lambda video, totals, facts: _nested(
        [{"key": name, "value": share} for name, share in facts.sources.items()]
    ),
    "video_new_followers": lambda video, totals, facts: {
        "status": 0,
        "value": int(totals.views * facts.follower_rate),
    },
}
"""Every type of a video, and how it is answered."""
