"""Small private documents of an installation, each read and replaced whole: logins, ledgers, marks.

Belongs here: what a document store promises, and that of one machine. Does not belong here: that of several
(``postgres_documents``), which of the two an installation has (``state``), and what is in a document.
"""

from __future__ import annotations

import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tiktok_assets.storage.atomic import replacing


class Documents(ABC):
    """Documents by name; a name may be in a folder, as ``sessions/pig1987.json``."""

    def read(self, name: str) -> bytes | None:
        """The document; None where there is none."""
        return self.read_many([name]).get(name)

    def write(self, name: str, content: bytes) -> None:
        """Store it, replacing what was there: at every moment there is the old one or the new one, whole."""
        self.write_many({name: content})

    @abstractmethod
    def read_many(self, names: Iterable[str]) -> dict[str, bytes]:
        """By name, those of these documents that there are; in one request where each would be one."""

    @abstractmethod
    def write_many(self, contents: Mapping[str, bytes | None]) -> None:
        """Store each as ``write`` does, and remove those whose content is None; in one request."""

    @abstractmethod
    def remove(self, name: str) -> bool:
        """Remove it; whether there was one."""

    @abstractmethod
    def versions(self, folder: str) -> dict[str, str]:
        """By name, sorted and complete, the documents in ``folder``, each with a text that changes with every write."""

    @abstractmethod
    def age(self, name: str) -> float | None:
        """Seconds since it was written, by the store's own clock; None where there is none."""

    @abstractmethod
    def place(self, name: str) -> Path | str:
        """Where it is, for messages."""


@dataclass(frozen=True)
class FileDocuments(Documents):
    """Files below ``folder``, readable by their user alone."""

    folder: Path

    def read_many(self, names: Iterable[str]) -> dict[str, bytes]:
        found = {}
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                found[name] = self.place(name).read_bytes()
        return found

    def write_many(self, contents: Mapping[str, bytes | None]) -> None:
        for name, content in contents.items():
            if content is None:
                self.remove(name)
            else:
                self._replace(self.place(name), content)

    def _replace(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.parent != self.folder:
            path.parent.chmod(0o700)  # whatever the umask
        with replacing(path, mode=0o600) as scratch:  # 0600 from its first moment
            scratch.write_bytes(content)

    def remove(self, name: str) -> bool:
        existed = self.place(name).exists()
        self.place(name).unlink(missing_ok=True)
        return existed

    def versions(self, folder: str) -> dict[str, str]:
        files = sorted(path for path in self.place(folder).glob("[!.]*") if path.is_file())
        return {f"{folder}/{path.name}": f"{path.stat().st_mtime_ns}" for path in files}

    def age(self, name: str) -> float | None:
        with contextlib.suppress(FileNotFoundError):
            return time.time() - self.place(name).stat().st_mtime
        return None

    def place(self, name: str) -> Path:
        return self.folder / name
