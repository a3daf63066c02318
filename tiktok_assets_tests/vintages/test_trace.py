"""The trace of one number, from the table back to the cells of the files."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import zipfile
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from tiktok_assets.cli.app import app
from tiktok_assets.curated.account.formulas import OF_DAY
from tiktok_assets.curated.videos.videos import COUNTS
from tiktok_assets.settings import Settings
from tiktok_assets.storage.lake import Lake
from tiktok_assets.vintages.as_of import HistoricalLake
from tiktok_assets.vintages.trace import Observation, UnknownMetric, trace_of
from tiktok_assets_tests.history import RESTATED, TRUE_VIEWS, VISITS, installation, landed, processed
from tiktok_assets_tests.made_once import MadeOnce

COUNTED = ["video_views", "profile_views", "likes", "comments", "shares", "unique_viewers", "new_viewers", "followers"]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, made_once: MadeOnce) -> Settings:
    settings = installation(tmp_path_factory.mktemp("lake"))

    def make() -> None:
        landed(settings, VISITS)
        processed(settings)

    made_once.fill(Path(str(settings.data_dir)), "three visits at once", make)
    return settings


@pytest.fixture(scope="module")
def known(lake: Settings) -> HistoricalLake:
    return HistoricalLake(Lake(lake), ("north",), dt.datetime.now(dt.UTC))


def cell(settings: Settings, observation: Observation, column: str) -> str:
    """The text in the landed file itself."""
    with zipfile.ZipFile(Path(str(settings.landing)) / "north" / observation.file) as archive:
        text = archive.read(observation.member).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))[observation.row - 1][column]


def test_the_exports_of_a_number_are_listed_newest_first_with_file_row_and_shift(known: HistoricalLake) -> None:
    found = trace_of(known, RESTATED, "video_views")
    assert found.value == TRUE_VIEWS + 1
    assert [(one.downloaded_at, one.value) for one in found.observations] == [
        (VISITS[2].at, TRUE_VIEWS + 1),
        (VISITS[1].at, TRUE_VIEWS),
        (VISITS[0].at, TRUE_VIEWS),
    ]
    # Labels: 1 January is row 1 of the last visit; 4 January that of the second, which says the 13th of the 12th.
    assert [(one.row, one.date_label.day, one.shift_days) for one in found.observations] == [
        (12, 12, 0),
        (10, 13, 1),
        (34, 12, 0),
    ]
    assert all(one.evidence and one.confidence for one in found.observations)
    newest = found.observations[0].export_id[:8]
    assert [one.why for one in found.observations] == [
        "won: the newest with a number (ZIP stamp)",
        f"not used: older than {newest} (ZIP stamp {VISITS[1].at:%Y-%m-%d %H:%M})",
        f"not used: older than {newest} (ZIP stamp {VISITS[0].at:%Y-%m-%d %H:%M})",
    ]
    assert found.observations[1].file.startswith("2025-01-28/Overview_2025-01-04_")


def test_an_undefined_number_is_reported_and_not_used(known: HistoricalLake) -> None:
    # Viewers of the second visit are labelled two days ahead: its last row, undefined, says 28 January: the 26th.
    found = trace_of(known, dt.date(2025, 1, 26), "new_viewers")
    assert [one.why.split(":")[0] for one in found.observations] == ["won", "not used"]
    undefined = found.observations[1]
    assert (undefined.value, undefined.why) == (None, "not used: the export has no number")
    assert undefined.text == {"Total Viewers": "undefined", "New Viewers": "0"}


@pytest.mark.parametrize("metric", COUNTED)
def test_the_number_that_won_is_the_one_in_table_and_file(lake: Settings, known: HistoricalLake, metric: str) -> None:
    table = known.rows("warehouse/social_media_stats").filter(pl.col("date").dt.day() % 9 == 3)
    for row in table.iter_rows(named=True):
        found = trace_of(known, row["date"], metric)
        assert found.value == row[metric]
        assert sum(one.won for one in found.observations) == (row[metric] is not None)
        for one in found.observations:
            assert {column: cell(lake, one, column) for column in one.text} == dict(one.text)
            assert str(one.value) in one.text.values() or "undefined" in one.text.values()


def test_a_video_is_traced_on_the_day_it_was_captured(known: HistoricalLake) -> None:
    videos = known.rows("warehouse/content_performance").filter(captured_on=VISITS[1].at.date())
    for row in videos.head(3).iter_rows(named=True):
        for metric in COUNTS[:4]:
            found = trace_of(known, row["captured_on"], metric, row["video_id"])
            (one,) = found.observations
            assert (found.value, one.value, one.won) == (row[metric], row[metric], True)
            assert list(one.text.values()) == [str(row[metric])]


def test_following_comes_from_insights(known: HistoricalLake) -> None:
    (one,) = trace_of(known, VISITS[0].at.date(), "following").observations
    assert (one.value, dict(one.text), one.report, one.confidence) == (70, {"Value": "70"}, "insights", None)


@pytest.mark.parametrize("metric", OF_DAY)
def test_a_derived_number_lists_its_formula_and_parts(known: HistoricalLake, metric: str) -> None:
    found = trace_of(known, RESTATED, metric)
    row = known.rows("warehouse/social_media_stats").filter(date=RESTATED).row(0, named=True)
    assert found.value == row[metric] is not None
    assert found.formula == OF_DAY[metric].text
    assert found.observations == ()
    assert all(part.value is not None and part.is_reported for part in found.parts)


def test_a_rate_and_a_growth_name_their_parts(known: HistoricalLake) -> None:
    def parts(metric: str) -> list[tuple[str, dt.date]]:
        return [(part.metric, part.date) for part in trace_of(known, RESTATED, metric).parts]

    assert parts("virality_rate") == [("shares", RESTATED), ("video_views", RESTATED)]
    assert parts("video_views_growth_7d") == [("video_views", RESTATED), ("video_views", dt.date(2025, 1, 5))]
    assert parts("net_followers") == [("followers", RESTATED), ("followers", dt.date(2025, 1, 11))]


def test_an_unknown_metric_is_answered_with_the_known_ones(known: HistoricalLake) -> None:
    with pytest.raises(UnknownMetric, match=r"'handle' cannot be traced.* video_views, .* engagement_rate"):
        trace_of(known, RESTATED, "handle")
    with pytest.raises(UnknownMetric, match=r"Of a video: total_views"):
        trace_of(known, RESTATED, "followers", "7000000000000000000")


@pytest.fixture
def typed(lake: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("TIKTOK_DATA_DIR", str(lake.data_dir))
    monkeypatch.setenv("TIKTOK_ACCOUNTS_FILE", str(lake.accounts_file))
    monkeypatch.setenv("COLUMNS", "80")
    return CliRunner()


def test_trace_prints_a_line_per_export_and_the_reasons_of_the_one_that_won(typed: CliRunner) -> None:
    result = typed.invoke(app, ["trace", "north", "2025-01-12", "video_views"])
    assert result.exit_code == 0, result.output
    first, header, *lines = result.output.splitlines()
    assert first == f"north 2025-01-12 video_views: {TRUE_VIEWS + 1:,}"
    assert header.split() == ["downloaded", "(UTC)", "label", "days", "ahead", "text", "file", "and", "row"]
    assert [line[:19] for line in lines[:3]] == ["2025-02-06 16:20:30", "2025-01-28 23:45:02", "2025-01-20 16:20:30"]
    assert f'Video Views "{TRUE_VIEWS + 1}"  won: the newest with a number (ZIP stamp)' in lines[0]
    assert lines[1].endswith("/Overview.csv, row 10")
    assert lines[3].startswith("why its labels are that far ahead")
    assert lines[-1].startswith("days ahead, ")


def test_trace_as_json_and_of_a_day_that_no_export_reports(typed: CliRunner) -> None:
    printed = json.loads(typed.invoke(app, ["trace", "north.pier", "2025-01-12", "likes", "--json"]).stdout)
    assert (printed["account"], printed["metric"], len(printed["observations"])) == ("north", "likes", 3)
    assert printed["observations"][0]["won"] is True
    nothing = typed.invoke(app, ["trace", "north", "2023-01-12", "likes"])
    assert nothing.exit_code == 1
    assert "No export reports it" in nothing.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["trace", "nobody", "2025-01-12", "likes"], "No account is called nobody"),
        (["trace", "north", "2025-01-12", "likeability"], "cannot be traced"),
        (["as-of", "some day"], "neither a date nor a timestamp"),
        (["as-of", "2025-01-30", "--table", "stats"], "There is no table stats"),
        (["as-of", "2025-01-30", "--account", "nobody"], "No account is called nobody"),
    ],
)
def test_an_impossible_query_ends_with_exit_code_2(typed: CliRunner, arguments: list[str], says: str) -> None:
    result = typed.invoke(app, arguments)
    assert result.exit_code == 2
    assert says in " ".join(result.output.split())


def test_as_of_writes_every_row_in_each_format(typed: CliRunner, tmp_path: Path) -> None:
    asked = ["as-of", "2025-01-30", "--account", "north", "--table", "content_performance"]
    printed = typed.invoke(app, asked)
    assert printed.exit_code == 0, printed.output
    rows = json.loads(typed.invoke(app, [*asked, "--format", "json"]).stdout)
    lines = list(csv.DictReader(io.StringIO(typed.invoke(app, [*asked, "--format", "csv"]).stdout)))
    for name in ("parquet", "csv"):
        done = typed.invoke(app, [*asked, "--format", name, "--output", str(tmp_path / f"rows.{name}")])
        assert done.exit_code == 0, done.output
    stored = pl.read_parquet(tmp_path / "rows.parquet")
    assert len(rows) == len(lines) == stored.height == len((tmp_path / "rows.csv").read_text().splitlines()) - 1
    assert f"{stored.height} rows" in printed.output
    assert [row["video_id"] for row in rows] == [row["video_id"] for row in lines] == stored["video_id"].to_list()
    assert rows[0]["loaded_at"].startswith("2025-01-30T23:59:59")
