"""From a file on disk to the members it contains: ZIP, loose CSV or loose XLSX.

An export is untrusted until proven otherwise: sizes are read before content, member names never become paths.
Does not know what the members mean.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import hashlib
import io
import shutil
import struct
import tempfile
import zipfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from tiktok_assets.exports.problems import BrokenFile, UnreadableFile, UnsafeArchive

# Studio's members are 30 bytes to 20 kB; Business Suite's video list of a large account reaches 150 MB.
MAX_UNPACKED_BYTES = 2 * 1024**3
MAX_MEMBERS = 64
# Text as Studio writes it deflates at most about 12:1; a bomb of zeros 1000:1.
MAX_RATIO = 200
RATIO_MATTERS_FROM = 10 * 1024**2
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
# What zipfile raises for bytes that are not what they should be.
_DAMAGED = (zipfile.BadZipFile, EOFError, NotImplementedError, UnicodeDecodeError, struct.error)
_PIECE = 128 * 1024
# Larger members are read from disk in batches instead of being held in memory.
IN_MEMORY_BYTES = 16 * 1024**2
# Reasons for a failed unpacking that do not mean that the file is damaged.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE)


@dataclass(frozen=True, kw_only=True)
class Member:
    """One table of an export. ``content`` is its bytes, or for a very large one the file that holds them."""

    name: str
    content: bytes | Path
    stamp: dt.datetime | None
    """UTC download time from the ZIP entry; None for loose files and for entries that say 1980."""
    folders: tuple[str, ...] = ()
    """Its folders inside the ZIP. Studio's ZIPs have none; in a folder the stamp is the time of a file."""
    is_stored: bool = False
    """Whether its ZIP holds it uncompressed, as Studio's do."""
    scratch: Path | None = None
    """A folder for what is derived from a very large member; removed together with it."""

    @property
    def is_xlsx(self) -> bool:
        return self.head[:2] == b"PK"

    @property
    def head(self) -> bytes:
        """The first 64 kB."""
        if isinstance(self.content, bytes):
            return self.content[:65536]
        with self.content.open("rb") as file:
            return file.read(65536)


