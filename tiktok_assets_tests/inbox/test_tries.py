"""How often a run was started for an export that is not loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiktok_assets.inbox.tries import Tries, forget_all_tries, forget_tries, note_death, note_tries, tries
from tiktok_assets.settings import Settings
from tiktok_assets.storage.documents import FileDocuments
from tiktok_assets.storage.lake import Lake

ACCOUNTS = [f"account{number}" for number in range(60)]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(Settings.model_validate({"data_dir": str(tmp_path), "accounts": tuple(ACCOUNTS)}))


def test_counts_are_by_export_and_forgotten_once_it_is_loaded(lake: Lake) -> None:
    note_tries(lake, {"account1": ["a", "b"], "account2": ["c"]}, alone=False)
    note_tries(lake, {"account1": ["a"]}, alone=True)
    note_death(lake, ["account1"])
    assert tries(lake, ["account1", "account2", "account3"]) == {
        "account1": {"a": Tries(together=1, deaths=1), "b": Tries(together=1, deaths=1)},
        "account2": {"c": Tries(together=1)},
        "account3": {},
    }
    forget_tries(lake, "account1", {"a"})
    note_tries(lake, {"account2": ["c"]}, alone=False, by=-1)
    assert tries(lake, ACCOUNTS)["account1"] == {"b": Tries(together=1, deaths=1)}
    assert [path.name for path in (lake.settings.state / "tries").iterdir()] == ["account1.json"]
    forget_all_tries(lake)
    assert not any(tries(lake, ACCOUNTS).values())


def test_the_accounts_of_a_run_are_counted_in_one_reading_and_one_writing(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = list[str]()
    for name in ("read_many", "write_many"):
        done = getattr(FileDocuments, name)
        monkeypatch.setattr(
            FileDocuments, name, lambda self, given, done=done, name=name: (requests.append(name), done(self, given))[1]
        )
    note_tries(lake, {account: ["a"] for account in ACCOUNTS}, alone=False)
    assert requests == ["read_many", "write_many"]
    note_death(lake, [])
    forget_tries(lake, "account1", {"b"})  # nothing is written where nothing changes
    assert requests == ["read_many", "write_many", "read_many"]


def test_counts_that_an_earlier_version_left_in_the_lake_are_not_read(lake: Lake) -> None:
    folder = Path(str(lake.raw_folder("exports", "account1")))
    folder.mkdir(parents=True)
    (folder / "tries.json").write_text('{"a": {"alone": 2}}')
    assert tries(lake, ["account1"]) == {"account1": {}}
