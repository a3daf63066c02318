"""Whatever Studio or Business Suite exports of a simulated account, it is read as exactly what it was made from."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_assets.reports.reading import open_export
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.business_suite import Kind, business_suite_export
from tiktok_assets.simulator.exports import SECTIONS, GeneratedExport, Quirks, land, studio_export, usual_quirks
from tiktok_assets.simulator.traits import Traits
from tiktok_assets_tests.budget import examples
from tiktok_assets_tests.export_files import parsed, write, zipped

FIRST, LAST = dt.date(2024, 10, 1), dt.date(2026, 1, 10)
LOCALES = (
    "en",
    "en_GB",
    "el",
    "es",
    "pt",
    "ru",
    "fr",
    "vi",
    "ja",
    "id",
    "th",
    "de",
    "ko",
    "ar",
    "zh",
    "hi",
    "fa",
    "he",
)
NOT_OURS = {"true_day", "hour_utc"}


def make(handle: str = "north.pier_2.0", **traits: object) -> SimulatedAccount:
    return SimulatedAccount.generate(handle, 7, FIRST, LAST, traits=Traits(**traits))  # pyright: ignore[reportArgumentType]


ACCOUNTS = (
    make(utc_offset=2),
    make("zone.a0", utc_offset=9, posts_per_week=14.0, size="large"),
    make("tiny_", size="small", utc_offset=-5),
    make("gap", gap=(dt.date(2025, 3, 10), dt.date(2025, 3, 12)), born=dt.date(2025, 2, 1)),
)


def assert_reads_as_expected(export: GeneratedExport) -> None:
    """Every report of the file has exactly the rows, labels and values it was made from."""
    with TemporaryDirectory() as folder:
        frames = parsed(land(export, Path(folder)))
    assert frames.keys() == export.expected.keys()
    for report, rows in export.expected.items():
        told = frames[report].to_dicts()
        assert len(told) == len(rows)
        for found, row in zip(told, rows, strict=True):
            wanted = {name: value for name, value in row.items() if name not in NOT_OURS}
            if report == "content" or row["date_label"] is None:  # a snapshot speaks of the day of its download
                wanted["date_label"] = row["true_day"]
            assert {name: found[name] for name in wanted} == wanted


@st.composite
def quirks(draw: st.DrawFn) -> Quirks:
    return Quirks(
        bom=draw(st.booleans()),
        crlf=draw(st.booleans()),
        final_newline=draw(st.booleans()),
        unescaped_quotes=draw(st.booleans()),
        label_shift=draw(st.integers(0, 1)),
        viewers_offset=draw(st.integers(0, 1)),
        difference=draw(st.sampled_from(("previous", "next"))),
        undefined_leading=draw(st.integers(0, 5)),
        undefined_trailing=draw(st.integers(0, 2)),
        zero_tail=draw(st.booleans()),
        activity_days=draw(st.integers(6, 8)),
        thousands_commas=draw(st.booleans()),
        duplicate_name=draw(st.booleans()),
        extra_columns=draw(st.sampled_from(((), ("New followers",), ("Saves",)))),
        empty_section=draw(st.integers(0, 9)) == 0,
    )


@examples(60)
@given(
    st.sampled_from(ACCOUNTS),
    st.sampled_from(tuple(SECTIONS)),
    st.dates(dt.date(2025, 2, 1), dt.date(2025, 12, 31)),
    st.integers(1, 366),
    st.sampled_from(LOCALES),
    quirks(),
    st.sampled_from(("csv", "csv", "xlsx")),
    st.times(),
)
def test_a_generated_export_is_read_as_what_it_was_made_from(
    account: SimulatedAccount, section, last: dt.date, days: int, locale: str, form: Quirks, file_format, time: dt.time
) -> None:
    first = max(last - dt.timedelta(days=days - 1), FIRST)
    # By then all of the window's data is there, also where labels run ahead.
    downloaded_at = dt.datetime.combine(last + dt.timedelta(days=2), time.replace(microsecond=0), dt.UTC)
    export = studio_export(
        account, section, first, last, downloaded_at=downloaded_at, locale=locale, file_format=file_format, quirks=form
    )
    assert_reads_as_expected(export)


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.handle)
@pytest.mark.parametrize("hour", [1, 11, 16, 23])
def test_what_studio_usually_shows_is_read(account: SimulatedAccount, hour: int) -> None:
    downloaded_at = dt.datetime(2025, 7, 3, hour, 5, 30, tzinfo=dt.UTC)
    for section in SECTIONS:
        export = studio_export(
            account,
            section,
            dt.date(2024, 10, 5),
            dt.date(2025, 7, 4),
            downloaded_at=downloaded_at,
            locale="el",
            quirks=usual_quirks(account, downloaded_at),
        )
        assert_reads_as_expected(export)


@pytest.mark.parametrize("kind", ["overview", "audience", "video"])
@pytest.mark.parametrize("missing", ["NAN", "--"])
@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.handle)
def test_a_business_suite_file_is_read(account: SimulatedAccount, kind: Kind, missing, older: bool) -> None:
    export = business_suite_export(
        account,
        kind,
        dt.date(2025, 1, 15),
        dt.date(2025, 6, 30),
        downloaded_at=dt.datetime(2025, 6, 30, 9, tzinfo=dt.UTC),
        missing=missing,
        older=older,
    )
    assert_reads_as_expected(export)
    with TemporaryDirectory() as folder, open_export(land(export, Path(folder))) as opened:
        assert opened.warnings == () or all("leaves out" in warning for warning in opened.warnings)
        assert {member.layout.product for member in opened.members} == {"business_suite"}


def test_a_window_of_366_days_over_a_leap_day_keeps_both_ends(tmp_path: Path) -> None:
    account = SimulatedAccount.generate("leap", 1, dt.date(2023, 12, 1), dt.date(2025, 1, 31))
    for first, last in [("2024-01-01", "2024-12-31"), ("2024-02-29", "2025-02-27"), ("2023-12-15", "2024-12-14")]:
        window = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
        at = dt.datetime.combine(window[1] + dt.timedelta(days=2), dt.time(12), dt.UTC)
        export = studio_export(account, "overview", *window, downloaded_at=at, locale="ja")
        assert_reads_as_expected(export)


def test_an_export_of_xlsx_without_stamps_gets_its_year_from_the_time_of_the_file(tmp_path: Path) -> None:
    at = dt.datetime(2025, 3, 2, 16, tzinfo=dt.UTC)
    window = dt.date(2024, 12, 20), dt.date(2025, 2, 28)
    export = studio_export(ACCOUNTS[0], "viewers", *window, downloaded_at=at, file_format="xlsx")
    with open_export(land(export, tmp_path)) as opened:
        assert opened.window == window
        assert (opened.downloaded_at, opened.downloaded_at_evidence) == (at, "file_time")


def test_an_archive_that_was_packed_again_later_keeps_the_days_of_its_name(tmp_path: Path) -> None:
    at = dt.datetime(2025, 3, 2, 16, tzinfo=dt.UTC)
    window = dt.date(2024, 12, 20), dt.date(2025, 2, 28)
    export = studio_export(ACCOUNTS[0], "overview", *window, downloaded_at=at)
    path = write(tmp_path / export.name, zipped(export.members, stamp=dt.datetime(2026, 8, 1, tzinfo=dt.UTC)))
    with open_export(path) as opened:
        assert opened.window == window
        assert opened.downloaded_at_evidence == "zip_name"
        assert any("packed again" in warning for warning in opened.warnings)


def test_a_list_of_very_many_videos_is_read_lazily_and_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = dt.datetime(2025, 12, 30, 9, tzinfo=dt.UTC)
    window = dt.date(2024, 10, 1), dt.date(2025, 12, 28)
    export = business_suite_export(ACCOUNTS[1], "video", *window, downloaded_at=at)
    monkeypatch.setattr("tiktok_assets.exports.archive.IN_MEMORY_BYTES", 1000)
    with open_export(land(export, tmp_path)) as opened:
        assert isinstance(opened.members[0].table.rows, pl.LazyFrame)
        assert opened.handles == ("zone.a0",)
    assert_reads_as_expected(export)
