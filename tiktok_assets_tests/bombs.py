"""Small files that ask a reader for gigabytes or minutes, each by the way it does so."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable

from tiktok_assets.exports.insights import FORMAT
from tiktok_assets_tests.export_files import deflated

HEADER = ("Date", "Video Views", "Profile Views", "Likes", "Comments", "Shares")


def book(sheet: str) -> dict[str, bytes]:
    """The parts of a workbook with one sheet."""
    xml = '<?xml version="1.0"?>'
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    package = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'{xml}<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/></Types>',
        "_rels/.rels": f'{xml}<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{xml}<workbook {main} xmlns:r="{office}"><sheets>'
        '<sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{xml}<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f"{xml}<worksheet {main}>{sheet}</worksheet>",
    }
    return {name: text.encode() for name, text in parts.items()}


def cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def with_last_cell(place: str, dimension: str = "") -> bytes:
    """A workbook with our header, and one more value at ``place``."""
    row = place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    header = "".join(cell(f"{letter}1", name) for letter, name in zip("ABCDEF", HEADER, strict=True))
    rows = f'<row r="1">{header}</row><row r="{row}">{cell(place, "1")}</row>'
    return deflated(book(f"{dimension}<sheetData>{rows}</sheetData>"))


def liar(unpacked: int, stated: int) -> bytes:
    """A workbook whose sheet unpacks to more than its entry states."""
    content = bytearray(deflated(book("<sheetData>" + " " * unpacked + "</sheetData>")))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = struct.pack("<I", archive.getinfo("xl/worksheets/sheet1.xml").file_size)
    while (at := content.find(size)) >= 0:
        content[at : at + 4] = struct.pack("<I", stated)
    return bytes(content)


def visit(body: str, **asked: object) -> bytes:
    """An insights file with one response."""
    about = {"format": FORMAT, "version": 1, "handle": "pig1987", "user_id": "1", "missing": []}
    response = {"endpoint": "/x/", "at": "2025-06-20T10:00:00+00:00", **asked}
    return (
        f'{json.dumps(about | {"captured_at": "2025-06-20T10:00:00+00:00"})[:-1]}, "responses": ['
        f'{json.dumps(response)[:-1]}, "body": {body}}}]}}'
    ).encode()


def long_csv(rows: int) -> bytes:
    return (",".join(HEADER) + "\n2025-06-01,1,1,1,1,1" * rows).encode()


# Kind -> (name, content, words of the message, any of which is right).
BOMBS: dict[str, tuple[str, Callable[[], bytes], tuple[str, ...]]] = {
    "a value in the last cell": ("Overview.xlsx", lambda: with_last_cell("XFD1048576"), ("16,384 columns",)),
    "a value in the last column": ("Overview.xlsx", lambda: with_last_cell("XFD2"), ("16,384 columns",)),
    "a value in the last row": ("Overview.xlsx", lambda: with_last_cell("F1048576"), ("MB of memory", "rows")),
    "a value in the last row, in a ZIP": (
        "Overview_x.zip",
        lambda: deflated({"Overview.xlsx": with_last_cell("F1048576")}),
        ("MB of memory", "rows"),
    ),
    "a sheet that states less": ("Overview.xlsx", lambda: liar(300_000_000, 1_000), ("its size is a lie",)),
    "a sheet that states a little": ("Overview.xlsx", lambda: liar(400_000_000, 9_000_000), ("damaged", "XLSX", "MB")),
    "many large members": (
        "Overview_x.zip",
        lambda: deflated({f"{number}.csv": b"1" * 9_000_000 for number in range(40)}),
        ("all of it would unpack to 360,000,000 bytes",),
    ),
    "many columns": (
        "Overview.csv",
        lambda: b"Date," * 60_000 + b"\n",
        ("cut off or wrongly quoted", "60,001 columns"),
    ),
    "many columns below": ("Overview.csv", lambda: b"Date,Video Views\n" + b"1," * 60_000, ("60,001 columns",)),
    "many rows": ("Overview.csv", lambda: long_csv(400_000), ("400,000 rows", "seconds")),
    "deep JSON": ("insights.json", lambda: visit("[" * 100_000 + "]" * 100_000), ("nested too deeply",)),
    "JSON that repeats what was asked": (
        "insights.json",
        lambda: visit(json.dumps([1] * 90_000), cursor="x" * 90_000),
        ("MB of memory",),
    ),
    "JSON of many values": ("insights.json", lambda: visit("[" + "1," * 2_100_000 + "1]"), ("values", "MB", "seconds")),
}