def export_id(path: Path) -> str:
    """The sha256 of the file's bytes: the identity of an export, whatever its name."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: OSError) -> UnreadableFile:
    return UnreadableFile(
        f"{path.name}: cannot be opened ({error.strerror or error}). "
        f"Give this user permission to read it (chmod u+r); it is then picked up automatically."
    )


@contextlib.contextmanager
def open_members(path: Path) -> Generator[list[Member]]:
    """The members of the export at ``path``. Very large ones live in a temp folder that is removed with the context.

    Raises BrokenFile, UnsafeArchive or UnreadableFile, naming the file and the remedy.
    """
    try:
        with path.open("rb") as file:
            head = file.read(4096)
            size = file.seek(0, 2)
    except OSError as error:
        raise unreadable(path, error) from error
    if not head.strip(b"\x00\r\n\t "):
        what = "is empty" if size == 0 else "contains no text"
        raise BrokenFile(f"{path.name}: {what} ({size} bytes). Export it again.")
    if _is_html(head):
        raise BrokenFile(
            f"{path.name}: is a web page, not an export. The download failed because of a login page; export again."
        )
    if head.startswith(_OLE):
        raise BrokenFile(
            f"{path.name}: is a workbook of an old Excel (.xls), or one with a password. Save it as .xlsx without a "
            "password, or use the file from TikTok."
        )
    if path.suffix.lower() in (".zip", ".xlsx") and head[:2] != b"PK" and _is_binary(head):
        raise BrokenFile(f"{path.name}: is no {path.suffix[1:].upper()} in spite of its name. Export it again.")
    with contextlib.ExitStack() as stack:
        if head[:2] != b"PK":
            if size <= IN_MEMORY_BYTES:
                yield [Member(name=path.name, content=path.read_bytes(), stamp=None)]
            else:
                yield [Member(name=path.name, content=path, stamp=None, scratch=_scratch(stack))]
            return
        try:
            archive = stack.enter_context(zipfile.ZipFile(path))
        except (*_DAMAGED, OSError) as error:
            raise BrokenFile(f"{path.name}: is a damaged or incomplete ZIP. Export it again.") from error
        entries = archive.infolist()
        if not all(entry.filename for entry in entries):
            raise BrokenFile(f"{path.name}: is a damaged ZIP (a member has no name). Export it again.")
        if any(entry.filename == "[Content_Types].xml" for entry in entries):
            _refuse_unsafe(path, entries)
            yield [Member(name=path.name, content=path.read_bytes(), stamp=None)]
            return
        entries = [entry for entry in entries if not _is_clutter(entry)]
        _refuse_unsafe(path, entries)
        if not entries:
            raise BrokenFile(f"{path.name}: is an empty ZIP. Export it again.")
        yield [_member(path, archive, entry, stack) for entry in entries]


def _scratch(stack: contextlib.ExitStack) -> Path:
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tiktok-assets-")))


def _is_binary(head: bytes) -> bool:
    """Whether the first bytes are no text, in UTF-16 or an encoding of bytes: text has no control characters."""
    is_utf16 = head[:2] in (b"\xff\xfe", b"\xfe\xff")
    return not is_utf16 and any(byte < 9 or 13 < byte < 32 for byte in head)


def _is_html(head: bytes) -> bool:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:256].lower()
    return start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<body", b"<!--"))


def _is_clutter(entry: zipfile.ZipInfo) -> bool:
    """What operating systems put into archives that people make themselves."""
    name = PurePosixPath(entry.filename).name
    return (
        entry.is_dir()
        or entry.filename.startswith("__MACOSX/")
        or name.startswith("._")
        or name in {".DS_Store", "Thumbs.db", "desktop.ini"}
    )


def _refuse_unsafe(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_MEMBERS:
        raise UnsafeArchive(
            f"{path.name}: holds {len(entries)} files; an export has at most 4. Drop exports one by one."
        )
    for entry in entries:
        name = entry.filename
        if (
            ".." in PurePosixPath(name.replace("\\", "/")).parts
            or name.startswith(("/", "\\"))
            or PureWindowsPath(name).drive
        ):
            raise UnsafeArchive(
                f"{path.name}: member {name!r} points outside the archive. Not made by TikTok; it is not opened."
            )
        if entry.flag_bits & 0x1:
            raise UnsafeArchive(f"{path.name}: member {name!r} is encrypted. Unpack it and drop the CSV files instead.")
    for name, packed, unpacked in [
        *((f"member {entry.filename!r}", entry.compress_size, entry.file_size) for entry in entries),
        ("all of it", sum(entry.compress_size for entry in entries), sum(entry.file_size for entry in entries)),
    ]:
        if packed > unpacked + unpacked // 100 + 1024:  # what is packed is never that much larger
            raise UnsafeArchive(
                f"{path.name}: {name} states {unpacked:,} bytes and holds {packed:,} packed ones: its size is a lie. "
                "Not made by TikTok; it is not opened."
            )
        ratio = unpacked / max(packed, 1)
        if unpacked > MAX_UNPACKED_BYTES or (unpacked > RATIO_MATTERS_FROM and ratio > MAX_RATIO):
            raise UnsafeArchive(
                f"{path.name}: {name} would unpack to {unpacked:,} bytes from {packed:,}: a decompression bomb, not an "
                f"export (at most {MAX_UNPACKED_BYTES:,} bytes, and {MAX_RATIO} times). It is not opened."
            )


def _member(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, stack: contextlib.ExitStack) -> Member:
    name = PurePosixPath(entry.filename.replace("\\", "/")).name
    scratch: Path | None = None
    try:
        if entry.file_size <= IN_MEMORY_BYTES:
            content: bytes | Path = _unpacked(archive, entry)
        else:
            scratch = _scratch(stack)
            content = scratch / "member"
            with archive.open(entry) as source, content.open("wb") as target:
                shutil.copyfileobj(source, target, _PIECE)
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise UnreadableFile(
                f"{path.name}: member {name!r} cannot be unpacked ({error.strerror}). "
                f"Free space in {tempfile.gettempdir()}; it is then picked up automatically."
            ) from error
        raise BrokenFile(f"{path.name}: member {name!r} is damaged. Export it again.") from error
    except _DAMAGED as error:
        raise BrokenFile(f"{path.name}: member {name!r} is damaged. Export it again.") from error
    except Exception as error:  # zlib.error, lzma.LZMAError: each codec has its own
        raise BrokenFile(f"{path.name}: member {name!r} cannot be unpacked: it is damaged. Export it again.") from error
    if not content:
        raise BrokenFile(f"{path.name}: member {name!r} is empty, without even a header. Export it again.")
    if name.lower().endswith(".zip"):
        raise BrokenFile(f"{path.name}: is a ZIP of ZIPs ({name}): unpack it and drop the ZIPs inside one by one.")
    folders = PurePosixPath(entry.filename.replace("\\", "/")).parts[:-1]
    is_stored = entry.compress_type == zipfile.ZIP_STORED
    member = Member(
        name=name, content=content, stamp=_stamp(entry), folders=folders, is_stored=is_stored, scratch=scratch
    )
    if member.is_xlsx:  # a workbook is a ZIP itself, and can be a bomb too
        source = io.BytesIO(content) if isinstance(content, bytes) else content
        with contextlib.suppress(*_DAMAGED), zipfile.ZipFile(source) as workbook:
            _refuse_unsafe(path, workbook.infolist())
    return member


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """The bytes of ``entry``, in pieces: at once, one that unpacks to more than it states would be in memory whole."""
    unpacked = io.BytesIO()
    with archive.open(entry) as source:
        shutil.copyfileobj(source, unpacked, _PIECE)
    return unpacked.getvalue()


def _stamp(entry: zipfile.ZipInfo) -> dt.datetime | None:
    if entry.date_time[0] <= 1980:
        return None
    try:
        return dt.datetime(*entry.date_time, tzinfo=dt.UTC)
    except ValueError:
        return None
