"""What a process of the chaos tests is asked to do, and how it ended. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tiktok_assets_tests.chaos.moments import Fault, Kill, Seen

SAVE_SESSION, READ_ON, DROP = "save-session", "read-on", "drop"


@dataclass(frozen=True, kw_only=True)
class Job:
    """``command``: the arguments of `tiktok-assets`; or one of ours.

    SAVE_SESSION and an account. READ_ON and queries: each is asked again and again until the other jobs have ended.
    DROP and a folder: its files move into landing, one after the other.
    """

    command: tuple[str, ...]
    home: Path
    environment: Mapping[str, str]
    planned: Kill | Fault | None = None


@dataclass(frozen=True, kw_only=True)
class Ended:
    """``code``: the exit code; of a killed process the signal's number below zero. ``seen``: not of a killed one."""

    code: int
    output: str
    seen: Seen

    @property
    def was_killed(self) -> bool:
        return self.code < 0
