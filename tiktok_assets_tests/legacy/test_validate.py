"""Tables looked at from outside: every fault is named with file, row, column and value, and what is right is quiet."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from tiktok_assets import validate_staging_data
from tiktok_assets.cli.app import app
from tiktok_assets.legacy.tables import Fault, current_names, faults
from tiktok_assets.legacy.validate import TABLES, validate
from tiktok_assets.reports import REPORTS
from tiktok_assets.reports.report import latest_per_grain
from tiktok_assets_tests.export_files import parsed
from tiktok_assets_tests.landing_files import drop, export

TODAY = dt.date(2026, 6, 1)
HEADER = "artist,zone,date,Video Views,Profile Views,Likes,Comments,Shares,Year,engagement_rate,Followers,new_followers"
GOOD = [
    "pig1987,pig1987,2024-11-02,41906,309,6192,962,331,2024,0.1786,5,1",
    "pig1987,pig1987,2024-11-03,45735,358,6734,1048,307,2024,0.1769,4,-1",
]


def staged(tmp_path: Path, name: str) -> tuple[Path, pl.DataFrame]:
    """A file of staging, as the pipeline writes it, and its rows."""
    section = next(report.section for report in REPORTS if report.name == name)
    made = export("pig1987", section)  # pyright: ignore[reportArgumentType]
    report = next(report for report in REPORTS if report.name == name)
    rows = parsed(drop(made.content, tmp_path / "exports", made.name))[name].with_columns(account=pl.lit("pig1987"))
    latest = latest_per_grain(report, rows).filter(pl.col("date").dt.month() == 6)
    folder = tmp_path / "data" / "staging" / name / "account=pig1987" / "date=2025-06-01"
    folder.mkdir(parents=True)
    latest.write_parquet(folder / "data.parquet")
    return folder / "data.parquet", latest


def csv(folder: Path, *rows: str, header: str = HEADER, name: str = "tiktok_metrics_pig1987.csv") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("\n".join([header, *rows, ""]))
    return path


def problems_in(path: Path | str) -> list[str]:
    """The problems of a file, without its name."""
    return [str(problem).removeprefix(str(path)).lstrip(",: ") for problem in validate(path, today=TODAY).problems]


# --- staging ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [report.name for report in REPORTS if not report.is_optional])
def test_tables_that_the_pipeline_writes_have_no_fault(tmp_path: Path, name: str) -> None:
    path, rows = staged(tmp_path, name)
    found = validate(tmp_path / "data", today=TODAY)
    assert (found.problems, found.warnings) == ((), ())
    assert (found.files, found.rows, found.is_valid) == ((str(path),), rows.height, True)
    rows.write_parquet(tmp_path / "elsewhere.parquet")  # recognised by its columns
    assert validate(tmp_path / "elsewhere.parquet", today=TODAY).is_valid


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda rows: rows.drop("likes"),
            ["likes: is missing."],
        ),
        (lambda rows: rows.with_columns(mood=1), ["mood: is not a column of staging."]),
        (lambda rows: rows.with_columns(likes=pl.lit("x")), ["likes: holds String, not Int64."]),
        (
            lambda rows: rows.with_columns(date=pl.when(pl.int_range(pl.len()) == 2).then(None).otherwise("date")),
            ["row 3, date: must not be empty."],
        ),
        (
            lambda rows: pl.concat([rows.head(3), rows[1:2]]),
            ["row 4, account + date: 'pig1987, 2025-06-02' repeats row 2."],
        ),
        (
            lambda rows: rows.head(1).with_columns(account=pl.lit("zonea0")),
            ["row 1, account: 'zonea0' is in the folder of pig1987."],
        ),
        (
            lambda rows: rows.head(1).with_columns(date=dt.date(2025, 7, 1)),
            ["row 1, date: '2025-07-01' is in the folder of the month 2025-06."],
        ),
    ],
)
def test_each_fault_of_a_staged_table_is_reported_with_its_place(tmp_path: Path, damage, message: list[str]) -> None:
    path, rows = staged(tmp_path, "overview")
    damage(rows).write_parquet(path)
    assert problems_in(path) == message


def test_a_value_out_of_bounds_is_shown_with_the_bound(tmp_path: Path) -> None:
    path, rows = staged(tmp_path, "follower_gender")
    rows.with_columns(share=pl.when(pl.int_range(pl.len()) == 0).then(1.5).otherwise("share")).write_parquet(path)
    assert problems_in(path) == ["row 1, share: '1.5' is above 1."]


def test_views_below_0_are_a_problem(tmp_path: Path) -> None:
    path, rows = staged(tmp_path, "overview")
    first = pl.int_range(pl.len()) == 0
    below = rows.with_columns(
        video_views=pl.when(first).then(-5).otherwise("video_views"), likes=0, shares=0, comments=0
    )
    below.cast(dict.fromkeys(("likes", "comments", "shares"), pl.Int64)).write_parquet(path)
    assert "row 1: 2025-06-01: A count that cannot be below 0 is: video views -5." in problems_in(path)


def test_more_engagement_than_views_is_a_problem(tmp_path: Path) -> None:
    path, rows = staged(tmp_path, "overview")
    first = pl.int_range(pl.len()) == 0
    rows.with_columns(likes=pl.when(first).then(10**9).otherwise("likes")).write_parquet(path)
    [problem] = validate(path, today=TODAY).problems
    assert (problem.row, problem.column) == (1, "video_views")
    assert "likes, comments and shares on " in str(problem)
    assert "nobody engages without viewing, so one of the numbers is wrong." in str(problem)


def test_a_file_without_rows_is_a_warning(tmp_path: Path) -> None:
    path, rows = staged(tmp_path, "overview")
    rows.clear().write_parquet(path)
    assert [str(one) for one in validate(path).warnings] == [f"{path}: has no rows; staging does not write such files."]


def test_every_table_of_staging_is_known() -> None:
    assert set(TABLES) == {*(report.name for report in REPORTS), "alignment", "streams"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.parquet", b"PAR1 and no more", "cannot be read ("),
        ("a.txt", b"text", "is neither a Parquet file of staging nor a CSV file of the legacy pipeline."),
        ("a.csv", b"", "cannot be read (a.csv: is empty (0 bytes). Export it again)."),
        ("a.csv", b'"Date","Video Views"\n"March 1","3"\n', "is not a table of the legacy pipeline, which has a date"),
    ],
)
def test_a_file_that_is_no_table_of_ours_is_a_problem(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    [problem] = problems_in(path)
    assert problem.startswith(message)


def test_a_parquet_file_of_something_else_is_a_problem(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "a.parquet")
    assert problems_in(tmp_path / "a.parquet") == [
        "is not a table of staging: it is in no table's folder, and no report has its columns (a)."
    ]


def test_a_curated_table_is_no_table_of_staging(tmp_path: Path) -> None:
    rows = pl.DataFrame({"account": ["pig1987"], "date": ["2026-01-01"], "video_views": [1], "anomalies": [["gap"]]})
    rows.write_parquet(tmp_path / "data.parquet")
    [problem] = problems_in(tmp_path / "data.parquet")
    assert problem.startswith("is not a table of staging")


def test_a_path_that_matches_nothing_is_a_problem(tmp_path: Path) -> None:
    pattern = f"{tmp_path}/nothing*.csv"
    assert [str(one) for one in validate(pattern).problems] == [
        f"{pattern}: there is no such file, and no Parquet or CSV file matches it."
    ]


def test_files_matched_by_several_patterns_are_checked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = csv(tmp_path / "a", *GOOD)
    two = csv(tmp_path / "b" / "c", *GOOD, name="tiktok_metrics_2.csv")
    assert validate(f"{tmp_path}/**/tiktok_metrics_*.csv").files == (str(one), str(two))
    assert validate([one, tmp_path]).files == (str(one), str(two))
    monkeypatch.chdir(tmp_path)
    assert validate("a/*.csv").files == ("a/tiktok_metrics_pig1987.csv",)


# --- the legacy pipeline ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header", [HEADER, HEADER.replace("Video Views", "reach").replace("Profile Views", "page_views")]
)
def test_a_legacy_table_without_faults_has_no_findings(tmp_path: Path, header: str) -> None:
    found = validate(csv(tmp_path, *GOOD, header=header), today=TODAY)
    assert (found.problems, found.warnings, found.rows) == ((), (), 2)


@pytest.mark.parametrize(
    "row_and_messages",
    [
        (GOOD[1].replace("2024-11-03", "November 3"), "row 2, date: 'November 3' is not a date such as 2025-05-28."),
        (GOOD[1].replace("2024-11-03", "2024-11-31"), "row 2, date: '2024-11-31' is not a date such as 2025-05-28."),
        (GOOD[1].replace("2024", "2027"), "row 2, date: '2027-11-03' is in the future: the legacy pipeline gave all "
         "days the same year."),
        (GOOD[1].replace(",2024,", ",2023,"), "row 2, year: '2023' is not the year of 2024-11-03."),
        (GOOD[1].replace("45735", "4.5k"), "row 2, video_views: '4.5k' is not a whole number."),
        (GOOD[1].replace(",4,-1", ",-4,-1"), "row 2: 2024-11-03: A count that cannot be below 0 is: followers -4.",
         "row 2, followers: 2024-11-03: Followers fell from 5 to none in a day: the number was probably lost."),
        (GOOD[1].replace("358", "-3"), "row 2: 2024-11-03: A count that cannot be below 0 is: profile views -3."),
        (GOOD[1].replace("45735", "8000").replace("0.1769", "1.0111"), "row 2, video_views: 2024-11-03: 8,089 "
         "likes, comments and shares on 8,000 views: nobody engages without viewing, so one of the numbers is wrong."),
        (GOOD[1].replace("0.1769", "0.5"), "row 2, engagement_rate: '0.5' is not (likes + comments + shares) / views, "
         "0.1769."),
        (GOOD[1].replace("0.1769", "high"), "row 2, engagement_rate: 'high' is not a number."),
        (GOOD[0], "row 2, date: '2024-11-02' repeats row 1."),
    ],
)  # fmt: skip
def test_each_fault_of_a_legacy_table_is_reported_with_its_place(
    tmp_path: Path, row_and_messages: tuple[str, ...]
) -> None:
    row, *messages = row_and_messages
    path = csv(tmp_path, GOOD[0], row)
    assert sorted(problems_in(path)) == sorted(messages)


# One day of each kind that the asset checks find, in the columns of the legacy pipeline: its row, what is said.
DAYS = [
    ("2024-11-01", 1000, 50, 5, 5, 1000),
    ("2024-11-02", 1000, 50, 5, 5, 700),  # a fall of 30%
    ("2024-11-03", 10, 20, 0, 0, 700),  # more engagement than reach
    ("2024-11-07", 1000, 50, 5, 5, 700),  # after a gap
]


@pytest.mark.parametrize("kind", ["csv", "parquet", "staging"])
def test_days_are_judged_by_the_rules_of_the_asset_checks_whatever_the_file(tmp_path: Path, kind: str) -> None:
    is_staging = kind == "staging"
    columns = ["date", "video_views" if is_staging else "reach", "likes", "comments", "shares", "followers"]
    rows = pl.DataFrame(DAYS, schema=columns, orient="row").with_columns(pl.col("date").str.to_date())
    if is_staging:
        for table, kept in {"overview": columns[:5], "follower_history": ["date", "followers"]}.items():
            folder = tmp_path / "staging" / table
            folder.mkdir(parents=True)
            days = rows.select(*kept).with_columns(account=pl.lit("a"))
            for number, part in enumerate(days.iter_slices(2)):  # two files
                part.write_parquet(folder / f"{number}.parquet")
    else:
        old = rows.with_columns(engagement_rate=pl.Series([0.06, 0.06, 2.0, 1.5]))
        path = tmp_path / f"tiktok_metrics.{kind}"
        old.write_csv(path) if kind == "csv" else old.write_parquet(path)
    found = validate(tmp_path, today=TODAY)
    said = [one.message for one in (*found.problems, *found.warnings)]
    assert any("Followers fell from 1,000 to 700 in a day (-30%)" in one for one in said)
    assert any("20 likes, comments and shares on 10 views: nobody engages without viewing" in one for one in said)
    assert any("3 days are missing between 2024-11-03 and 2024-11-07" in one for one in said)
    if not is_staging:
        assert any("2024-11-07: The engagement rate is 1.5: above 1" in one for one in said)
        places = {(one.row, one.column) for one in (*found.problems, *found.warnings)}
        assert {(2, "followers"), (3, "video_views"), (4, "date"), (4, "engagement_rate")} <= places


def test_likes_alone_may_not_exceed_the_reach(tmp_path: Path) -> None:
    path = csv(tmp_path, "2024-11-02,10,20", header="date,reach,likes")
    path = path.rename(tmp_path / "tiktok_metrics.csv")
    [problem] = validate(path, today=TODAY).problems
    assert (problem.row, problem.column) == (1, "video_views")
    assert "20 likes, comments and shares on 10 views" in problem.message


def test_numbers_that_pandas_wrote_as_fractions_and_empty_cells_are_fine(tmp_path: Path) -> None:
    path = csv(tmp_path, GOOD[0], GOOD[1].replace("45735", "45735.0").replace(",4,-1", ",,"))
    assert problems_in(path) == []


def test_missing_duplicate_and_unknown_columns_are_reported(tmp_path: Path) -> None:
    path = csv(tmp_path, "pig1987,2024-11-02,5,1", header="artist,date,reach,mood")
    warnings = [str(one) for one in validate(path, today=TODAY).warnings]
    assert f"{path}, likes: the column is missing; its values are unknown." in warnings
    assert f"{path}, mood: is not a column of the legacy pipeline; it was not checked." in warnings
    path = csv(tmp_path, "pig1987,2024-11-02,5,1,1", header="artist,date,reach,likes,Likes")
    assert problems_in(path) == ["likes: two columns have this meaning; it is unknown which one is right."]
    assert [str(one) for one in validate(csv(tmp_path)).warnings] == [f"{path}: has no rows."]


def doubtful(*rows: str) -> list[str]:
    names = current_names(HEADER.split(","))
    assert names is not None
    _, found = faults([dict(zip(names, row.split(","), strict=True)) for row in rows], TODAY)
    return [fault.message for fault in found]


def test_the_known_faults_of_the_legacy_pipeline_are_warnings() -> None:
    constant = [GOOD[0], GOOD[1].replace(",4,-1", ",5,-1")]
    assert doubtful(*constant) == [
        "pig1987: all 2 rows have the same number of followers (5, the newest one); it is not a history"
    ]
    assert doubtful(*(row.rsplit(",", 2)[0] + ",0,-1" for row in GOOD)) == [
        "pig1987: all 2 rows have the same number of followers (0: none was known); it is not a history"
    ]
    assert doubtful(GOOD[0], GOOD[1].replace("-1", "0")) == [
        "pig1987: no row has a loss of followers; losses were dropped, so sums may be too high"
    ]
    divided = GOOD[1].replace("45735", "0").replace("0.1769", "8089.0")
    assert doubtful(GOOD[0], divided) == [
        "1 rows without views have a rate: it was divided by 1; the true rate is unknown"
    ]


def test_a_week_of_zeros_may_be_unknown() -> None:
    nothing = [f"pig1987,pig1987,2024-10-{day},0,0,0,0,0,2024,0.0,{day},-1" for day in range(25, 32)]
    assert doubtful(*nothing, "pig1987,pig1987,2024-11-01,5,0,0,0,0,2024,0.0,9,-1") == [
        "pig1987: 7 days have 0 in every count (the longest run: 2024-10-25 to 2024-10-31): unknown was written as 0, "
        "so they may be unknown or days before the account began"
    ]
    assert doubtful(*nothing[:6]) == []


def test_accounts_of_one_file_are_judged_separately() -> None:
    other = [row.replace("pig1987", "zone.a0") for row in GOOD]
    assert doubtful(*GOOD, *other) == []


def test_a_fault_without_a_place_still_reads_well() -> None:
    fault = Fault(row=None, column=None, value=None, message="is old")
    assert (fault.row, fault.message) == (None, "is old")


# --- printed ---------------------------------------------------------------------------------------------------------


def test_the_function_prints_what_it_returns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = csv(tmp_path, *(GOOD[0] for _ in range(25)))
    found = validate_staging_data(path)
    printed = capsys.readouterr().out
    assert len(found.problems) == 24
    assert "row 2, date: '2024-11-02' repeats row 1." in printed.replace("\n", "")
    assert "and 4 more (--json lists all)." in printed.replace("\n", "")
    assert "1 files, 25 rows: 24 problems, 2 warnings." in printed


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["validate", *map(str, arguments)])


def test_the_command_exits_with_1_on_problems_and_0_on_warnings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    warned = run(csv(tmp_path, GOOD[0], GOOD[1].replace("2024-11-03", "2024-11-06")))
    assert warned.exit_code == 0
    assert "3 days are missing" in warned.output
    broken = csv(tmp_path, GOOD[0], GOOD[0])
    assert run(broken).exit_code == 1
    found = json.loads(run("--json", broken).stdout)
    assert found["is_valid"] is False
    assert found["problems"][0] | {"file": ""} == {
        "file": "",
        "row": 2,
        "column": "date",
        "value": "2024-11-02",
        "message": "repeats row 1",
    }
