"""The figures of the page are those of the newest run of each attack."""

from __future__ import annotations

import datetime as dt

from tiktok_assets_tests.chaos.figures import BEGIN, END, Tried, with_figures

DAY, LATER = dt.date(2026, 1, 1), dt.date(2026, 1, 2)


def test_an_attack_that_was_made_again_replaces_its_row_and_no_other() -> None:
    page = with_figures(f"before\n{BEGIN}\n{END}\nafter", [Tried("kill", 1200, "all"), Tried("flip", 3, "most")], DAY)
    again = with_figures(page, [Tried("flip", 40, "all")], LATER)
    assert again.splitlines() == [
        *("before", BEGIN, ""),
        "| attack | how often | what held | on |",
        "|---|---|---|---|",
        "| flip | 40 | all | 2026-01-02 |",
        "| kill | 1,200 | all | 2026-01-01 |",
        *("", END, "after"),
    ]
