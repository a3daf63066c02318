"""Which days without a number are rows: those between days with numbers, of the same exports."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_assets.checks.schema import violations
from tiktok_assets.curated._tables import conform
from tiktok_assets.curated.account.account_daily import AccountDaily, between_known_days
from tiktok_assets.exports.labels import DailyFile
from tiktok_assets.reports.alignment import Alignment, known_days, months
from tiktok_assets_tests.budget import examples

DAY = timedelta(days=1)
FIRST = date(2026, 1, 1)
AT = datetime(2026, 7, 1, tzinfo=UTC)


def export(known: Iterable[date], listed: Iterable[date], name: str = "one", *, shift: int = 0) -> DailyFile:
    """An Overview that lists days with views of ``known`` and nothing of the others; its labels run ``shift`` ahead."""
    labels = sorted({*known, *listed})
    columns = {
        "date_label": [label + DAY * shift for label in labels],
        "video_views": [5 if label in known else None for label in labels],
        **dict.fromkeys(("profile_views", "likes", "comments", "shares"), [None] * len(labels)),
    }
    rows = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Int64) | {"date_label": pl.Date})
    return DailyFile(export_id=name, report="overview", downloaded_at=AT, downloaded_at_evidence="zip_stamp", rows=rows)


def alignment(*files: DailyFile, shift: int = 0) -> pl.DataFrame:
    rows = [
        {
            "account": "a",
            "date": month,
            "report": file.report,
            "export_id": file.export_id,
            "downloaded_at": AT,
            "date_shift_days": shift,
            "first_known": first,
            "last_known": last,
        }
        for file in files
        for first, last in [known_days(file, shift)]
        for month in months(file, shift)
    ]
    return conform(pl.DataFrame(rows, infer_schema_length=None), Alignment) if rows else Alignment.empty()


def days(known: Iterable[date], listed: Iterable[date]) -> pl.DataFrame:
    """Rows of ``AccountDaily``: days with views, and those that an export only lists."""
    every = sorted({*known, *listed})
    views = [5 if day in known else None for day in every]
    rows = pl.DataFrame({"date": every, "video_views": views}, schema={"date": pl.Date, "video_views": pl.Int64})
    return conform(rows.with_columns(account=pl.lit("a"), date_label="date", date_shift_days=0), AccountDaily)


def span(first: date, last: date) -> set[date]:
    return {first + DAY * number for number in range((last - first).days + 1)}


def kept(*exports: tuple[set[date], set[date]]) -> list[date]:
    """The days that are rows, of (known, listed) days of several exports."""
    known, listed = (set[date]().union(*(one[part] for one in exports)) for part in (0, 1))
    files = [export(*one, name=str(number)) for number, one in enumerate(exports)]
    return between_known_days(days(known, listed), alignment(*files))["date"].to_list()


def test_days_before_the_first_and_after_the_last_known_one_are_no_rows_and_gaps_between_are() -> None:
    known = {*span(date(2026, 3, 10), date(2026, 3, 20)), *span(date(2026, 6, 1), date(2026, 6, 5))}
    listed = span(date(2025, 9, 1), date(2026, 7, 1))
    assert kept((known, listed)) == sorted(span(date(2026, 3, 10), date(2026, 6, 5)))


def test_an_account_without_any_number_has_no_rows() -> None:
    assert kept((set(), span(FIRST, FIRST + DAY * 100))) == []
    assert between_known_days(AccountDaily.empty(), Alignment.empty()).is_empty()


def test_days_that_an_export_lists_between_the_days_of_two_exports_are_rows() -> None:
    january = span(FIRST, date(2026, 1, 31))
    february = (span(date(2026, 2, 10), date(2026, 2, 28)), span(date(2026, 2, 1), date(2026, 2, 28)))
    assert kept((january, january), february) == sorted(span(FIRST, date(2026, 2, 28)))


def test_any_number_makes_a_row_of_a_day() -> None:
    for column in ("unique_viewers", "followers", "following", "shares", "reach", "lost_followers"):
        row = days(set(), {FIRST}).with_columns(pl.lit(0).cast(pl.Int64).alias(column))
        assert between_known_days(row, Alignment.empty()).height == 1, column


def test_rows_keep_their_schema_and_order() -> None:
    known, listed = span(FIRST, FIRST + DAY * 3), span(FIRST, FIRST + DAY * 90)
    rows = between_known_days(days(known, listed), alignment(export(known, listed)))
    assert violations(AccountDaily, rows) == []
    assert rows["date"].is_sorted()


@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_the_known_days_of_an_export_are_real_days(shift: int) -> None:
    known, listed = span(FIRST + DAY * 5, FIRST + DAY * 9), span(FIRST, FIRST + DAY * 30)
    file = export(known, listed, shift=shift)
    assert known_days(file, shift) == (FIRST + DAY * 5, FIRST + DAY * 9)
    assert known_days(export(set(), listed), 0) == (None, None)


NUMBERS = st.sets(st.integers(0, 150), max_size=30)


@examples(60)
@given(known=NUMBERS, listed=NUMBERS, others=NUMBERS, more=NUMBERS)
def test_months_alone_and_in_any_company_keep_the_same_days(
    known: set[int], listed: set[int], others: set[int], more: set[int]
) -> None:
    """A run sees the exports of its month and of those before; what else it sees changes nothing."""
    exports = [
        ({FIRST + DAY * number for number in own}, {FIRST + DAY * number for number in own | beside})
        for own, beside in ((known, listed), (others, more))
    ]
    rows = days(*(set[date]().union(*(one[part] for one in exports)) for part in (0, 1)))
    every = alignment(*(export(*one, name=str(number)) for number, one in enumerate(exports) if one[1]))
    whole = between_known_days(rows, every)
    for month in rows["date"].dt.truncate("1mo").unique():
        before = (month - DAY).replace(day=1)
        of_month = rows.filter(pl.col("date").dt.truncate("1mo") == month)
        alone = between_known_days(of_month, every.filter(pl.col("date").is_in([before, month])))
        assert alone.equals(whole.filter(pl.col("date").dt.truncate("1mo") == month))
    numbered = rows.filter(pl.col("video_views").is_not_null())
    assert numbered["date"].is_in(whole["date"].to_list()).all()
    if numbered.height:
        assert whole["date"].min() == numbered["date"].min()
        assert whole["date"].max() == numbered["date"].max()
