"""The one place where a file is replaced, with each error at each of its steps: the old file, and nothing beside it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tiktok_assets.storage.atomic import replacing
from tiktok_assets.storage.faults import sentence_of
from tiktok_assets_tests.chaos.conftest import Note

pytestmark = pytest.mark.chaos

ERRNOS = (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT, errno.EACCES)
STEPS: dict[str, tuple[object, str]] = {
    "the folder": (os, "mkdir"),
    "writing": (Path, "write_bytes"),
    "permissions": (Path, "chmod"),
    "flushing": (os, "fsync"),
    "the rename": (Path, "replace"),
}


def failing(number: int) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def test_each_error_at_each_step_leaves_the_old_file_and_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tried: Note
) -> None:
    path, scratch = tmp_path / "data" / "file.json", tmp_path / "scratch"
    path.parent.mkdir()
    scratch.mkdir()
    path.write_bytes(b"old")
    for number in ERRNOS:
        for owner, step in STEPS.values():
            with monkeypatch.context() as patch, pytest.raises(OSError) as caught:
                patch.setattr(owner, step, failing(number))
                with replacing(path, scratch_folder=scratch) as new:
                    new.write_bytes(b"new, and longer")
            assert (sentence_of(caught.value, "the data folder") or "").endswith(".")
            assert path.read_bytes() == b"old"
            assert [*path.parent.iterdir(), *scratch.iterdir()] == [path]
    tried(
        "a failing step of the one atomic write, each error",
        len(ERRNOS) * len(STEPS),
        "the old file, no scratch file, a sentence",
    )
