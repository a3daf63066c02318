"""From bytes to text: UTF-8 as TikTok writes it, and what spreadsheet programs make of it.

Belongs here: which encoding a file is in, and what proves it. Does not belong here: rows and columns (``tables``).

Excel's "Unicode Text" is UTF-16. Its plain "CSV" is in a code page of the system's language, which nothing in the file
names: the letters of a date prove it, since a month has only one spelling; a title proves nothing.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable

from tiktok_assets.exports.dates import UnreadableDay, read_day_texts
from tiktok_assets.exports.problems import BrokenFile

CODE_PAGES = {
    "cp1252": "Windows-1252",
    "cp1250": "Windows-1250",
    "cp1251": "Windows-1251",
    "cp1253": "Windows-1253",
    "cp1254": "Windows-1254",
    "cp1255": "Windows-1255",
    "cp1256": "Windows-1256",
    "cp1258": "Windows-1258",
    "cp874": "Windows-874",
    "cp932": "Shift JIS",
    "cp949": "Korean Windows-949",
    "gbk": "GBK",
    "cp950": "Big5",
    "mac_roman": "Mac Roman",
}
"""The encodings of "CSV" without UTF-8, western Europe's first, with the names that people know."""

# The BOM of UTF-8 read in a code page and saved again.
_GARBLED = tuple(
    garbled
    for page in CODE_PAGES
    if len(garbled := codecs.BOM_UTF8.decode(page, errors="ignore")) == len(codecs.BOM_UTF8)
)
_DATES = ("date", "time", "post time")
_NUMBER = re.compile(r"[\d\s.,'’٬٫+−-]*")


def encoding_of(head: bytes) -> str:
    """The UTF encoding by the first bytes: UTF-16 with a BOM or a NUL in every second byte, else UTF-8."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    start = head[:64]
    if len(start) > 3 and not any(start[1::2]):
        return "utf-16-le"
    return "utf-16-be" if len(start) > 3 and not any(start[::2]) else "utf-8-sig"


def is_proven(columns: Iterable[tuple[str, list[str]]]) -> bool:
    """Whether a table decoded with a guessed code page can only be in this one: by column, its English name and cells.

    Each cell outside ASCII is a date in a language, all of them in one, or a number with its separators.
    """
    for name, cells in columns:
        if not name.isascii():
            return False
        strange = [cell for cell in cells if not cell.isascii() and not _NUMBER.fullmatch(cell)]
        if not strange:
            continue
        if name not in _DATES:
            return False
        try:
            read_day_texts(cells)
        except UnreadableDay:
            return False
    return True


def unproven(name: str, line: int, reason: str) -> BrokenFile:
    """For a file whose letters outside ASCII could be anything."""
    return BrokenFile(
        f"{name}: line {line} is not UTF-8 text ({reason}). A spreadsheet program saved the file in an older "
        "encoding, as Windows-1252, and nothing in it proves which letters it had. Export it again and do not open "
        "it before; if that is not possible, save the original as 'CSV UTF-8'."
    )


def refuse_garbled(name: str, text: str) -> None:
    """Raise BrokenFile for UTF-8 text that a program read in another encoding and saved: its BOM became letters."""
    if text.startswith(_GARBLED):
        raise BrokenFile(
            f"{name}: begins with {text[:3]!r}: a program read its UTF-8 text in another encoding and saved it again, "
            "so that its letters are garbled. Export it again and do not open it before."
        )
