"""The JSON that Studio's pages load: shapes as captured from the real one, numbers as in the account's truth."""

import json
from datetime import date, timedelta
from typing import Any

import pytest

from tiktok_assets.simulator.studio import StudioAccount, StudioWorld, invent_account
from tiktok_assets.simulator.studio.video_insights import VideoFacts
from tiktok_assets.simulator.traits import Traits
from tiktok_assets_tests.simulator.studio.conftest import NOW, YESTERDAY
from tiktok_assets_tests.simulator.studio.studio_client import StudioClient

ITEMS = "/tiktok/creator/manage/item_list/v1/"


def insights(client: StudioClient, *requests: dict[str, Any]) -> dict[str, Any]:
    return client.json("/aweme/v2/data/insight/", type_requests=json.dumps(requests))


def test_user_names_the_owner_of_the_session(client: StudioClient, north: StudioAccount) -> None:
    base = client.json("/tiktokstudio/api/web/user")["userBaseInfo"]["UserProfile"]["UserBase"]
    assert (base["UniqId"], base["UserId"]) == ("north.pier", north.user_id)
    assert len(north.user_id) == 19


def test_followers_and_following_are_text_in_a_map_by_user_id(client: StudioClient, north: StudioAccount) -> None:
    answer = client.json("/tiktokstudio/api/web/relation/multiGetFollowRelationCount", userId=north.user_id)
    today = north.truth.on(NOW.date())
    assert today is not None
    assert answer["FollowerCount"] == {north.user_id: str(today.followers)}
    assert answer["FollowingCount"] == {north.user_id: str(north.following)}


def test_a_history_has_the_truth_per_day_and_marks_missing_days(client: StudioClient, north: StudioAccount) -> None:
    answer = insights(client, {"insigh_type": "vv_history", "days": 7, "end_days": 0})
    truths = [north.truth.on(date(2025, 12, 26) + timedelta(days=day)) for day in range(6)]
    views = [{"status": 0, "value": truth.video_views} for truth in truths if truth]
    assert answer["vv_history"] == [*views, {"status": 2, "value": 0}]  # 1 January is not known yet
    assert answer["status_code"] == 0


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("pv_history", "profile_views"),
        ("like_history", "likes"),
        ("comment_history", "comments"),
        ("share_history", "shares"),
        ("follower_num_history", "followers"),
        ("reached_audience_history", "unique_viewers"),
    ],
)
def test_each_history_counts_what_its_name_says(
    client: StudioClient, north: StudioAccount, kind: str, field: str
) -> None:
    (day,) = insights(client, {"insigh_type": kind, "days": 1, "end_days": 1})[kind]
    assert day == {"status": 0, "value": getattr(north.truth.on(YESTERDAY), field)}


def test_net_followers_are_the_difference_of_two_days(client: StudioClient) -> None:
    window = {"days": 2, "end_days": 1}
    answer = insights(
        client, *({"insigh_type": kind, **window} for kind in ("net_follower_history", "follower_num_history"))
    )
    before, after = (day["value"] for day in answer["follower_num_history"])
    assert answer["net_follower_history"][1]["value"] == after - before


def test_a_type_that_was_not_requested_is_null(client: StudioClient) -> None:
    answer = insights(client, {"insigh_type": "follower_num"}, {"insigh_type": "week_new_videos"})
    assert answer["follower_num"]["status"] == 0
    assert answer["vv_history"] is None
    assert answer["week_new_videos"] is None
    assert "video_info" not in answer


@pytest.mark.parametrize(
    "kind",
    ["viewer_age_distribution", "follower_age_distribution", "viewer_gender_percent", "follower_gender_percent",
     "vv_traffic_source"],
)  # fmt: skip
def test_shares_sum_to_one(client: StudioClient, kind: str) -> None:
    answer = insights(client, {"insigh_type": kind, "range": 28})[kind]
    assert answer["status"] == 0
    assert sum(share["value"] for share in answer["value"]) == pytest.approx(1)
    assert len({share["key"] for share in answer["value"]}) == len(answer["value"]) >= 3


def test_ages_of_viewers_and_followers_are_not_the_same(client: StudioClient) -> None:
    kinds = ("viewer_age_distribution", "follower_age_distribution")
    answer = insights(client, *({"insigh_type": kind} for kind in kinds))
    viewers, followers = (answer[kind]["value"] for kind in kinds)
    assert [share["key"] for share in viewers] == ["18-24", "25-34", "35-44", "45-54", "55+"]
    assert viewers != followers


def test_locations_and_hours_are_those_of_the_followers(client: StudioClient, north: StudioAccount) -> None:
    answer = insights(
        client,
        {"insigh_type": "follower_location_percent"},
        {"insigh_type": "follower_active_history_hours", "days": 3},
    )
    countries = [country["country_name"] for country in answer["follower_location_percent"]["country_percent_list"]]
    assert countries == [code for code, _ in north.truth.territories_on(YESTERDAY)]
    hours = answer["follower_active_history_hours"]
    assert [len(day["value"]) for day in hours] == [24, 24, 24]
    assert hours[-1]["value"] == list(north.truth.active_followers_on(YESTERDAY))


