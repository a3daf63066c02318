"""Several exports of one report become one row per grain."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tiktok_assets.exports.provenance import UTC_TIME
from tiktok_assets.reports import REPORTS
from tiktok_assets.reports.follower_gender import FOLLOWER_GENDER
from tiktok_assets.reports.overview import OVERVIEW
from tiktok_assets.reports.report import Report, settle
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.exports import SECTIONS, Quirks, land, studio_export
from tiktok_assets_tests.budget import examples
from tiktok_assets_tests.export_files import parsed

DAY = dt.date(2026, 3, 15)
NUMBERS = st.one_of(st.none(), st.integers(-5, 50))


def rows(report: Report, *told: dict) -> pl.DataFrame:
    """Parsed rows; ``at`` is the hour of the download, and the export's name where that is not given."""
    schema = {
        "account": pl.String,
        "export_id": pl.String,
        "downloaded_at": UTC_TIME,
        "vintage": UTC_TIME,
        "row_number": pl.UInt32,
    }
    schema |= dict.fromkeys(("date", "date_label"), pl.Date) | {"date_shift_days": pl.Int64, "gender": pl.String}
    schema |= dict.fromkeys(report.values, pl.Float64 if "share" in report.values else pl.Int64)
    full = []
    for number, row in enumerate(told):
        at = dt.datetime(2026, 3, 17, row["at"], tzinfo=dt.UTC)
        known = {"account": "x", "export_id": f"e{row['at']:02}", "date": DAY, "date_label": DAY, "date_shift_days": 0}
        full.append(
            known
            | {"downloaded_at": at, "vintage": at, "row_number": number}
            | {k: v for k, v in row.items() if k != "at"}
        )
    return pl.DataFrame(full, schema=schema)


def settled(report: Report, *told: dict) -> list[dict]:
    return settle(report, rows(report, *told)).to_dicts()


def test_the_newest_export_wins() -> None:
    (row,) = settled(OVERVIEW, {"at": 9, "video_views": 1}, {"at": 11, "video_views": 3}, {"at": 10, "video_views": 2})
    assert (row["video_views"], row["export_id"], row["downloaded_at"].hour) == (3, "e11", 11)


def test_an_undefined_total_never_replaces_a_number() -> None:
    told = [{"at": 9, "video_views": 1, "likes": 4}, {"at": 10, "video_views": None, "likes": 5}]
    (row,) = settled(OVERVIEW, *told)
    assert (row["video_views"], row["likes"], row["export_id"]) == (1, 5, "e10")


def test_an_export_that_knows_nothing_of_a_day_is_not_named_as_its_source() -> None:
    (row,) = settled(OVERVIEW, {"at": 9, "video_views": 1}, {"at": 10})
    assert (row["video_views"], row["export_id"]) == (1, "e09")


def test_a_day_that_no_export_knows_is_a_row_without_numbers() -> None:
    (row,) = settled(OVERVIEW, {"at": 9}, {"at": 10})
    assert row["video_views"] is None and row["export_id"] == "e10"


def test_of_a_day_named_twice_in_one_export_the_last_row_is_taken() -> None:
    (row,) = settled(OVERVIEW, {"at": 9, "video_views": 1}, {"at": 9, "video_views": 2})
    assert row["video_views"] == 2


def test_a_zero_is_a_number_and_replaces_one() -> None:
    (row,) = settled(OVERVIEW, {"at": 9, "video_views": 5}, {"at": 10, "video_views": 0})
    assert row["video_views"] == 0


def test_shares_of_two_snapshots_of_a_day_never_mix() -> None:
    told = [
        {"at": 9, "gender": "Male", "share": 0.5},
        {"at": 9, "gender": "Female", "share": 0.4},
        {"at": 9, "gender": "Other", "share": 0.1},
        {"at": 10, "gender": "Male", "share": 0.6},
        {"at": 10, "gender": "Female", "share": 0.4},
    ]
    found = settled(FOLLOWER_GENDER, *told)
    assert [(row["gender"], row["share"], row["export_id"]) for row in found] == [
        ("Female", 0.4, "e10"),
        ("Male", 0.6, "e10"),
    ]


