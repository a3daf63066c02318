"""Lists of videos that are too large for memory: read in every form in which small ones are read."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_assets.exports import archive
from tiktok_assets.exports.problems import BrokenFile, ExportProblem, ForeignFile, UnreadableValue
from tiktok_assets.reports.reading import open_export
from tiktok_assets_tests.budget import examples
from tiktok_assets_tests.export_files import deflated, parsed, quoted, write

CONTENT = (
    *("Time", "Video title", "Video link", "Post time"),
    *("Total likes", "Total comments", "Total shares", "Total views"),
)
AT = dt.datetime(2026, 4, 14, 10, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "IN_MEMORY_BYTES", 10)


def video(number: int, title: str, views: int = 7, time: str = "April 14") -> tuple[str, ...]:
    link = f"https://www.tiktok.com/@mara.lind/video/{7_590_910_596_061_605_945 + number}"
    return (time, title, link, "April 1", "3", "2", "1", str(views))


def written(separator: str, rows: list[tuple[str, ...]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=separator, lineterminator="\n").writerows(rows)
    return buffer.getvalue()


def titles(path: Path) -> list[tuple[str, int]]:
    with open_export(path) as export:
        assert all(isinstance(member.table.rows, pl.LazyFrame) for member in export.members)
    return parsed(path)["content"].select("title", "total_views").rows()


def warnings(path: Path) -> tuple[str, ...]:
    with open_export(path) as export:
        return export.warnings


def refusal(path: Path, kind: type[ExportProblem]) -> str:
    with pytest.raises(kind) as raised, open_export(path) as export:
        export.validate()
    return str(raised.value)


@examples(60)
@given(
    texts=st.lists(st.text('abé🎉",;\t|', max_size=9).map(str.strip), min_size=1, max_size=5),
    separator=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    above=st.integers(0, 2),
    is_stated=st.booleans(),
    is_zipped=st.booleans(),
)
def test_large_lists_are_read_as_small_ones(
    texts: list[str], separator: str, encoding: str, above: int, *, is_stated: bool, is_zipped: bool
) -> None:
    table = written(separator, [CONTENT, *(video(number, text) for number, text in enumerate(texts))])
    text = (f"sep={separator}\n" if is_stated else "") + "My channel\n" * above + table
    with TemporaryDirectory() as folder:
        content = text.encode(encoding)
        content = deflated({"Content.csv": content}) if is_zipped else content
        path = write(Path(folder, "Content_mara.zip" if is_zipped else "Content.csv"), content, AT)
        assert titles(path) == [(text, 7) for text in texts]
        found = " ".join(warnings(path))
    assert ("saved again" in found) == bool(separator != "," or encoding == "utf-16" or above)
    assert ("encoded in UTF-16" in found) == (encoding == "utf-16")
    assert ("above its header not read: My channel" in found) == bool(above)


@examples(60)
@given(st.lists(st.text('ab", 1', max_size=12), min_size=1, max_size=5))
def test_titles_with_quotes_that_are_not_doubled_are_read_as_in_small_lists(texts: list[str]) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = write(Path(folder, "Content.csv"), quoted(CONTENT, *(video(n, text) for n, text in enumerate(texts))))
        found = titles(path)
        patch.setattr(archive, "IN_MEMORY_BYTES", 10**6)
        assert parsed(path)["content"].select("title", "total_views").rows() == found


def test_a_large_table_of_another_product_is_refused_as_a_small_one(tmp_path: Path) -> None:
    path = write(tmp_path / "report.csv", "Campaign name;Cost\nx;1\n")
    assert "TikTok Ads" in refusal(path, ForeignFile)


def test_a_large_list_that_is_cut_off_is_broken(tmp_path: Path) -> None:
    text = written(";", [CONTENT, video(1, "a"), video(2, "b")])
    assert "row 2 has 7 fields" in refusal(write(tmp_path / "Content.csv", text.rsplit(";", 1)[0]), BrokenFile)


def repeated(rows: list[tuple[str, ...]]) -> Iterator[str]:
    with TemporaryDirectory() as folder:
        path = write(Path(folder, "Content.csv"), written(",", [CONTENT, *rows]), AT)
        yield from (warning for warning in warnings(path) if "more than once" in warning)
        last = {row[2]: int(row[-1]) for row in rows}
        with open_export(path) as export:
            assert len(export.members) == 1
        frame = parsed(path)["content"]
        assert dict(frame.select("link", "total_views").rows()) == last


@pytest.mark.parametrize("size", [10, 10**6])
def test_every_video_that_is_listed_twice_is_reported_with_its_rows(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(archive, "IN_MEMORY_BYTES", size)
    rows = [video(1, "a"), video(2, "b"), video(1, "a"), video(3, "c"), video(2, "b", views=9)]
    assert list(repeated(rows)) == [
        "Content names a video more than once (rows 1, 3 with equal values; rows 2, 5 with different values); "
        "the last row of a video is used"
    ]
    assert list(repeated(rows[:2])) == []
    many = [video(number, "a") for number in range(9)] * 2
    (warning,) = repeated(many)
    assert "rows 5, 14 with equal values; and 4 more)" in warning


@pytest.mark.parametrize("size", [10, 10**6])
def test_a_video_is_the_same_however_its_link_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(archive, "IN_MEMORY_BYTES", size)
    one, (*_, link, a, b, c, d, e) = video(1, "a"), video(1, "a")
    other = ("April 14", "a", f"{link}?lang=de", a, b, c, d, e)
    path = write(tmp_path / "Content.csv", written(",", [CONTENT, one, other]), AT)
    assert any("rows 1, 2" in warning for warning in warnings(path))


@pytest.mark.parametrize("size", [10, 10**6])
def test_lists_of_two_days_are_not_one_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(archive, "IN_MEMORY_BYTES", size)
    rows = [video(1, "a"), video(2, "b"), video(1, "a", views=9, time="April 20")]
    message = refusal(write(tmp_path / "Content.csv", written(",", [CONTENT, *rows])), UnreadableValue)
    assert "Content.csv, row 3, Time: 'April 20', but row 1 has 'April 14'" in message and "split the file" in message
