"""That the conformance check finds each kind of difference, and nothing where there is none."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tiktok_assets.reports import REPORTS
from tiktok_assets.reports.report import latest_per_grain
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.exports import Quirks, land, studio_export
from tiktok_assets_tests import conformance
from tiktok_assets_tests.comparison import COLUMNS, LABELS, Expected, compare, expected, merged, moved, snapshot
from tiktok_assets_tests.comparison import REPORTS as TITLES
from tiktok_assets_tests.conformance import check_alone, check_together, main
from tiktok_assets_tests.export_files import parsed
from tiktok_assets_tests.truth_files import Truth, find_truths

FIRST, LAST = dt.date(2025, 5, 26), dt.date(2025, 6, 4)
AT = dt.datetime(2025, 6, 5, 16, 1, 30, tzinfo=dt.UTC)
ACCOUNT = SimulatedAccount.generate("zone.a0", 7, dt.date(2025, 1, 1), dt.date(2025, 12, 31))
BY_NAME = {report.name: report for report in REPORTS}


def truth_rows(title: str, reported: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the simulator says, under TikTok's headers: what a person would write into truth.json."""
    columns = COLUMNS[TITLES[title]]
    studio = BY_NAME[TITLES[title]].headers["studio"]
    names = {columns[header.lower()]: header for header in studio if header.lower() in columns}
    rows = []
    for row in reported:
        values = {names[column]: value for column, value in row.items() if column in names}
        if row["date_label"] is not None:
            values = {"date_label": str(row["date_label"])} | values
        rows.append({header: str(value) if isinstance(value, dt.date) else value for header, value in values.items()})
    return rows


def make_set(folder: Path, day: int = 0, **quirks: Any) -> Truth:
    """All four exports of a window, with their truth, as in shared/exports."""
    shift, reports = dt.timedelta(days=day), {}
    for section in ("overview", "viewers", "followers", "content"):
        export = studio_export(
            ACCOUNT, section, FIRST + shift, LAST + shift, downloaded_at=AT + shift, quirks=Quirks(**quirks)
        )
        land(export, folder)
        reports |= {
            title: truth_rows(title, export.expected[name]) for title, name in TITLES.items() if name in export.expected
        }
    truth = {
        "account": "zonea0",
        "handle": "zone.a0",
        "downloaded_at_utc": (AT + shift).isoformat(),
        "reports": reports,
    }
    (folder / "truth.json").write_text(json.dumps(truth))
    return find_truths(folder)[0]


def staging(*truths: Truth) -> dict[str, pl.DataFrame]:
    """What staging would hold, without Dagster."""
    frames: dict[str, list[pl.DataFrame]] = {}
    for truth in truths:
        for file in truth.files:
            for name, frame in parsed(file).items():
                frames.setdefault(name, []).append(frame)
    return {name: latest_per_grain(BY_NAME[name], pl.concat(parts, how="diagonal")) for name, parts in frames.items()}


def test_every_known_header_has_a_manually_written_staging_column() -> None:
    exported = [report for report in REPORTS if not report.is_optional]  # of insights nobody has a truth
    for report in exported:
        for header in (name for names in report.headers.values() for name in names):
            name = header.strip().lower()
            assert name in LABELS or COLUMNS[report.name][name] in report.columns
    assert {report.title: report.name for report in exported} == TITLES


def test_generated_exports_are_equal_alone_and_together(tmp_path: Path) -> None:
    sets = [
        make_set(tmp_path / "a", undefined_trailing=2),
        make_set(tmp_path / "b", day=2, undefined_leading=3),
        make_set(tmp_path / "c", day=4, viewers_offset=1),
    ]
    tables = staging(*sets)
    for title, name in TITLES.items():
        for truth in sets:
            alone = check_alone(name, truth.reports[title], staging(truth)[name])
            assert alone.is_equal and alone.equal == len(truth.reports[title]) > 0, alone
        assert check_together(name, title, sets, tables[name]).is_equal


