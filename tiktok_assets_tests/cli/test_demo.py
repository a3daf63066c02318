"""What the demo may delete, and what it may be called. That it runs is tested with the README."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tiktok_assets.cli.app import app
from tiktok_assets.cli.demo_world import DEFAULT, invented


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIKTOK_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["demo", *arguments])


@pytest.mark.parametrize("arguments", [[], ["remove"], ["dev"]])
def test_a_folder_that_the_demo_did_not_make_is_left_as_it_is(data: Path, arguments: list[str]) -> None:
    (data / "demo").mkdir(parents=True)
    (data / "demo" / "mine.zip").write_bytes(b"a real export")
    result = run(*arguments)
    assert result.exit_code == 2
    assert f"{data / 'demo'}: was not made by the demo and is left as it is." in result.stderr
    assert [path.name for path in (data / "demo").iterdir()] == ["mine.zip"]


@pytest.mark.parametrize("named", ["data", "data/demo"])
def test_removing_deletes_the_folder_of_the_demo_alone(
    data: Path, tmp_path: Path, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / "demo" / "landing").mkdir(parents=True)
    (data / "demo" / ".demo").touch()
    (data / "warehouse").mkdir()
    monkeypatch.setenv("TIKTOK_DATA_DIR", str(tmp_path / named))
    assert f"{data / 'demo'}: deleted." in run("remove").stdout
    assert [path.name for path in data.iterdir()] == ["warehouse"]


def test_without_a_demo_there_is_nothing_to_remove_or_to_open(data: Path) -> None:
    assert run("remove").exit_code == 0
    refused = run("dev")
    assert (refused.exit_code, "there is no demo. Make it: make demo." in refused.stderr) == (2, True)
    assert not data.exists()


def test_every_account_of_the_demo_has_a_timezone() -> None:
    assert [(one.key, one.handle) for one in invented(DEFAULT)] == [("pig1987", "pig1987"), ("zonea0", "zone.a0")]
    assert all(one.timezone for one in invented(["one", "two", "three", "four", "one"]))


def test_a_name_that_no_account_can_have_is_refused_before_anything_is_deleted(data: Path) -> None:
    (data / "demo").mkdir(parents=True)
    (data / "demo" / ".demo").touch()
    result = run("--account", "../x")
    assert result.exit_code != 0
    assert "cannot be used" in result.output
    assert (data / "demo").exists()
