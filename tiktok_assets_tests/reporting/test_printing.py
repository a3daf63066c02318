"""Pages as PDF, printed by a real Chromium: whole, with their fonts and links, on the paper that was asked for."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator

import pypdf
import pytest
from playwright.sync_api import Browser
from pypdf.generic import DictionaryObject

from tiktok_assets.reporting.choices import Paper
from tiktok_assets.reporting.front_page import front_page
from tiktok_assets.reporting.page import page
from tiktok_assets.reporting.printing import Printer
from tiktok_assets.reporting.roster_line import roster_line
from tiktok_assets.reporting.statements.month import month_numbers
from tiktok_assets.reporting.statements.page import statement_page
from tiktok_assets.reporting.statements.statement import AccountMonth, Statement
from tiktok_assets.settings import Settings
from tiktok_assets.studio.browser import open_browser
from tiktok_assets_tests.reporting.simulated_tables import LAST, simulated, tables

pytestmark = pytest.mark.e2e

MADE = dt.datetime(2025, 12, 1, 9, 30, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser(Settings(), headless=True) as browser:
        yield browser


@pytest.fixture
def printer(browser: Browser) -> Printer:
    return Printer(browser, Paper.A4)


def read(pdf: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(pdf))


def text_of(pdf: pypdf.PdfReader) -> str:
    return " ".join(" ".join(one.extract_text() for one in pdf.pages).split())


def links_of(pdf: pypdf.PdfReader) -> set[str]:
    notes = (note.get_object() for one in pdf.pages for note in one.get("/Annots", ()))
    return {str(note["/A"]["/URI"]) for note in notes if "/A" in note and "/URI" in note["/A"]}


def fonts_of(pdf: pypdf.PdfReader) -> list[DictionaryObject]:
    """The descriptor of each font on its pages."""
    found = []
    for one in pdf.pages:
        resources = one["/Resources"]
        assert isinstance(resources, DictionaryObject)
        for font in resources.get("/Font", {}).values():
            of_font = font.get_object()
            inner = of_font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in of_font else of_font
            if of_font["/Subtype"] != "/Type3":  # whose glyphs are drawings in the file
                found.append(inner["/FontDescriptor"])
    return found


def size_of(pdf: pypdf.PdfReader) -> tuple[float, float]:
    """Width and height of its pages, which are all alike, in mm."""
    ((width, height),) = {(float(one.mediabox.width), float(one.mediabox.height)) for one in pdf.pages}
    return width / 72 * 25.4, height / 72 * 25.4


def test_an_accounts_page_prints_whole(printer: Printer) -> None:
    known = tables(simulated())
    pdf = read(printer.pdf(page([known], MADE), title="@pig1987"))
    text = text_of(pdf)
    assert f"{sum(day.video_views for day in simulated().days[-28:]):,}" in text
    assert "Jan 2025" in text and "Nov 2025" in text  # the axis of a chart, from end to end
    assert f"1 / {len(pdf.pages)}" in text
    assert size_of(pdf) == pytest.approx((210, 297), abs=1)
    assert fonts_of(pdf)
    assert [font for font in fonts_of(pdf) if not set(font) & {"/FontFile", "/FontFile2", "/FontFile3"}] == []
    assert links_of(pdf)
    assert links_of(pdf) <= set(known.videos["link"].drop_nulls())


def test_a_statement_is_one_page(printer: Printer) -> None:
    month = dt.date(2025, 10, 1)
    numbers = month_numbers(tables(simulated(), is_settled=True), month)
    accounts = [AccountMonth(account="pig1987", handle="pig1987", numbers=numbers)]
    statement = Statement(number=1, accounts=accounts, month=month, issued_at=MADE)
    pdf = read(printer.pdf(statement_page(statement, None, []), title="Statement pig1987-2025-10-1"))
    assert len(pdf.pages) == 1
    assert "@pig1987, October 2025 Statement pig1987-2025-10-1, issued on 1 December 2025." in text_of(pdf)


def test_the_front_page_lies_across_the_paper(browser: Browser) -> None:
    printer = Printer(browser, Paper.LETTER)
    pdf = read(printer.pdf(front_page([roster_line(tables(simulated()), LAST)], MADE), title="Roster", landscape=True))
    assert size_of(pdf) == pytest.approx((279.4, 215.9), abs=1)
    assert "@pig1987" in text_of(pdf)
