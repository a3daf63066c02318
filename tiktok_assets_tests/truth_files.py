"""The truth files beside real exports: the values a person read in them, and the exports they describe."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Truth:
    """One truth file, and the exports it describes."""

    name: str
    account: str
    handle: str
    downloaded_at: dt.datetime | None
    reports: Mapping[str, list[dict[str, Any]]]
    folder: Path
    files: tuple[Path, ...]

    def moment(self, title: str) -> dt.datetime:
        """When ``title`` was downloaded: the stamp of its ZIP entry; as the truth says where that is days away."""
        stamps = [stamp for file in self.files for stamp in _stamps(file, title)]
        if stamps and (self.downloaded_at is None or abs(stamps[0] - self.downloaded_at) < dt.timedelta(days=2)):
            return stamps[0]
        changed = max((file.stat().st_mtime for file in self.files), default=0.0)
        return self.downloaded_at or dt.datetime.fromtimestamp(changed, dt.UTC)

    def export_ids(self) -> frozenset[str]:
        """The sha256 of each of its files."""
        return frozenset(hashlib.sha256(file.read_bytes()).hexdigest() for file in self.files)


def _stamps(file: Path, title: str) -> Iterator[dt.datetime]:
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            for entry in archive.infolist():
                if Path(entry.filename).name.lower().startswith(title.lower()) and entry.date_time[0] > 1980:
                    yield dt.datetime(*entry.date_time, tzinfo=dt.UTC)


def find_truths(folder: Path) -> list[Truth]:
    """Every truth below ``folder``: a ``truth.json`` for all exports beside it, a ``<stem>.truth.json`` for one."""
    found = []
    for path in sorted([*folder.rglob("truth.json"), *folder.rglob("*.truth.json")]):
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        own = [other.name.removesuffix(".truth.json") for other in path.parent.glob("*.truth.json")]
        if path.name == "truth.json":
            exports = [file for file in path.parent.rglob("*") if _is_export(file) and file.stem not in own]
        else:
            stem = path.name.removesuffix(".truth.json")
            exports = [file for file in path.parent.iterdir() if _is_export(file) and file.stem == stem]
        at = content.get("downloaded_at_utc")
        moment = dt.datetime.fromisoformat(at) if at else None
        name = path.parent if path.name == "truth.json" else path.with_name(path.name.removesuffix(".truth.json"))
        found.append(
            Truth(
                name=name.relative_to(folder).as_posix(),
                account=content["account"],
                handle=content["handle"],
                downloaded_at=moment.replace(tzinfo=moment.tzinfo or dt.UTC) if moment else None,
                reports=content["reports"],
                folder=path.parent,
                files=tuple(sorted(exports)),
            )
        )
    return found


def _is_export(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in {".zip", ".csv", ".xlsx"} and not path.name.startswith(".")
