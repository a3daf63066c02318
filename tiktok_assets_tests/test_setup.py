"""Set-up: the files at the root agree with each other and with the code, and the scripts keep their promises."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from dagster._core.instance import DagsterInstance
from typer.testing import CliRunner

from tiktok_assets.accounts import load_roster
from tiktok_assets.cli.app import app
from tiktok_assets.pipeline.process import project_instance
from tiktok_assets.settings import Settings, variable
from tiktok_assets.storage.history import ENVIRONMENT, ComputeLogs

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_code_location_has_one_name_everywhere() -> None:
    (loaded,) = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    project = PROJECT["tool"]["dg"]["project"]
    assert loaded["python_module"]["location_name"] == project["code_location_name"] == "tiktok_assets"
    assert loaded["python_module"]["module_name"] == project["code_location_target_module"]


def test_the_dagster_family_has_one_version() -> None:
    pins = [name for name in PROJECT["project"]["dependencies"] if name.startswith("dagster")]
    assert {pin.partition("==")[2] for pin in pins} == {"1.13.27"}


def test_the_history_is_kept_in_the_data_folder_without_a_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    with DagsterInstance.from_config(str(tmp_path)) as instance:
        assert not instance.telemetry_enabled
        assert instance.get_concurrency_config().run_queue_config.tag_concurrency_limits == []  # pyright: ignore[reportOptionalMemberAccess]
        assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 2  # pyright: ignore[reportOptionalMemberAccess]
        assert instance.get_runs() == []
        assert isinstance(instance.compute_log_manager, ComputeLogs)
        assert instance.storage_directory() == str(tmp_path / "data/state/dagster/artifacts/storage")
    assert {path.name for path in (tmp_path / "data/state/dagster").iterdir()} >= {"storage"}
    assert {path.name for path in tmp_path.iterdir()} <= {"dagster.yaml", "data", "logs", ".logs_queue"}


def test_make_and_the_history_ask_dagster_for_the_same() -> None:
    exported = re.findall(r"^export (DAGSTER_E\w+) := (\w+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert dict(exported) == ENVIRONMENT


def test_a_history_that_is_configured_elsewhere_wins_over_that_of_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    assert _home_of_dev(monkeypatch) == str(ROOT)
    with project_instance() as instance:
        assert Path(instance.root_directory).is_relative_to(tmp_path / "data")
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    assert _home_of_dev(monkeypatch) == str(tmp_path)
    with project_instance() as instance:
        assert instance.root_directory == str(tmp_path)  # as Dagster keeps it by default


def _home_of_dev(monkeypatch: pytest.MonkeyPatch) -> str:
    """The DAGSTER_HOME that ``make dev`` would start with."""
    started: list[dict[str, str]] = []
    monkeypatch.setattr("os.execve", lambda _path, _arguments, environment: started.append(environment))
    CliRunner().invoke(app, ["dev"])
    return started[0]["DAGSTER_HOME"]


def test_the_example_of_an_environment_names_every_setting_with_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    examples = dict(line[2:].split("=", 1) for line in lines if re.match(r"# TIKTOK_\w+=", line))
    assert list(examples) == [variable(field) for field in Settings.model_fields]
    assert [line for line in lines if line and not line.startswith("#")] == []
    for name in examples:
        monkeypatch.delenv(name, raising=False)
    defaults = Settings()
    for name, value in examples.items():
        monkeypatch.setenv(name, value)
    assert Settings() == defaults


def test_the_example_of_an_environment_explains_every_setting_as_the_errors_do() -> None:
    text = (ROOT / ".env.example").read_text()
    for name, field in Settings.model_fields.items():
        assert isinstance(field.json_schema_extra, dict)
        assert f"# {field.description}. Valid: {field.json_schema_extra['valid']}.\n# {variable(name)}=" in text


def test_the_accounts_of_the_project_can_be_read() -> None:
    roster = load_roster(Settings(accounts=(), accounts_file=ROOT / "accounts.toml"))
    assert [roster[key].handle for key in ("pig1987", "zonea0")] == ["pig1987", "zone.a0"]


def test_make_alone_lists_every_target() -> None:
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^make ([\w-]+)", listed, re.MULTILINE) == [
        "help", "setup", "docs", "test", "test-long", "chaos", "cluster-setup", "cluster-test", "dev", "demo",
        "demo-dev", "demo-remove", "conformance", "former-pipeline", "bench",
    ]  # fmt: skip


def test_every_target_that_runs_something_sets_up_first() -> None:
    targets = re.findall(r"^([a-z]+):(.*?)##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {name for name, needs in targets if "setup" not in needs} == {"help", "setup"}


def test_ci_runs_the_commands_a_person_runs() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "\nmake test\n" in script.read_text()


@pytest.mark.parametrize("script", ["scripts/setup.sh", ".ci/run"])
def test_a_script_has_no_slip_of_syntax(script: str) -> None:
    shell = "bash" if script == ".ci/run" else "sh"
    subprocess.run([shell, "-n", script], cwd=ROOT, check=True)


def test_set_up_without_a_usable_python_says_which_one_is_needed(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for name in ("scripts/setup.sh", "uv.lock", "pyproject.toml"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((ROOT / name).read_bytes())
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("dirname", "cat", "cksum", "tail", "rm", "id"):
        found = next(folder / tool for folder in map(Path, os.get_exec_path()) if (folder / tool).exists())
        (tools / tool).symlink_to(found)
    done = subprocess.run(
        ["/bin/sh", "scripts/setup.sh"], cwd=copy, env={"PATH": str(tools)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "no Python from 3.11 to 3.14 found" in done.stderr
    assert "make setup PYTHON=" in done.stderr
