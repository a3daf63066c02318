"""The queries of ``docs/sql.md`` give the answers that were worked out by hand (``sql_pages`` has the numbers)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from tiktok_assets.settings import Settings
from tiktok_assets_tests.sql_pages import NOW, PIG, ZONE, day, publish_label, questions

QUESTIONS = questions()
APART = dt.date(2025, 3, 24), dt.date(2026, 1, 31)  # between the two years: 8 + 275 + 31 days
NOW_IN_UTC = NOW.replace(tzinfo=None)
EXPECTED: dict[str, list[tuple[Any, ...]]] = {
    # 7 x 150 against 7 x 100; the newest week of zonea0 lacks its Sunday, so the one before counts: 7 x 20 twice.
    "Did we grow this week?": [(PIG, "2026-W12", 1050, 0.5), (ZONE, "2026-W11", 140, 0.0)],
    "How were the last seven days, in the middle of a week?": [
        (PIG, day(3, 22), 1050, 700, 0.5),
        (ZONE, day(3, 21), 140, 140, 0.0),
    ],
    # 20 days of 100 and 7 of 150, without 5 March, against 27 of 100; 28 of 20 against 28 of 10.
    "Are we ahead of last year?": [(PIG, 27, 3050, 2700, 350 / 2700), (ZONE, 28, 560, 280, 1.0)],
    # February: 28 x (10 + 1) of 28 x (100 + 20). March: 14 x 10 + 7 x 15 + 21 x 1 of 14 x 100 + 7 x 150 + 21 x 20.
    "What is the label's engagement rate, month by month?": [
        ("2026-02", 308, 3360, 308 / 3360, True),
        ("2026-03", 266, 2870, 266 / 2870, False),
    ],
    # From 23 February: 3050 as above; 27 days of 20.
    "Who carries the label?": [(PIG, 3050, 27, 3050 / 3590, 3050 / 3590), (ZONE, 540, 27, 540 / 3590, 1.0)],
    # 22 March against 22 February; 21 March (500 + 48) against 21 February (500 + 20).
    "Who lost followers?": [(PIG, 990, -10, -0.01), (ZONE, 548, 28, 28 / 520)],
    "When does posting pay?": [(PIG, 18, 14, 1.6, 1.1, 2.3)],
    "Which hashtags go with more views, or fewer?": [(PIG, "newmusic", "more views", 8, 1.5, 1.1, 2.0)],
    # Final days from 23 February to 20 and 18 March; Monday to Friday 3 x 100 and 150, Thursday without 5 March.
    "Which weekdays bring views?": [
        *((PIG, name, 100.0, 112.5, 4) for name in ("Monday", "Tuesday", "Wednesday")),
        (PIG, "Thursday", 100.0, 350 / 3, 3),
        (PIG, "Friday", 100.0, 112.5, 4),
        *((PIG, name, 100.0, 100.0, 3) for name in ("Saturday", "Sunday")),
        *((ZONE, name, 20.0, 20.0, 4) for name in ("Monday", "Tuesday", "Wednesday")),
        *((ZONE, name, 20.0, 20.0, 3) for name in ("Thursday", "Friday", "Saturday", "Sunday")),
    ],
    "What is each account's best post this month?": [
        (PIG, "First", day(3, 2), 900, 0.1, "https://tiktok.example/First"),
        (ZONE, "Fifth", day(3, 13), 60, 0.1, "https://tiktok.example/Fifth"),
    ],
    "What does a post have after a week?": [(PIG, 1, 500.0, 500), (ZONE, 1, 60.0, 60)],
    # 10 February to 18 March: 18 days in each month.
    "What went viral, and when did it take off?": [(PIG, "Old", day(2, 10), day(3, 18), 36, 5000, "daily_growth", 6.0)],
    # By 23 March: 0.6 x 990 (of the 22nd) + 0.4 x 548 (of the 21st) = 594 + 219.2; 0.3 x 990.
    "Where do the followers live?": [("GR", 813, 2), ("DE", 297, 1)],
    "When are followers online?": [(PIG, 20, 400.0, 2), (PIG, 9, 100.0, 1)],
    "Which days are missing?": [(PIG, *APART, 314), (PIG, day(3, 5), day(3, 5), 1), (ZONE, *APART, 314)],
    "Who is late?": [(ZONE, day(3, 21), 1)],
    "Which numbers may still change?": [
        # Those of a year ago are final; 5 March has no number that could change.
        (PIG, day(3, 21), day(3, 22), 2),
        (ZONE, day(3, 19), day(3, 21), 3),
    ],
    "What did TikTok change afterwards?": [
        (PIG, day(3, 10), "video_views", 101, 100, -1, 2.5),
        (PIG, day(3, 11), "video_views", 90, 100, 10, 1.5),
    ],
    "What was unusual in the last week?": [(PIG, day(3, 16), "event", "Followers fell from 1,000 to 990.")],
    "Which file does a number come from?": [
        (PIG, day(3, 22), 150, "Overview_pig1987.zip", "overview.csv", NOW_IN_UTC),
        (ZONE, day(3, 21), 20, "Overview_zonea0.zip", "overview.csv", NOW_IN_UTC),
    ],
}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The label's warehouse, opened read-only in the folder that holds its ``data``."""
    folder = tmp_path_factory.mktemp("label")
    settings = Settings(data_dir=str(folder / "data"), accounts_file=folder / "accounts.toml")  # pyright: ignore[reportArgumentType]
    publish_label(settings)
    with pytest.MonkeyPatch.context() as patch, duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        patch.chdir(folder)
        yield connection


def test_there_are_twenty_questions_and_each_has_an_answer_worked_out_by_hand() -> None:
    assert [one.number for one in QUESTIONS.values()] == list(range(1, 21))
    assert set(EXPECTED) == set(QUESTIONS)
    assert all(one.reading.strip().endswith(".") for one in QUESTIONS.values())


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_query_gives_the_expected_rows_in_order(warehouse: duckdb.DuckDBPyConnection, question: str) -> None:
    found = warehouse.sql(QUESTIONS[question].query).fetchall()
    expected = EXPECTED[question]
    assert len(found) == len(expected), found
    for row, wanted in zip(found, expected, strict=True):
        assert [pytest.approx(one) if isinstance(one, float) else one for one in wanted] == list(row)
