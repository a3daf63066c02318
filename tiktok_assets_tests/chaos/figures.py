"""What the chaos tests tried and what held: a line of pytest's summary, and the table of ``docs/reliability.md``.

A test notes it by the fixture ``tried``. Where CHAOS_PAGE names the page and all tests passed, its table gets the rows
of the attacks that were made; those of the others stay.
"""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, cast

import pytest

PROPERTY = "chaos"
BEGIN, END = "<!-- figures: written by `make chaos` -->", "<!-- end of the figures -->"
_HEADER = ("| attack | how often | what held | on |", "|---|---|---|---|")


class Tried(NamedTuple):
    """One attack: how often it was made, and what held every time."""

    attack: str
    times: int
    held: str


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    """Print what was tried; also under ``-n``, where each note comes with the report of its test."""
    notes = noted(cast("list[pytest.TestReport]", terminalreporter.getreports("passed")))
    if not notes:
        return
    terminalreporter.section("chaos: tried, and held")
    for note in notes:
        terminalreporter.write_line(f"{note.attack}: {note.times:,} times; {note.held}")
    if (page := os.environ.get("CHAOS_PAGE")) and exitstatus == 0:
        path = Path(page)
        path.write_text(with_figures(path.read_text(), notes, dt.datetime.now(dt.UTC).date()))


def noted(reports: Iterable[pytest.TestReport]) -> list[Tried]:
    """What the reports of tests say was tried, by its name; what several tests tried is added."""
    times: Counter[tuple[str, str]] = Counter()
    for report in reports:
        for name, value in report.user_properties:
            if name == PROPERTY:
                attack, number, held = cast("tuple[str, int, str]", value)
                times[attack, held] += number
    return [Tried(attack, number, held) for (attack, held), number in sorted(times.items())]


def with_figures(page: str, notes: Iterable[Tried], day: dt.date) -> str:
    """The page with a row for each note, in place of its former row."""
    before, _, rest = page.partition(BEGIN)
    former, _, after = rest.partition(END)
    rows = {line.split("|")[1].strip(): line for line in former.splitlines() if line.startswith("|")}
    rows = {attack: row for attack, row in rows.items() if row not in _HEADER}
    rows |= {note.attack: f"| {note.attack} | {note.times:,} | {note.held} | {day} |" for note in notes}
    table = "\n".join((*_HEADER, *(rows[attack] for attack in sorted(rows))))
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"
