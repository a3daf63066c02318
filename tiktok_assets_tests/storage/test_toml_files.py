"""How a list that commands and people edit is replaced: nothing that somebody else wrote meanwhile is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from fsspec import AbstractFileSystem
from upath import UPath

from tiktok_assets.accounts import InvalidAccounts, add_account
from tiktok_assets.failures import LockLost
from tiktok_assets.storage.toml_files import UnusableToml, edit


class Lost:
    def require(self) -> None:
        raise LockLost("somebody else has it")


@pytest.fixture
def stored(memory: AbstractFileSystem) -> UPath:
    """A file at a storage address."""
    return UPath("memory://label/accounts.toml")


def test_what_somebody_else_has_written_meanwhile_is_read_and_kept(stored: UPath) -> None:
    texts = ["another's", ""]

    def change(text: str) -> str:
        if others := texts.pop(0):
            stored.write_text(others)
        return f"{text} ours"

    stored.write_text("a")
    assert edit(stored, change) == "another's"
    assert stored.read_text() == "another's ours"


def test_a_file_that_is_replaced_again_and_again_is_left_alone_with_a_sentence(stored: UPath) -> None:
    def change(text: str) -> str:
        stored.write_text(f"{text}+")
        return "ours"

    with pytest.raises(UnusableToml, match=r"somebody else is changing the file.*run this again"):
        edit(stored, change)
    assert stored.read_text() == "++"


@pytest.mark.parametrize("is_local", [True, False])
def test_nothing_is_written_without_the_lock(stored: UPath, tmp_path: Path, is_local: bool) -> None:
    path = tmp_path / "accounts.toml" if is_local else stored
    with pytest.raises(LockLost):
        add_account(path, "pig1987", Lost())
    assert not path.exists()


def test_an_account_that_somebody_else_adds_at_this_moment_is_not_added_twice(
    stored: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    def theirs_first(*given: object, **_: object) -> str:
        monkeypatch.undo()
        add_account(stored, "pig1987")
        return "ours"

    monkeypatch.setattr("tiktok_assets.accounts.with_table", theirs_first)
    with pytest.raises(InvalidAccounts, match="'pig1987' is taken"):
        add_account(stored, "pig1987")
