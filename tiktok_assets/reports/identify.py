"""Which report and variant a header belongs to, and which of its columns are unknown.

Columns decide, not names: people rename files. Tables of other products are refused, naming the product.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tiktok_assets.exports.problems import ForeignFile, TranslatedHeader
from tiktok_assets.exports.text_rows import normal
from tiktok_assets.exports.translations import DATE_WORDS, ENGLISH
from tiktok_assets.reports import REPORTS
from tiktok_assets.reports.report import Report

# One of these columns, in any letter case, identifies another product.
FOREIGN = {
    "a TikTok Ads Manager report": {
        *("cost", "campaign name", "ad name", "ad group name", "impressions", "cpc", "cpm", "ctr", "conversions"),
        *("campaign id", "ad id", "ad group id", "spend", "total cost", "clicks (all)", "clicks (destination)"),
        *("ctr (all)", "ctr (destination)", "cpc (all)", "cpc (destination)", "cost per conversion", "cost per result"),
        *("2-second video views", "6-second video views", "video views at 100%", "by day"),
    },
    "an Instagram export": {
        *("instagram reach", "instagram profile visits", "instagram link clicks", "accounts reached"),
        *("accounts engaged", "profile visits", "account username"),
    },
    "a Meta Business Suite export": {
        *("primary", "page id", "page name", "post id", "permalink", "facebook visits", "facebook reach"),
        *("content interactions", "page reach", "page likes"),
    },
    "a YouTube Studio export": {
        *("video publish time", "watch time (hours)", "estimated revenue (usd)", "subscribers"),
        *("impressions click-through rate (%)", "average view duration", "average percentage viewed (%)"),
    },
    "a table that was cleaned or processed": {
        *("engagement_rate", "artist", "zone", "year", "platform", "account"),
        *("video_views", "profile_views", "total_viewers", "total_views", "video_link"),
    },
}
# So do these words above a table, or in lines outside a table.
_FOREIGN_WORDS = {
    "an Instagram export": ("instagram",),
    "a Meta Business Suite export": ("facebook", "meta business", "meta insights"),
    "a YouTube Studio export": ("youtube",),
    "a TikTok Ads Manager report": ("ads manager", "campaign"),
    "a part of TikTok's 'Download your data'": ("username: ", "video watching history", "follower list", "like list"),
}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a file's header compares with the known ones. ``unknown`` columns stay text, ``missing`` ones become null."""

    report: Report
    variant: str
    unknown: tuple[str, ...]
    missing: tuple[str, ...]
    unused: tuple[str, ...] = ()
    """Known columns that replace another one, which this file has too: they stay text."""
    label_column: str | None
    """The column that names each row's day, as this file spells it, if it has one."""

    known: int = field(default=0, compare=False)
    """How many of its columns are the report's."""

    @property
    def product(self) -> str:
        return "business_suite" if self.variant.startswith("business_suite") else "studio"


def identify(
    file: str,
    header: Sequence[str],
    head: Sequence[Sequence[str]] = (),
    above: Sequence[Sequence[str]] = (),
    *,
    is_named_by_studio: bool = False,
) -> Layout:
    """The layout of a table with this ``header``.

    ``head``: the first rows of a table without a known header. ``above``: the rows above a known header. Raises
    TranslatedHeader where the columns are probably TikTok's in another language, otherwise ForeignFile, naming the
    product if possible.
    """
    if product := _product_of_columns([header, *head]) or _product_of_words([*head[1:], *above]):
        raise ForeignFile(
            f"{file}: is {product}, not a TikTok Studio export (its columns: {_shown(header)}). "
            "Export from TikTok Studio > Analytics > Download data."
        )
    found = _reports(header)
    if len(found) == 1:
        return _layout(found[0], header)
    if turned := _reports([row[0] for row in (header, *head[1:]) if row]):
        raise ForeignFile(
            f"{file}: is {turned[0].title} with its days beside each other ({_shown(header)[:80]}). Turn it, so that "
            "it has a row for each day (in a spreadsheet: paste, transpose), or export it again."
        )
    translated = _translated([header, *head[1:]], is_named_by_studio=is_named_by_studio)
    if translated is not None:
        raise TranslatedHeader(
            f"{file}: its columns are in another language, and not all of them are known: {_shown(translated)}. Switch "
            "TikTok Studio to English and export again, or write the English names of the columns into the file."
        )
    if is_named_by_studio:
        raise TranslatedHeader(
            f"{file}: its name is TikTok Studio's, but no known report has these columns: {_shown(header)}. If they "
            "are in another language, switch TikTok Studio to English and export again."
        )
    raise ForeignFile(
        f"{file}: no known report has these columns: {_shown(header)}. "
        "Known reports are Overview, Viewers, Followers and Content of TikTok Studio, "
        "and Business Suite's overview, audience and video files."
    )


