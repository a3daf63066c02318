"""What the name of an export says: section, handle, and for Overview the window.

Names are hints that people change (``Overview (1).zip``, ``Content 2.csv``); the content decides.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import PurePath

from tiktok_assets.exports.name_dates import NameDates, read_dates

SECTIONS = ("overview", "viewers", "followers", "content")
# Studio's own JSON that our browser captures: landed like an export, although it cannot be downloaded.
INSIGHTS = "insights"

# The members of each section; a file named like one of them belongs to that section.
MEMBER_SECTION = {
    "overview": "overview",
    "viewers": "viewers",
    "content": "content",
    "followers": "followers",
    "followerhistory": "followers",
    "followeractivity": "followers",
    "followergender": "followers",
    "followertopterritories": "followers",
}

_TYPES = r"\.(?:zip|csv|xlsx|xls|json|tsv|txt)"
_SUFFIX = re.compile(rf"(?:{_TYPES})+$", re.IGNORECASE)
# What systems write before the name of a copy: Google Drive "Copy of ", Windows and macOS in other languages.
_PREFIXES = (
    *("copy of", "copy", "kopie von", "kopie van", "kopie", "copie de", "copie", "copia de", "copia di", "copia"),
    *("cópia de", "cópia", "kopia av", "kopi av", "kopi af", "kopia", "kopi", "salinan", "копия", "κόπια", "kopya"),
)
_PREFIX = re.compile(rf"^(?:(?:{'|'.join(_PREFIXES)})[\s_-]+|tiktok(?:[\s_-]+studio)?[\s_-]+)+", re.IGNORECASE)
# What they write after it: " (1)", " 4", "-2" (macOS, Safari), " copy 2", " - Kopie", and landing: "~2".
_COPY_WORDS = (
    *("copy", "copie", "copia", "cópia", "kopie", "kopia", "kopi", "kopya", "kopija", "másolat", "копия", "копія"),
    *("αντίγραφο", "salinan", "bản sao", "コピー", "のコピー", "副本", "복사본", "สำเนา", "نسخة"),
)
_COPY = re.compile(
    rf"(?:\s*[(\[]\d{{1,3}}[)\]]|\s+\d{{1,3}}|[~-]\d{{1,2}}|(?:\s+-?\s*|\s*-\s*)(?:{'|'.join(_COPY_WORDS)})"
    rf"(?:\s*[(]?\d{{1,3}}[)]?)?|{_TYPES})+$",
    re.IGNORECASE,
)
# A handle has only letters, digits, "." and "_", and no "." at its end.
_HANDLE = r"([A-Za-z0-9._]*[A-Za-z0-9_])"
_OVERVIEW = re.compile(rf"overview_(\d{{4}}-\d{{2}}-\d{{2}})_(\d{{9,11}})_{_HANDLE}", re.IGNORECASE)
_INSIGHTS = re.compile(r"^insights_\d{8}T\d{6}Z_(.+)$", re.IGNORECASE)
_SECTION = re.compile(rf"^(overview|viewers|followers|content)_{_HANDLE}", re.IGNORECASE)
_DATED_SECTION = re.compile(r"^(?:overview|viewers|followers|content)_(?=\d{8}(?!\d))", re.IGNORECASE)
# Behind words of a person's own only as Studio spells it: "April - Viewers_mara.lind", never "my_content_plan".
_SECTION_INSIDE = re.compile(rf"(?<![A-Za-z0-9])(Overview|Viewers|Followers|Content)_{_HANDLE}")


@dataclass(frozen=True, kw_only=True)
class NameFacts:
    """What a file or folder name says. ``None`` where it says nothing.

    ``epoch``: its date (UTC) is the last day of the window, its time of day that of the download.
    """

    section: str | None = None
    handle: str | None = None
    first_day: dt.date | None = None
    epoch: dt.datetime | None = None

    @property
    def is_studios(self) -> bool:
        """Whether the name is one that Studio gives to an export or to a table in it."""
        return self.section is not None


def bare_name(name: str) -> str:
    """``"Copy of Overview (1).csv"`` -> ``"Overview"``: without folder, file type, dates and the marks of copies."""
    text = _untyped(name)
    return _unmarked(text if _OVERVIEW.search(text) else read_dates(text)[1])


def read_name(name: str) -> NameFacts:
    """The facts in the name of a ZIP, a loose member, or a folder an archive was unpacked into.

    Studio's name may be anywhere in it; the handle follows the section's (or the epoch's) underscore, up to the first
    character that cannot be part of a handle.
    """
    bare = bare_name(name)
    if match := _OVERVIEW.search(bare):
        first_day, epoch, handle = match.groups()
        try:
            return NameFacts(
                section="overview",
                handle=_handle(handle),
                first_day=dt.date.fromisoformat(first_day),
                epoch=dt.datetime.fromtimestamp(int(epoch), dt.UTC),
            )
        except ValueError:  # "Overview_2024-13-40_...": a name given by a person
            return NameFacts(section="overview", handle=_handle(handle))
    if match := _INSIGHTS.match(_unmarked(_untyped(name))):
        return NameFacts(section=INSIGHTS, handle=match.group(1))
    if match := _SECTION.match(bare) or _SECTION_INSIDE.search(bare):
        return NameFacts(section=match[1].lower(), handle=_handle(match[2]))
    return NameFacts(section=MEMBER_SECTION.get(bare.replace(" ", "").lower()))


def dates_in_name(name: str) -> NameDates:
    """The days and years that a person wrote into a name, without those that Studio wrote."""
    return read_dates(_DATED_SECTION.sub("|", _OVERVIEW.sub("|", _untyped(name))))[0]


def _untyped(name: str) -> str:
    return _SUFFIX.sub("", PurePath(name).name.strip())


def _unmarked(text: str) -> str:
    """``text`` without the marks of copies before and after it, and without the remains of dates."""
    bare = _PREFIX.sub("", _COPY.sub("", text.strip(" |")).strip(" |")).strip(" |")
    return bare.rstrip("_-") if text.rstrip().endswith("|") else bare


def _handle(text: str) -> str | None:
    """As in ``Viewers_mara.lind.csv (1).csv``, with a file type in the middle. Digits alone are not a handle."""
    handle = _SUFFIX.sub("", text).rstrip("._") or text
    return None if handle.isdigit() else _SUFFIX.sub("", text)