def change(column: str, value: object) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Another value in the first row."""

    def changed(table: pl.DataFrame) -> pl.DataFrame:
        first = pl.int_range(pl.len()) == 0
        other = pl.lit(value, dtype=table.schema[column])
        return table.with_columns(pl.when(first).then(other).otherwise(pl.col(column)).alias(column))

    return changed


@pytest.mark.parametrize(
    ("title", "damage", "counts"),
    [
        ("Overview", change("likes", 10**9), (1, 0, 0)),
        ("Overview", change("comments", None), (1, 0, 0)),
        ("Viewers", change("new_viewers", None), (1, 0, 0)),
        ("FollowerHistory", change("followers", -1), (1, 0, 0)),
        ("FollowerActivity", change("active_followers", 10**9), (1, 0, 0)),
        ("FollowerGender", change("share", 0.10000001), (1, 0, 0)),
        ("FollowerTopTerritories", change("territory", "XX"), (0, 1, 1)),
        ("Content", change("title", "another"), (1, 0, 0)),
        ("Content", change("post_date", dt.date(2016, 1, 1)), (1, 0, 0)),
        ("Overview", lambda table: table.tail(-1), (0, 1, 0)),
        ("Overview", lambda table: table.with_columns(pl.col("date_label") + pl.duration(days=365)), (0, 10, 10)),
        ("Content", lambda table: table.head(0), (0, 15, 0)),
        ("Overview", lambda table: pl.concat([table, table.head(1)]), (0, 0, 1)),
        ("FollowerGender", lambda table: table.drop("share"), (3, 0, 0)),
        (
            "Viewers",
            lambda table: table.with_columns(new_viewers="returning_viewers", returning_viewers="new_viewers"),
            (10, 0, 0),
        ),
    ],
)
def test_each_kind_of_damage_to_staging_is_found(
    tmp_path: Path, title: str, damage: Callable[[pl.DataFrame], pl.DataFrame], counts: tuple[int, int, int]
) -> None:
    truth, name = make_set(tmp_path), TITLES[title]
    found = check_alone(name, truth.reports[title], damage(staging(truth)[name]))
    assert (len(found.different), len(found.missing), len(found.extra)) == counts
    assert not found.is_equal and all(found.different + found.missing + found.extra)


def test_a_difference_is_reported_with_its_day_and_both_values() -> None:
    rows = expected("overview", [{"date_label": "2026-01-15", "Likes": 28}])
    found = compare(rows, {(dt.date(2026, 1, 15),): {"date_label": dt.date(2026, 1, 15), "likes": None}})
    assert found.different == ["2026-01-15: likes is None, in the export 28"]


def cells(rows: Expected) -> dict:
    return {
        key: {column: cell for column, cell in row.items() if column != "date_label"} for key, row in rows.rows.items()
    }


DAY = dt.date(2026, 3, 16)


def viewers(total: int | None, new: int | None, label: str = "2026-03-16") -> Expected:
    return expected("viewers", [{"date_label": label, "Total Viewers": total, "New Viewers": new}])


def test_null_is_right_for_a_zero_beside_an_undefined_total_only() -> None:
    assert cells(viewers(None, 0))[DAY,] == {"unique_viewers": (None,), "new_viewers": (None, 0)}
    assert cells(viewers(None, 3))[DAY,] == {"unique_viewers": (None,), "new_viewers": (3,)}
    assert cells(viewers(5, 0))[DAY,] == {"unique_viewers": (5,), "new_viewers": (0,)}
    history = {"date_label": "2026-03-16", "Followers": None, "Difference in followers from previous day": 0}
    assert cells(expected("follower_history", [history]))[DAY,]["follower_difference"] == (None, 0)
    assert cells(expected("overview", [{"date_label": "2026-03-16", "Likes": 0, "Video Views": None}]))[DAY,][
        "likes"
    ] == (0,)


def test_together_a_number_is_replaced_by_a_newer_number_but_never_by_null_or_a_placeholder() -> None:
    assert cells(merged("viewers", [viewers(5, 2), viewers(6, 3)]))[DAY,] == {
        "unique_viewers": (6,),
        "new_viewers": (3,),
    }
    assert cells(merged("viewers", [viewers(5, 2), viewers(None, 0)]))[DAY,] == {
        "unique_viewers": (5,),
        "new_viewers": (2,),
    }
    assert cells(merged("viewers", [viewers(None, 0), viewers(5, 2)]))[DAY,] == {
        "unique_viewers": (5,),
        "new_viewers": (2,),
    }
    assert cells(merged("viewers", [viewers(5, 2), viewers(6, 0)]))[DAY,] == {
        "unique_viewers": (6,),
        "new_viewers": (0,),
    }


def test_together_a_row_has_the_label_of_the_newest_export_that_measured_it() -> None:
    late = moved(viewers(6, 3, "2026-03-17"), 1)
    unknown = moved(viewers(None, 0, "2026-03-17"), 1)
    assert merged("viewers", [viewers(5, 2), late]).rows[DAY,]["date_label"] == (dt.date(2026, 3, 17),)
    assert merged("viewers", [viewers(5, 2), unknown]).rows[DAY,]["date_label"] == (DAY,)


def test_together_a_newer_snapshot_replaces_an_older_one_but_videos_one_by_one() -> None:
    older = snapshot(
        expected(
            "follower_gender", [{"Gender": "Male", "Distribution": 0.6}, {"Gender": "Other", "Distribution": 0.4}]
        ),
        DAY,
    )
    newer = snapshot(expected("follower_gender", [{"Gender": "Male", "Distribution": 1}]), DAY)
    assert cells(merged("follower_gender", [older, newer])) == {(DAY, "Male"): {"share": (1,)}}
    link = "https://www.tiktok.com/@x/video/748000000000000000{}"
    one, two = (
        snapshot(expected("content", [{"Video link": link.format(number), "Total views": 4}]), DAY) for number in (1, 2)
    )
    assert len(merged("content", [one, two]).rows) == 2


def test_columns_of_truth_unknown_to_staging_are_reported_and_not_counted() -> None:
    rows = expected("overview", [{"date_label": "2026-03-16", "Likes": 1, "Saves": 3}])
    found = compare(rows, {(DAY,): {"date_label": DAY, "likes": 1}})
    assert found.is_equal and found.unknown == {"Saves"}
    assert list(conformance.descriptions(found)) == ["truth has columns that staging does not have: Saves"]


def test_only_the_first_differences_of_a_kind_are_reported() -> None:
    rows = expected("overview", [{"date_label": f"2026-03-{day:02}", "Likes": 1} for day in range(1, 29)])
    lines = list(conformance.descriptions(compare(rows, {})))
    assert len(lines) == conformance.SHOWN + 1 and lines[-1] == "and 23 more"


def test_both_layouts_of_truth_are_found(tmp_path: Path) -> None:
    truth = {"account": "a", "handle": "h", "reports": {"Overview": []}}
    for name in ("a/one/truth.json", "a/two/Overview_h.truth.json", "a/two/Overview_h (1).truth.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(json.dumps(truth))
    for name in (
        "a/one/Overview_h.zip",
        "a/one/Followers_h/FollowerGender.csv",
        "a/two/Overview_h.zip",
        "a/two/Overview_h (1).zip",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert {truth.name: [file.name for file in truth.files] for truth in find_truths(tmp_path)} == {
        "a/one": ["FollowerGender.csv", "Overview_h.zip"],
        "a/two/Overview_h": ["Overview_h.zip"],
        "a/two/Overview_h (1)": ["Overview_h (1).zip"],
    }


def test_the_command_distinguishes_equal_from_damaged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(tmp_path) == 1
    export = studio_export(ACCOUNT, "overview", FIRST, dt.date(2025, 5, 30), downloaded_at=AT)
    reports = {"Overview": truth_rows("Overview", export.expected["overview"]), "Sounds": []}
    for name in ("equal", "damaged"):
        land(export, tmp_path / name)
        truth = {"account": "zonea0", "handle": "zone.a0", "reports": reports}
        (tmp_path / name / "truth.json").write_text(json.dumps(truth))
        reports["Overview"][3]["Likes"] += 1
    assert main(tmp_path / "equal") == 0
    assert "1 sets of 1 accounts: all equal" in capsys.readouterr().out
    assert main(tmp_path / "damaged") == 1
    output = capsys.readouterr().out
    likes = export.expected["overview"][3]["likes"]
    assert f"Overview: 2025-05-29: likes is {likes}, in the export {likes + 1}" in output
    assert "truth has an unknown report, not compared: Sounds" in output