def test_accounts_never_mix() -> None:
    told = [{"at": 9, "account": "a", "video_views": 1}, {"at": 10, "account": "b", "video_views": 2}]
    assert [(row["account"], row["video_views"]) for row in settled(OVERVIEW, *told)] == [("a", 1), ("b", 2)]


EXPORTS = st.lists(
    st.fixed_dictionaries(
        {
            "at": st.integers(0, 5),
            "date": st.dates(DAY, DAY + dt.timedelta(days=2)),
            "video_views": NUMBERS,
            "likes": NUMBERS,
        }
    ),
    max_size=12,
)


@given(EXPORTS, st.randoms())
def test_the_order_of_files_and_rows_does_not_matter_and_settling_twice_changes_nothing(
    told: list[dict], random
) -> None:
    frame = rows(OVERVIEW, *told)
    once = settle(OVERVIEW, frame)
    order = list(range(frame.height))
    random.shuffle(order)
    assert_frame_equal(settle(OVERVIEW, frame[order]), once)
    assert_frame_equal(settle(OVERVIEW, pl.concat([frame, frame])), once)
    assert_frame_equal(settle(OVERVIEW, once.with_columns(row_number=pl.lit(1, pl.UInt32))), once)


@given(EXPORTS)
def test_each_number_is_the_newest_that_is_known(told: list[dict]) -> None:
    found = {row["date"]: row for row in settled(OVERVIEW, *told)}
    assert found.keys() == {row["date"] for row in told}
    for day, row in found.items():
        of_day = sorted((other for other in told if other["date"] == day), key=lambda other: other["at"])
        for column in ("video_views", "likes"):
            numbers = [other[column] for other in of_day if other[column] is not None]
            assert row[column] == (numbers[-1] if numbers else None)


@examples(15)
@given(st.permutations(range(4)), st.sampled_from(tuple(SECTIONS)))
def test_generated_exports_settle_to_the_truth_in_any_order(order: list[int], section) -> None:
    account = SimulatedAccount.generate("north.pier", 3, dt.date(2025, 1, 1), dt.date(2025, 12, 31))
    wanted: dict[str, dict[tuple, dict]] = {}
    frames: dict[str, list[pl.DataFrame]] = {}
    with TemporaryDirectory() as folder:
        for number in range(4):  # windows that overlap, each with days that are not known yet
            first = dt.date(2025, 5, 1) + dt.timedelta(days=10 * number)
            last = first + dt.timedelta(days=30)
            at = dt.datetime.combine(last + dt.timedelta(days=1), dt.time(16), dt.UTC)
            quirks = Quirks(undefined_leading=3, undefined_trailing=2)
            export = studio_export(account, section, first, last, downloaded_at=at, quirks=quirks)
            for name, frame in parsed(land(export, Path(folder, str(number)))).items():
                frames.setdefault(name, []).append(frame)
            for name, told in export.expected.items():
                grain = next(report.grain for report in REPORTS if report.name == name)
                for row in told:
                    row = row | {"date": row["date_label"] if name not in SNAPSHOTS else row["true_day"]}
                    key = tuple(row[column] for column in grain)
                    known = wanted.setdefault(name, {}).setdefault(key, {})
                    known |= {k: v for k, v in row.items() if v is not None or k not in known}
    for name, parts in frames.items():
        report = next(report for report in REPORTS if report.name == name)
        found = settle(report, pl.concat([parts[number] for number in order], how="diagonal"))
        keys = found.select(report.grain).rows()
        assert sorted(keys) == sorted(wanted.get(name, {})) and len(set(keys)) == len(keys)
        for key, row in zip(keys, found.iter_rows(named=True), strict=True):
            values = [value for value in report.values if value in wanted[name][key]]
            assert [row[value] for value in values] == [wanted[name][key][value] for value in values]


SNAPSHOTS = ("follower_gender", "follower_territories", "content")