def test_a_small_account_without_an_audience_gets_status_2() -> None:
    small = invent_account("tiny", 5, date(2025, 1, 1), date(2026, 1, 31), traits=Traits(size="small"))
    client = StudioClient(StudioWorld([small], clock=lambda: NOW))
    client.log_in(small)
    kinds = ("follower_age_distribution", "follower_gender_percent", "follower_location_percent")
    answer = insights(client, *({"insigh_type": kind} for kind in kinds))
    assert [answer[kind]["status"] for kind in kinds] == [2, 2, 2]


def test_a_video_reports_watch_time_completion_and_sources(client: StudioClient, north: StudioAccount) -> None:
    video = next(video for video in north.truth.posted if video.posted_at < NOW - timedelta(days=30))
    kinds = ("video_per_duration_realtime", "video_finish_rate_realtime", "video_traffic_source_percent_realtime")
    answer = insights(client, *({"insigh_type": kind, "aweme_id": str(video.video_id)} for kind in kinds))
    facts = VideoFacts.of(video.video_id)
    watch_time, completion, sources = (answer[kind]["value"] for kind in kinds)
    assert watch_time == {"status": 0, "value": facts.average_watch_time}
    assert completion == {"status": 0, "value": facts.completion_rate}
    assert {source["key"]: source["value"] for source in sources["value"]} == facts.sources
    assert 0 < facts.average_watch_time < facts.duration


def test_facts_of_videos_are_plausible(north: StudioAccount) -> None:
    for facts in [VideoFacts.of(video.video_id) for video in north.truth.posted]:
        assert 0 < facts.average_watch_time < facts.duration
        assert 0 < facts.completion_rate < 1
        assert min(facts.sources.values()) >= 0
        assert sum(facts.sources.values()) == pytest.approx(1)


def test_rarely_watched_and_other_accounts_videos_have_no_data(north: StudioAccount) -> None:
    small = invent_account("tiny", 5, date(2025, 1, 1), date(2026, 1, 31), traits=Traits(size="small"))
    client = StudioClient(StudioWorld([small], clock=lambda: NOW))
    client.log_in(small)
    few = next(video for video in small.truth.posted if 0 < small.truth.totals_at(video, NOW).views < 100)
    for kind, nothing in (
        ("video_finish_rate_realtime", {"is_after_7d": False, "value": {"status": 2}}),
        ("video_new_followers", {"status": 2}),
    ):
        own, other = (
            insights(client, {"insigh_type": kind, "aweme_id": str(video.video_id)})[kind]
            for video in (few, north.truth.posted[0])
        )
        assert (own, other) == (nothing, {"status": 2})


def test_retention_falls_from_everybody_to_those_who_see_the_end(client: StudioClient, north: StudioAccount) -> None:
    video, kind = north.truth.posted[0], "video_retention_rate_realtime"
    points = insights(client, {"insigh_type": kind, "aweme_id": str(video.video_id)})[kind]["value"]["list"]
    shares = [point["value"] for point in points]
    assert shares == sorted(shares, reverse=True)
    assert (shares[0], shares[-1]) == (1, VideoFacts.of(video.video_id).completion_rate)
    assert [point["timestamp"] for point in points[:3]] == ["0", "1000", "2000"]


def test_the_list_of_videos_comes_in_pages_of_text_newest_first(client: StudioClient, north: StudioAccount) -> None:
    pages, cursor = [], 0
    while not pages or pages[-1]["has_more"]:
        pages.append(client.http.post(ITEMS, json={"cursor": cursor, "size": 40}).json())
        cursor = pages[-1]["cursor"]
    items = [item for page in pages for item in page["item_list"]]
    posted = sorted(video.posted_at for video in north.truth.posted if video.posted_at <= NOW)
    assert [int(item["post_time"]) for item in items] == [int(moment.timestamp()) for moment in reversed(posted)]
    assert len({item["item_id"] for item in items}) == len(items) > 40
    totals = {str(video.video_id): north.truth.totals_at(video, NOW) for video in north.truth.posted}
    assert [item["play_count"] for item in items] == [str(totals[item["item_id"]].views) for item in items]
    assert {type(item[f"{name}_count"]) for item in items for name in ("like", "comment", "share", "favorite")} == {str}


def test_the_list_says_more_until_its_last_video(client: StudioClient) -> None:
    total = client.http.post(ITEMS, json={}).json()["total"]
    ends = [client.http.post(ITEMS, json={"cursor": total - left, "size": 1}).json() for left in (2, 1, 0)]
    assert [page["has_more"] for page in ends] == [True, False, False]
    assert [len(page["item_list"]) for page in ends] == [1, 1, 0]


def test_insight_500_and_business_error_concern_the_insights_alone(client: StudioClient, world: StudioWorld) -> None:
    world.faults.add("insight_500")
    world.faults.add("insight_business_error", times=2)
    query = json.dumps([{"insigh_type": "follower_num"}])
    answers = [client.get("/aweme/v2/data/insight/", type_requests=query) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [500, 200, 200]
    assert [answer.json()["status_code"] for answer in answers[1:]] == [2209, 0]
    assert client.request_export().json()["status_code"] == 0


@pytest.mark.parametrize("asked", ["", "nonsense", '[{"insight_type": "vv_history"}]', "[1]", "1"])
def test_a_malformed_request_is_answered_with_an_error(client: StudioClient, asked: str) -> None:
    answer = client.get("/aweme/v2/data/insight/", type_requests=asked)
    assert (answer.status_code, answer.json()["status_code"]) == (200, 5)
    assert client.http.post(ITEMS, content="[]").json()["status_code"] == 5
