"""Titles, handles and file names are a stranger's: no outlet obeys them."""

from __future__ import annotations

import csv
import io
import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

from tiktok_assets.cli import output
from tiktok_assets.cli.history import TableFormat, _encoded
from tiktok_assets.cli.output import _Terminal, print_json
from tiktok_assets.exports.safe_text import printable

ESC, BELL, C1, RIGHT_TO_LEFT, SURROGATE = "\x1b", "\x07", "\x9b", "\u202e", "\ud800"
NASTY = f"{ESC}[2J{ESC}]0;title{BELL}{C1}31m{RIGHT_TO_LEFT}{SURROGATE}\r\b[red]=1+1"
OBEYED = (ESC, BELL, C1, RIGHT_TO_LEFT, SURROGATE, "\r", "\b")


def shown(what: object) -> str:
    file = io.StringIO()
    _Terminal(file=file, width=200).print(what, markup=False)
    return file.getvalue()


def in_a_table() -> Table:
    table = Table("title")
    table.add_row(NASTY)
    return table


@pytest.mark.parametrize("what", [NASTY, Text(NASTY), in_a_table()], ids=["text", "rich text", "table"])
def test_a_terminal_shows_what_it_would_obey(what: object) -> None:
    assert [sign for sign in OBEYED if sign in shown(what)] == []
    assert "=1+1" in shown(what)


def test_every_command_prints_through_such_a_terminal() -> None:
    assert isinstance(output.out, _Terminal) and isinstance(output.err, _Terminal)


def test_colours_of_ours_stay() -> None:
    file = io.StringIO()
    _Terminal(file=file, force_terminal=True, color_system="standard").print("kept", style="red")
    assert f"{ESC}[31mkept" in file.getvalue()


@given(st.text())
def test_text_without_control_signs_is_shown_as_it_is(text: str) -> None:
    once = printable(text)
    assert len(once) == len(text)
    assert printable(once) == once
    assert not any(ord(sign) < 32 and sign not in "\n\t" for sign in once)


def test_json_escapes_what_a_terminal_would_obey(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"title": NASTY})
    text = capsys.readouterr().out
    assert [sign for sign in OBEYED if sign in text] == []
    assert json.loads(text) == {"title": NASTY}


FORMULAS = ["=HYPERLINK(1)", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1"]


def cells(*, is_exact: bool) -> list[list[str]]:
    rows = pl.DataFrame({"title": [*FORMULAS, "plain", None], "views": [-1, 2, 3, 4, 5, 6, 7, 8]})
    content = _encoded(rows, TableFormat.CSV, is_exact=is_exact).decode()
    return [*csv.reader(io.StringIO(content, newline=""))][1:]


def test_no_text_in_csv_is_a_formula() -> None:
    assert [title for title, _ in cells(is_exact=False)] == [*(f"'{text}" for text in FORMULAS), "plain", ""]
    assert cells(is_exact=False)[0][1] == "-1"


def test_exact_csv_leaves_text_as_it_is() -> None:
    assert [title for title, _ in cells(is_exact=True)] == [*FORMULAS, "plain", ""]
