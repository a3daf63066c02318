"""Text that spreadsheet programs saved in other encodings: read where its dates prove it, never garbled."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from babel.dates import format_skeleton

from tiktok_assets.exports import archive
from tiktok_assets.exports.encodings import CODE_PAGES, is_proven
from tiktok_assets.exports.problems import BrokenFile
from tiktok_assets.reports.reading import open_export
from tiktok_assets_tests.export_files import parsed, write

HEADER = "Date;Video Views;Profile Views;Likes;Comments;Shares"
CONTENT = '"Time","Video title","Video link","Post time","Total likes","Total comments","Total shares","Total views"'
LINK = "https://www.tiktok.com/@mara.lind/video/7590910596061605945"
# A language of each code page, and a month whose name has letters outside ASCII.
LANGUAGES = [
    *(("fr", 8, "cp1252"), ("de", 3, "cp1252"), ("pl", 9, "cp1250"), ("ru", 4, "cp1251"), ("el", 4, "cp1253")),
    *(("tr", 8, "cp1254"), ("he", 4, "cp1255"), ("th", 4, "cp874"), ("ja", 9, "cp932"), ("ko", 9, "cp949")),
    *(("zh", 9, "gbk"), ("fr", 8, "mac_roman")),
]


def labels(language: str, month: int) -> list[str]:
    return [format_skeleton("MMMMd", dt.date(2025, month, day), locale=language) for day in (10, 11, 12)]


@pytest.mark.parametrize(("language", "month", "page"), LANGUAGES)
def test_a_code_page_is_proven_by_the_dates(tmp_path: Path, language: str, month: int, page: str) -> None:
    lines = [HEADER, *(f"{label};{views};2;3;4;5" for views, label in enumerate(labels(language, month)))]
    path = write(tmp_path / "Overview.csv", "\n".join(lines).encode(page), dt.datetime(2025, 12, 1, tzinfo=dt.UTC))
    days = [(dt.date(2025, month, day), views) for views, day in enumerate((10, 11, 12))]
    assert parsed(path)["overview"].select("date_label", "video_views").rows() == days
    with open_export(path) as export:
        (warning,) = [one for one in export.warnings if "saved again" in one]
    assert "its text encoded in" in warning and "as its dates prove" in warning


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_utf_16_is_read_with_a_warning(tmp_path: Path, encoding: str, bom: str) -> None:
    text = bom + "\r\n".join([HEADER.replace(";", "\t"), *(f"{one}\t1\t2\t3\t4\t5" for one in labels("el", 4))])
    path = write(tmp_path / "Overview.csv", text.encode(encoding), dt.datetime(2025, 4, 14, tzinfo=dt.UTC))
    assert parsed(path)["overview"]["video_views"].to_list() == [1, 1, 1]
    with open_export(path) as export:
        assert any("encoded in UTF-16; its columns separated by tabs" in one for one in export.warnings)


def content(title: str, label: str = "April 14") -> str:
    return f'{CONTENT}\n"{label}","{title}","{LINK}","April 1","1","2","3","4"'


def refusal(path: Path) -> str:
    with pytest.raises(BrokenFile) as raised, open_export(path) as export:
        export.validate()
    return str(raised.value)


@pytest.mark.parametrize("page", CODE_PAGES)
@pytest.mark.parametrize("is_large", [False, True])
def test_a_title_proves_no_encoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str, *, is_large: bool
) -> None:
    monkeypatch.setattr(archive, "IN_MEMORY_BYTES", 10 if is_large else 10**6)
    title = next(word for word in ("Café", "жук", "γάτα", "גל", "قطة", "แมว", "猫") if is_encodable(word, page))
    message = refusal(write(tmp_path / "Content.csv", content(title).encode(page)))
    assert "Content.csv: line 2 is not UTF-8 text" in message
    assert "Windows-1252" in message and "Export it again" in message


def is_encodable(text: str, page: str) -> bool:
    try:
        return bool(text.encode(page))
    except UnicodeEncodeError:
        return False


def test_content_with_titles_in_ascii_is_proven_by_its_dates(tmp_path: Path) -> None:
    path = write(tmp_path / "Content.csv", content("cat", "14 août").encode("cp1252"))
    assert parsed(path)["content"].select("title", "total_views").rows() == [("cat", 4)]


@pytest.mark.parametrize("page", ["cp1252", "cp1251", "cp1250", "mac_roman"])
@pytest.mark.parametrize("is_large", [False, True])
def test_utf_8_that_was_read_in_a_code_page_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str, *, is_large: bool
) -> None:
    monkeypatch.setattr(archive, "IN_MEMORY_BYTES", 10 if is_large else 10**6)
    garbled = ("\ufeff" + content("Café")).encode().decode(page).encode()
    assert "its letters are garbled" in refusal(write(tmp_path / "Content.csv", garbled))


@pytest.mark.parametrize(
    ("name", "cells", "is_certain"),
    [
        ("date", ["1 août", "2 août"], True),
        ("date", ["1 août", "2 septembre", "3 marzo"], False),
        ("date", ["1 aožt"], False),
        ("likes", ["1\u00a0234", "12"], True),
        ("likes", ["1€"], False),
        ("video title", ["cat", "Café"], False),
        ("märke", ["1"], False),
    ],
)
def test_only_dates_and_numbers_prove_a_code_page(name: str, cells: list[str], *, is_certain: bool) -> None:
    assert is_proven([("likes", ["1"]), (name, cells)]) is is_certain
