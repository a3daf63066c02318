"""Pages as PDF, by the browser that is there: fonts embedded, links live, charts whole.

Belongs here: paper and printing. Does not belong here: what a page says (``page``, ``front_page``), which browser
(``studio.browser``).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tiktok_assets.reporting.choices import Paper
from tiktok_assets.settings import Settings
from tiktok_assets.studio.browser import open_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

_MARGIN = "12mm"
_MM_PER_INCH, _PIXELS_PER_INCH = 25.4, 96
_SIDES = 24  # mm, both margins together
_FOOTER = (
    '<div style="width: 100%; margin: 0 12mm; font: 8px sans-serif; color: #61616b; display: flex; '
    'justify-content: space-between"><span>{title}</span>'
    '<span><span class="pageNumber"></span> / <span class="totalPages"></span></span></div>'
)


class Printer:
    """An open browser that prints pages."""

    def __init__(self, browser: Browser, paper: Paper) -> None:
        self._browser, self._paper = browser, paper

    def pdf(self, html: str, *, title: str, landscape: bool = False) -> bytes:
        """The page ``html`` as PDF; ``title`` and the number of each page stand at its foot. Nothing is fetched."""
        # Charts are drawn for the width of the paper: drawn for a screen they would be cut.
        width = _width(self._paper, landscape=landscape)
        context = self._browser.new_context(viewport={"width": width, "height": 1000}, color_scheme="light")
        with contextlib.closing(context), TemporaryDirectory(prefix="tiktok-assets-") as folder:
            path = Path(folder) / "page.html"
            path.write_text(html, encoding="utf-8")
            context.route("**/*", lambda route: _only(route, path.as_uri()))
            page = context.new_page()
            page.emulate_media(media="print")
            page.goto(path.as_uri())
            _wait_for_charts(page)
            return page.pdf(
                format=self._paper.value,
                landscape=landscape,
                margin={"top": _MARGIN, "bottom": _MARGIN, "left": _MARGIN, "right": _MARGIN},
                print_background=True,
                display_header_footer=True,
                header_template="<span></span>",
                footer_template=_FOOTER.format(title=escape(title)),
                tagged=True,
                outline=True,
            )


def _width(paper: Paper, *, landscape: bool) -> int:
    """Of what is printed between the margins, in CSS pixels."""
    shorter, longer = (210.0, 297.0) if paper is Paper.A4 else (215.9, 279.4)  # mm
    return int(((longer if landscape else shorter) - _SIDES) / _MM_PER_INCH * _PIXELS_PER_INCH)


@contextlib.contextmanager
def open_printer(settings: Settings, paper: Paper = Paper.A4) -> Iterator[Printer]:
    """A printer, closed with the context. Raises BrowserUnusable, which names the remedies."""
    with open_browser(settings, headless=True) as browser:
        yield Printer(browser, paper)


def _only(route: Route, address: str) -> None:
    if route.request.url == address:
        route.continue_()
    else:
        route.abort()


def _wait_for_charts(page: Page) -> None:
    page.wait_for_function("!document.getElementById('specs') || document.documentElement.dataset.drawn")
