"""What the charts hold: the numbers of the rows, null where nothing is known, a mark where something is odd."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from tiktok_assets.curated.quality.quality import find_anomalies
from tiktok_assets.curated.videos.posting import PostingTimes
from tiktok_assets.reporting import charts
from tiktok_assets.reporting.account_tables import AccountTables
from tiktok_assets.reporting.facts import activity_by_hour
from tiktok_assets.reporting.theme import theme
from tiktok_assets_tests.reporting.simulated_tables import DROPPED, GAP, LAST, VIRAL, simulated, tables


@pytest.fixture(scope="module")
def known() -> AccountTables:
    return tables(simulated())


def layers(chart: Any) -> dict[str, list[dict[str, Any]]]:
    """The rows behind each layer, by the layer's style."""
    spec = chart.to_dict()
    shared = spec.get("data", {}).get("name")
    found = {}
    for layer in spec["layer"]:
        name = layer.get("data", {}).get("name", shared)
        found[layer["mark"]["style"]] = spec["datasets"][name]
    return found


def day(date: dt.date) -> str:
    """As a browser takes it for a day of its own clock."""
    return f"{date}T00:00:00"


def test_the_views_of_a_day_are_in_the_chart_and_those_of_the_gap_are_null(known: AccountTables) -> None:
    rows = {row["date"]: row for row in layers(charts.views_over_time(known.days, known.anomalies, LAST))["quiet"]}
    truth = simulated().on(VIRAL)
    assert truth is not None
    assert rows[day(VIRAL)]["video_views"] == truth.video_views
    assert rows[day(GAP[0])]["video_views"] is None
    assert rows[day(GAP[1] + dt.timedelta(days=3))]["video_views_7d_avg"] is None
    assert len(rows) == (LAST - dt.date(2025, 1, 1)).days + 1


def test_unknown_days_are_a_band(known: AccountTables) -> None:
    [band] = layers(charts.views_over_time(known.days, known.anomalies, LAST))["unknown"]
    assert (band["first"], band["last"]) == (day(GAP[0]), day(GAP[1]))


def test_charts_begin_on_the_first_day_on_which_what_they_draw_is_known(known: AccountTables) -> None:
    views, followers = dt.date(2025, 9, 3), dt.date(2025, 10, 1)
    days = known.days.with_columns(
        video_views=pl.when(pl.col("date") >= views).then("video_views"),
        followers=pl.when(pl.col("date") >= followers).then("followers"),
    )
    assert charts.every_day(days, LAST, "video_views")["date"].min() == views
    assert charts.every_day(days, LAST, "followers")["date"].min() == followers
    assert "unknown" not in layers(charts.views_over_time(days, known.anomalies, LAST))
    assert "unknown" not in layers(charts.followers_over_time(days, known.anomalies, LAST))


def test_an_account_without_gaps_has_no_band(known: AccountTables) -> None:
    recent = known.days.filter(pl.col("date") > GAP[1])
    assert "unknown" not in layers(charts.views_over_time(recent, known.anomalies, LAST))


def test_unusual_days_and_errors_are_marked_with_their_sentence(known: AccountTables) -> None:
    wrong = dt.date(2025, 9, 3)
    views = pl.when(pl.col("date") == wrong).then(40).otherwise("video_views")
    days = known.days.with_columns(video_views=views)
    drawn = layers(charts.views_over_time(days, find_anomalies(days), LAST))
    assert day(VIRAL) in [row["date"] for row in drawn["event"]]
    [error] = drawn["error"]
    assert error["date"] == day(wrong)
    assert "nobody engages without viewing" in error["sentence"]


def test_a_fall_of_followers_is_marked_where_followers_are_drawn(known: AccountTables) -> None:
    drawn = layers(charts.followers_over_time(known.days, known.anomalies, LAST))
    assert [row["date"] for row in drawn["event"]] == [day(DROPPED)]
    assert drawn["followers"][-1]["followers"] == simulated().days[-1].followers


def effects(*rows: dict[str, Any]) -> pl.DataFrame:
    columns = {name: column.dtype.type for name, column in PostingTimes.to_schema().columns.items()}
    unproven = {"account": "a", "date": LAST.replace(day=1), "n": 3, "evidence": "no evidence"}
    return pl.DataFrame(
        [[{**unproven, **row}.get(name) for name in columns] for row in rows], schema=columns, orient="row"
    )


PROVEN = {"n": 9, "effect": 1.8, "effect_low": 1.2, "effect_high": 2.6, "evidence": "more views"}


def test_only_an_effect_with_evidence_has_a_colour() -> None:
    posting = effects(
        {"weekday": 5, "hour": 18, **PROVEN},
        {"weekday": 1, "hour": 8, "effect": 1.9, "effect_low": 0.7, "effect_high": 4.0},
        {"weekday": None, "hour": 8},
    )
    drawn = layers(charts.posting_heat_map(posting))
    [friday] = drawn["more"]
    assert (friday["weekday"], friday["hour"], friday["label"]) == ("Fri", "18:00", "1.8×")
    assert 0 < friday["strength"] < 1
    grey = [(row["weekday"], row["hour"], row["label"], row["strength"]) for row in drawn["no-evidence"]]
    assert grey == [("Mon", "08:00", "3", None), ("All", "08:00", "3", None)]
    assert "fewer" not in drawn


def test_the_hours_of_the_audience_stand_in_the_rows_of_the_heat_map(known: AccountTables) -> None:
    heat_map = charts.posting_heat_map(known.posting).to_dict()
    beside = charts.audience_activity(activity_by_hour(known.audience), beside_heat_map=True).to_dict()
    assert heat_map["height"] == beside["height"]
    assert heat_map["layer"][0]["encoding"]["y"]["scale"] == beside["encoding"]["y"]["scale"]
    alone = charts.audience_activity(activity_by_hour(known.audience), beside_heat_map=False).to_dict()
    assert alone["encoding"]["y"]["axis"] is not None


def test_every_style_of_a_chart_has_a_colour_in_both_modes(known: AccountTables) -> None:
    drawn = [
        charts.views_over_time(known.days, known.anomalies, LAST),
        charts.followers_over_time(known.days, known.anomalies, LAST),
        charts.posting_heat_map(effects({"weekday": 5, "hour": 18, **PROVEN}, {"weekday": 1, "hour": 8})),
    ]
    styles = {style for chart in drawn for style in layers(chart)}
    for dark in (False, True):
        assert styles <= set(theme(dark=dark)["style"])
