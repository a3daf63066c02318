"""What the responses of Studio mean, in the shapes of public captures, written manually."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_assets.checks.schema import violations
from tiktok_assets.exports.insights import INSIGHT, ITEM_LIST, RELATION, Answer, serialize_insights
from tiktok_assets.exports.problems import UnreadableValue
from tiktok_assets.exports.provenance import PROVENANCE
from tiktok_assets.reports.insights import INSIGHTS, METRICS, Insights, parse
from tiktok_assets.reports.reading import open_export
from tiktok_assets.reports.report import latest_per_grain
from tiktok_assets_tests.budget import examples

AT = dt.datetime(2026, 1, 1, 18, 20, 30, tzinfo=dt.UTC)
VIDEO, OTHER = "7590043668594502103", "7589748227387345633"
US, SOMEBODY = "6001", "6002"


def follows(**counts: dict[str, str]) -> Answer:
    return Answer(endpoint=RELATION, at=AT, asked={"user_id": US}, text=json.dumps(counts))


def insight(
    body: dict[str, Any], *, video: str = "", days: int | None = None, asked: list[str] | None = None
) -> Answer:
    kinds = asked if asked is not None else list(body)
    about = {"aweme_id": video} if video else {"range": str(days)} if days else {}
    requests = [{"insigh_type": kind, **about} for kind in kinds]
    return Answer(endpoint=INSIGHT, at=AT, asked={"requests": requests}, text=json.dumps({"status_code": 0, **body}))


def listed(*items: dict[str, Any]) -> Answer:
    body = {"status_code": 0, "item_list": items, "cursor": len(items), "has_more": False}
    return Answer(endpoint=ITEM_LIST, at=AT, asked={"cursor": "0"}, text=json.dumps(body))


def nested(value: Any, status: int = 0) -> dict[str, Any]:
    """As a video's numbers are served, one level deeper than an account's."""
    return {"is_after_7d": False, "value": {"status": status, "value": value}}


def shares(**parts: float) -> list[dict[str, Any]]:
    return [{"key": key, "value": share} for key, share in parts.items()]


def parsed(folder: Path, *answers: Answer, at: dt.datetime = AT) -> pl.DataFrame:
    path = folder / f"Insights_{at:%Y%m%dT%H%M%SZ}_north.pier.json"
    path.write_bytes(serialize_insights(handle="north.pier", user_id=US, captured_at=at, missing=(), answers=answers))
    with open_export(path) as export:
        ((member, rows),) = export.frames(account="north", source=path.name)
        return member.report.parse(rows.lazy().collect())


def numbers(rows: pl.DataFrame) -> dict[tuple[str, ...], float | str | None]:
    """By metric, video and item, empty parts left out."""
    table = latest_per_grain(INSIGHTS, rows)
    assert violations(Insights, table) == []
    keys = [tuple(filter(None, key)) for key in table.select("metric", "video_id", "item").rows()]
    values = [text if text is not None else value for value, text in table.select("value", "text").rows()]
    return dict(zip(keys, values, strict=True))


def test_followers_and_following_are_read_from_the_entry_of_our_user(tmp_path: Path) -> None:
    rows = parsed(
        tmp_path,
        follows(
            FollowerCount={SOMEBODY: "99", US: "15054"},
            FollowingCount={US: "70", SOMEBODY: "98"},
            FriendCount={US: "10"},
        ),
    )
    assert numbers(rows) == {("followers",): 15054, ("following",): 70}


def test_ages_and_sources_are_shares_by_item_with_their_days(tmp_path: Path) -> None:
    body = {
        "viewer_age_distribution": {"status": 0, "value": shares(**{"18-24": 0.3, "25-34": 0.7})},
        "follower_age_distribution": {"status": 0, "value": shares(**{"18-24": 1})},
        "vv_traffic_source": {"status": 0, "value": shares(**{"For You": 0.25, "Search": 0.75})},
    }
    rows = parsed(tmp_path, insight(body, days=28))
    assert numbers(rows) == {
        ("viewer_age", "18-24"): 0.3,
        ("viewer_age", "25-34"): 0.7,
        ("follower_age", "18-24"): 1,
        ("traffic_source", "For You"): 0.25,
        ("traffic_source", "Search"): 0.75,
    }
    assert rows["window_days"].unique().to_list() == [28]


def test_numbers_of_a_video_are_one_level_deeper(tmp_path: Path) -> None:
    body = {
        "video_per_duration_realtime": nested(9.41),
        "video_finish_rate_realtime": nested(0.125),
        "video_traffic_source_percent_realtime": nested(shares(**{"For You": 0.9, "Following": 0.1})),
        "video_new_followers": {"status": 0, "value": 4},
        "video_retention_rate_realtime": {"is_after_7d": False, "value": {"status": 0, "list": [{"value": 1}]}},
        "video_info": {"aweme_id": VIDEO, "statistics": {"play_count": 7}},
    }
    assert numbers(parsed(tmp_path, insight(body, video=VIDEO))) == {
        ("average_watch_time", VIDEO): 9.41,
        ("completion_rate", VIDEO): 0.125,
        ("video_traffic_source", VIDEO, "For You"): 0.9,
        ("video_traffic_source", VIDEO, "Following"): 0.1,
        ("video_new_followers", VIDEO): 4,
    }


def test_counts_of_the_list_are_texts_and_lengths_are_milliseconds(tmp_path: Path) -> None:
    item = {
        "item_id": VIDEO,
        "desc": "live #tonight",
        "duration": 33600,
        "play_count": "7280",
        "like_count": "937",
        "comment_count": "0",
        "share_count": "",
        "favorite_count": "154",
        "status": 3,
        "is_pinned": False,
    }
    assert numbers(parsed(tmp_path, listed(item, {"item_id": OTHER, "play_count": "1", "desc": ""}))) == {
        ("title", VIDEO): "live #tonight",
        ("duration", VIDEO): 33.6,
        ("total_views", VIDEO): 7280,
        ("total_likes", VIDEO): 937,
        ("total_comments", VIDEO): 0,
        ("total_shares", VIDEO): None,
        ("favorites", VIDEO): 154,
        ("total_views", OTHER): 1,
        ("title", OTHER): "",
    }


def test_no_data_is_null_and_never_the_zero_beside_it(tmp_path: Path) -> None:
    body = {
        "viewer_age_distribution": {"status": 2},
        "follower_age_distribution": {"status": 2, "value": []},
        "vv_traffic_source": {"status": 2, "value": shares(**{"For You": 0})},
    }
    video = {
        "video_per_duration_realtime": nested(0, status=2),
        "video_finish_rate_realtime": {"is_after_7d": False, "value": {"status": 2}},
        "video_new_followers": {"status": 2, "value": 0},
    }
    rows = parsed(tmp_path, insight(body, days=7), insight(video, video=VIDEO))
    assert numbers(rows) == {
        ("viewer_age",): None,
        ("follower_age",): None,
        ("traffic_source",): None,
        ("average_watch_time", VIDEO): None,
        ("completion_rate", VIDEO): None,
        ("video_new_followers", VIDEO): None,
    }
    assert rows["window_days"].null_count() == rows.height


def test_a_zero_with_the_status_of_a_value_is_zero(tmp_path: Path) -> None:
    body = {"video_finish_rate_realtime": nested(0), "video_per_duration_realtime": nested("0.0")}
    found = numbers(parsed(tmp_path, insight(body, video=VIDEO)))
    assert found == {("completion_rate", VIDEO): 0, ("average_watch_time", VIDEO): 0}


def test_a_type_that_was_not_requested_gives_no_row(tmp_path: Path) -> None:
    body = {"viewer_age_distribution": None, "video_finish_rate_realtime": None, "follower_num": None}
    assert parsed(tmp_path, insight(body, asked=["follower_num"])).is_empty()


def test_a_response_about_two_videos_at_once_is_used_for_neither(tmp_path: Path) -> None:
    two = insight({"video_finish_rate_realtime": nested(0.5)}, video=VIDEO)
    two.asked["requests"].append({"insigh_type": "video_finish_rate_realtime", "aweme_id": OTHER})
    assert parsed(tmp_path, two).is_empty()


def test_of_two_responses_the_last_with_data_counts_as_a_whole(tmp_path: Path) -> None:
    def ages(days: int, *parts: dict[str, Any], status: int = 0) -> Answer:
        return insight({"viewer_age_distribution": {"status": status, "value": parts}}, days=days)

    week = ages(7, *shares(**{"18-24": 0.5, "55+": 0.5}))
    month = ages(28, *shares(**{"18-24": 0.4, "25-34": 0.6}))
    expected = {("viewer_age", "18-24"): 0.4, ("viewer_age", "25-34"): 0.6}
    rows = parsed(tmp_path, week, month, ages(60, status=2))
    assert numbers(rows) == expected
    assert rows["window_days"].unique().to_list() == [28]


def test_the_latest_visit_of_a_day_counts_and_no_data_replaces_nothing(tmp_path: Path) -> None:
    hours = [AT - dt.timedelta(hours=hours) for hours in (2, 1, 0)]
    answers = [
        [insight({"viewer_age_distribution": {"status": 0, "value": shares(**{"18-24": 1})}}, days=7), follows_of(1)],
        [insight({"viewer_age_distribution": {"status": 0, "value": shares(**{"55+": 1})}}, days=7), follows_of(2)],
        [insight({"viewer_age_distribution": {"status": 2}}, days=7)],
    ]
    visits = [parsed(tmp_path, *of_visit, at=at) for of_visit, at in zip(answers, hours, strict=True)]
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        assert numbers(pl.concat([visits[number] for number in order])) == {
            ("viewer_age", "55+"): 1,
            ("following",): 2,
        }


def follows_of(count: int) -> Answer:
    return follows(FollowingCount={US: str(count)})


@pytest.mark.parametrize(
    ("answer", "where"),
    [
        (follows(FollowingCount={US: "15K"}), "/FollowingCount/6001: '15K' is not a possible following"),
        (follows(FollowingCount={US: "-1"}), "'-1' is not a possible following"),
        (follows(FollowingCount={US: "1.5"}), "'1.5' is not a possible following"),
        (
            insight({"video_finish_rate_realtime": nested(1.01)}, video=VIDEO),
            "/video_finish_rate_realtime/value/value: '1.01' is not a possible completion_rate",
        ),
        (insight({"video_per_duration_realtime": nested(-2)}, video=VIDEO), "not a possible average_watch_time"),
        (insight({"vv_traffic_source": {"status": 0, "value": shares(x=27)}}), "'27' is not a possible traffic_source"),
        (listed({"item_id": "12", "play_count": "1"}), "'12' is not a possible total_views"),
        (listed({"item_id": VIDEO, "play_count": "١"}), "is not a possible total_views"),
    ],
)
def test_an_impossible_number_is_refused_with_its_path(tmp_path: Path, answer: Answer, where: str) -> None:
    with pytest.raises(UnreadableValue, match=r"Insights_20260101T182030Z_north\.pier\.json, row \d+, ") as refused:
        parsed(tmp_path, follows_of(1), answer)
    assert where in str(refused.value)


def test_a_later_response_of_another_shape_is_kept_in_raw_only(tmp_path: Path) -> None:
    body = {"viewer_age_distribution": {"status": 0, "value": {"teens": 0.3}}, "vv_traffic_source": "n/a", "new": [1]}
    assert parsed(tmp_path, insight(body)).is_empty()


def test_without_files_the_table_is_empty() -> None:
    rows = latest_per_grain(INSIGHTS, parse(pl.DataFrame(schema=PROVENANCE)))
    assert rows.height == 0
    assert violations(Insights, rows) == []


@examples(40)
@given(
    st.dictionaries(st.sampled_from([VIDEO, OTHER]), st.none() | st.integers(0, 10**9), min_size=1),
    st.none() | st.floats(0, 1),
    st.none() | st.integers(0, 10**9),
)
def test_every_number_is_read_as_it_was_served(
    tmp_path_factory: pytest.TempPathFactory,
    views: dict[str, int | None],
    completion: float | None,
    following: int | None,
) -> None:
    answers = [
        listed(
            *({"item_id": video, "play_count": None if count is None else str(count)} for video, count in views.items())
        ),
        insight(
            {"video_finish_rate_realtime": nested(completion or 0, status=2 if completion is None else 0)}, video=VIDEO
        ),
        follows(FollowingCount={} if following is None else {US: str(following)}),
    ]
    found = numbers(parsed(tmp_path_factory.mktemp("insights"), *answers))
    expected: dict[tuple[str, ...], float | None] = {("total_views", video): count for video, count in views.items()}
    expected["completion_rate", VIDEO] = completion
    if following is not None:
        expected["following",] = following
    assert found == expected


def test_every_metric_has_one_name() -> None:
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
