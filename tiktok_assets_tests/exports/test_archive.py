"""The members of a file: ZIP, loose CSV, loose XLSX; and what is refused before it is opened."""

from __future__ import annotations

import hashlib
import io
import os
import random
import zipfile
from pathlib import Path

import pytest

from tiktok_assets.exports import archive
from tiktok_assets.exports.archive import export_id, open_members
from tiktok_assets.exports.problems import BrokenFile, ExportProblem, UnreadableFile, UnsafeArchive
from tiktok_assets_tests.export_files import DOWNLOADED, workbook, write, zipped


def refusal(path: Path, problem: type[ExportProblem]) -> str:
    with pytest.raises(problem) as raised, open_members(path):
        pass
    assert path.name in str(raised.value)
    return str(raised.value)


def test_the_members_of_a_zip_come_with_the_time_of_their_download(tmp_path: Path) -> None:
    path = write(
        tmp_path / "Followers_x.zip", zipped({"FollowerGender.csv": "Gender", "sub/FollowerHistory.csv": "Date"})
    )
    with open_members(path) as members:
        assert [(member.name, member.content, member.stamp) for member in members] == [
            ("FollowerGender.csv", b"Gender", DOWNLOADED),
            ("FollowerHistory.csv", b"Date", DOWNLOADED),
        ]


def test_a_zip_that_says_1980_has_no_stamp(tmp_path: Path) -> None:
    path = write(tmp_path / "Viewers_x.zip", zipped({"Viewers.xlsx": workbook(("Date",))}, stamp=None))
    with open_members(path) as members:
        assert members[0].is_xlsx and members[0].stamp is None


def test_a_stamp_that_is_not_a_valid_time_is_ignored() -> None:
    assert archive._stamp(zipfile.ZipInfo("x", (2026, 2, 31, 0, 0, 0))) is None


def test_loose_files_are_their_own_member(tmp_path: Path) -> None:
    for name, content in {"Overview.csv": b"Date", "Viewers.xlsx": workbook(("Date",))}.items():
        with open_members(write(tmp_path / name, content)) as members:
            assert [(member.name, member.content) for member in members] == [(name, content)]


def test_files_that_operating_systems_add_to_archives_are_skipped(tmp_path: Path) -> None:
    members = {
        "__MACOSX/._Overview.csv": "x",
        ".DS_Store": "x",
        "._Overview.csv": "x",
        "Overview.csv": "Date",
        "a/": "",
    }
    with open_members(write(tmp_path / "x.zip", zipped(members))) as found:
        assert [member.name for member in found] == ["Overview.csv"]


def test_a_large_member_is_read_from_disk_and_gone_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "IN_MEMORY_BYTES", 10)
    with open_members(write(tmp_path / "x.zip", zipped({"Content.csv": "Video link,Video views\n"}))) as members:
        content = members[0].content
        assert isinstance(content, Path) and content.read_text() == "Video link,Video views\n"
        assert members[0].head == content.read_bytes()
    assert not content.exists()


def test_the_identity_of_an_export_is_its_bytes_whatever_its_name(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a.csv", "Date"), write(tmp_path / "b (1).csv", "Date")
    assert export_id(first) == export_id(second) == hashlib.sha256(b"Date").hexdigest()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"\n\r\n \x00", "contains no text"),
        (b"\xef\xbb\xbf<!DOCTYPE html><html>", "is a web page"),
        (b"  <html>", "is a web page"),
        (b"PK\x03\x04 cut off", "damaged or incomplete ZIP"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "an old Excel (.xls), or one with a password"),
        (zipped({}), "is an empty ZIP"),
        (zipped({"Overview.csv": ""}), "without even a header"),
        (zipped({"Content_x.zip": zipped({"Content.csv": "x"})}), "is a ZIP of ZIPs"),
    ],
)
def test_a_broken_file_says_what_is_wrong(tmp_path: Path, content: bytes, why: str) -> None:
    assert why in refusal(write(tmp_path / "Overview_x.zip", content), BrokenFile)


def test_a_damaged_member_is_named(tmp_path: Path) -> None:
    content = zipped({"Overview.csv": "Date,Video Views"}).replace(b"Date,Video", b"Dose,Video", 1)
    assert "'Overview.csv' is damaged" in refusal(write(tmp_path / "x.zip", content), BrokenFile)


def test_a_member_that_cannot_be_unpacked_is_named(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("Overview.csv", "Date,Video Views\n" * 50)
    content = bytearray(buffer.getvalue())
    content[42:60] = bytes([0xFF] * 18)
    assert "cannot be unpacked" in refusal(write(tmp_path / "x.zip", bytes(content)), BrokenFile)


@pytest.mark.parametrize("name", ["../Overview.csv", "a/../../Overview.csv", "/etc/Overview.csv", "C:\\Overview.csv"])
def test_a_member_outside_the_archive_is_refused(tmp_path: Path, name: str) -> None:
    assert "outside the archive" in refusal(write(tmp_path / "x.zip", zipped({name: "Date"})), UnsafeArchive)


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    content = bytearray(zipped({"Overview.csv": "Date"}))
    content[content.rindex(b"PK\x01\x02") + 8] |= 1  # the flag of the entry in the directory
    assert "is encrypted" in refusal(write(tmp_path / "x.zip", bytes(content)), UnsafeArchive)


def bomb(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("[Content_Types].xml", "")
        made.writestr(name, bytes(11 * 1024**2))
    return buffer.getvalue()


def test_a_decompression_bomb_is_never_opened(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("Overview.csv", bytes(11 * 1024**2))
    contents = {
        "Overview_x.zip": buffer.getvalue(),
        "Viewers.xlsx": bomb("xl/worksheets/sheet1.xml"),
        "Viewers_x.zip": zipped({"Viewers.xlsx": bomb("xl/worksheets/sheet1.xml")}),
    }
    for name, content in contents.items():
        assert "decompression bomb" in refusal(write(tmp_path / name, content), UnsafeArchive)


@pytest.mark.parametrize("name", ["Overview.zip", "Overview.xlsx"])
def test_bytes_that_are_no_archive_are_not_taken_for_text(tmp_path: Path, name: str) -> None:
    kind = name.rpartition(".")[2].upper()
    noise = write(tmp_path / name, bytes(random.Random(1).randbytes(5000)))
    assert f"is no {kind} in spite of its name" in refusal(noise, BrokenFile)
    for text in ('"Date","Video Views"\n', "Date;Été\n".encode("cp1252"), "Date\n".encode("utf-16")):
        with open_members(write(tmp_path / name, text)) as members:
            assert len(members) == 1


def test_an_archive_with_very_many_files_is_refused(tmp_path: Path) -> None:
    content = zipped({f"{number}.csv": "Date" for number in range(65)})
    assert "holds 65 files" in refusal(write(tmp_path / "x.zip", content), UnsafeArchive)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_read_permission_is_not_a_broken_file(tmp_path: Path) -> None:
    path = write(tmp_path / "x.zip", "x")
    path.chmod(0)
    refusal(path, UnreadableFile)


def test_a_file_that_is_gone_cannot_be_read(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "gone.zip", UnreadableFile)
    with pytest.raises(UnreadableFile, match=r"gone\.zip"):
        export_id(tmp_path / "gone.zip")