def _translated(rows: Sequence[Sequence[str]], *, is_named_by_studio: bool) -> Sequence[str] | None:
    """The first row that is probably TikTok's header in another language.

    It begins with the word for Date, or has TikTok's words beside others, or letters that English lacks in a file that
    Studio named. A header has no digit, which sets it apart from rows.
    """
    for row in rows:
        names = [name.strip().casefold() for name in row if name.strip()]
        if len(names) < _FEW_COLUMNS or any(map(str.isdigit, "".join(names))):
            continue
        if names[0] in DATE_WORDS or sum(name in ENGLISH for name in names) >= _FEW_COLUMNS:
            return row
        if is_named_by_studio and not "".join(names).isascii():
            return row
    return None


def _shown(header: Sequence[str]) -> str:
    return ", ".join(header)[:300] or "(none)"


def is_header(row: Sequence[str]) -> bool:
    """Whether the row is the header of a report."""
    return len(_reports(row)) == 1


def _reports(header: Sequence[str]) -> list[Report]:
    names = {normal(name) for name in header}
    return [report for report in REPORTS if all(names.intersection(either) for either in report.signature)]


def _product_of_columns(rows: Sequence[Sequence[str]]) -> str | None:
    """The other product whose columns are in the first rows of a file."""
    cells = {cell.strip().casefold() for row in rows for cell in row}
    return next((product for product, columns in FOREIGN.items() if cells & columns), None)


def _product_of_words(rows: Sequence[Sequence[str]]) -> str | None:
    """The other product named in lines of text, unless they name TikTok."""
    lines = [" ".join(row).casefold() for row in rows]
    lines = [line for line in lines if "tiktok" not in line]
    named = (
        product for product, words in _FOREIGN_WORDS.items() for word in words if any(word in line for line in lines)
    )
    return next(named, None)


def refuse_foreign_table(file: str, layout: Layout, *, is_named_by_studio: bool, is_yearless: bool) -> None:
    """Raises ForeignFile for a table that has a report's columns but is not proven to be TikTok's.

    A table with additional unknown columns, or with few of the report's, may as well come from another program. It is
    TikTok's if the name is Studio's, if dates have no year, which only TikTok writes, if video links are TikTok's, or
    if it has every column of Business Suite's.
    """
    report = layout.report
    if is_named_by_studio or is_yearless or report.name == "content" or report.is_optional:
        return
    if layout.product == "business_suite" and not layout.missing:
        return
    few = layout.known <= _FEW_COLUMNS and report.label is not None
    if not layout.unknown and not (few and layout.missing):
        return
    reason = (
        f"has columns that no export of TikTok has ({', '.join(layout.unknown)[:200]})"
        if layout.unknown
        else f"lacks {', '.join(layout.missing)}"
    )
    raise ForeignFile(
        f"{file}: looks like {report.title}, but {reason}, and neither its name nor its dates are TikTok's: it is "
        f"treated as a table of another program. If TikTok made it, give it TikTok's name, {report.member}."
    )


_FEW_COLUMNS = 2


def _layout(report: Report, header: Sequence[str]) -> Layout:
    """The variant nearest to ``header``, and where the header differs from it."""

    def distance(variant: str) -> int:
        return len({normal(name) for name in report.headers[variant]} ^ present.keys())

    present = {normal(name): name for name in header}
    nearest = min(report.headers, key=distance)
    expected = {normal(name): name for name in report.headers[nearest]}
    known = {normal(name) for names in report.headers.values() for name in names}
    return Layout(
        report=report,
        variant=nearest,
        unknown=tuple(name for name in header if normal(name) not in known),
        unused=_unused(report, present),
        missing=tuple(name for key, name in expected.items() if key not in present),
        label_column=present.get(normal(report.label)) if report.label else None,
        known=len(known & present.keys()),
    )


def _unused(report: Report, present: Mapping[str, str]) -> tuple[str, ...]:
    """The columns that are not used because the file also has the value's own column."""
    used, listed = set[str](), set[str]()
    for either in report.alternatives:
        listed.update(either)
        used.update([name for name in either if name in present and name not in used][:1])
    return tuple(written for name, written in present.items() if name in listed - used)
