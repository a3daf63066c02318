"""docs/cluster.md and deploy/: their commands, variables and files exist, and nothing in them is open or a secret."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from tiktok_assets.cli.app import app
from tiktok_assets.settings import Settings, project_root, variable

ROOT = project_root()
PAGE = (ROOT / "docs/cluster.md").read_text()
DEPLOY = {path.name: path.read_text() for path in (ROOT / "deploy").rglob("*") if path.is_file()}
COMPOSE: dict[str, Any] = yaml.safe_load(DEPLOY["compose.yaml"])
HELM: dict[str, Any] = yaml.safe_load(DEPLOY["values.yaml"])
OURS = {name: one for name, one in COMPOSE["services"].items() if one.get("env_file")}
FILES: dict[str, str] = dict(re.findall(r'```ini title="([^"]+)"\n(.*?)```', PAGE, re.DOTALL))
COMMANDS = [
    line.strip()
    for block in re.findall(r"^ *```sh\n(.*?)^ *```", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
NOT_OURS = {"cd", "cp", "docker", "helm", "kubectl", "mkdir", "python", "set", "umask"}
DAGSTERS = {"dagster-celery", "dagster-daemon"}


def programs(line: str) -> list[str]:
    """A command of the page without the variables in front of it."""
    words = shlex.split(line)
    while "=" in words[0]:
        words.pop(0)
    return words


def names_in(text: str) -> set[str]:
    """The variables in a text that say something to Dagster, Celery, AWS's SDK or us."""
    return set(re.findall(r"\b(?:AWS|CELERY|DAGSTER|TIKTOK)_[A-Z_]*[A-Z]\b", text))


def test_every_command_of_the_page_is_one_that_exists() -> None:
    used = {programs(line)[0] for line in COMMANDS}
    assert used <= NOT_OURS | DAGSTERS | {"tiktok-assets"}
    assert used >= DAGSTERS


@pytest.mark.parametrize("names", sorted(set(re.findall(r"tiktok-assets ((?:cluster )?[a-z]+)", PAGE))))
def test_every_command_of_ours_on_the_page_exists(names: str) -> None:
    assert CliRunner().invoke(app, [*names.split(), "--help"]).exit_code == 0


def test_a_worker_of_each_queue_is_started_in_the_same_way_everywhere() -> None:
    started = [programs(line) for line in COMMANDS if "dagster-celery" in line]
    composed = [one["command"] for one in OURS.values() if one["command"][0] == "dagster-celery"]
    for commands in (started, composed):
        queues = [command[command.index("-q") + 1] for command in commands]
        assert [queue.partition("-")[0] for queue in queues] == ["lake", "warehouse", "studio"]
        assert {tuple(command[: command.index("-q")]) for command in commands} == {
            ("dagster-celery", "worker", "start", "-A", "dagster_celery.app", "-y", "celery.yaml")
        }
        assert commands[1][-1] == "--concurrency=1"


def test_every_file_that_the_page_names_exists() -> None:
    named = set(re.findall(r"\bdeploy/[\w./]+\w", PAGE)) - {"deploy/.env"}
    assert {f"deploy/{path.relative_to(ROOT / 'deploy')}" for path in (ROOT / "deploy").rglob("*.*")} <= {
        *named, "deploy/workspace.yaml"
    }  # fmt: skip
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("name", sorted({one for text in (PAGE, *DEPLOY.values()) for one in names_in(text)}))
def test_every_variable_of_ours_is_a_setting(name: str) -> None:
    assert not name.startswith("TIKTOK_") or name in {variable(field) for field in Settings.model_fields}


def test_the_page_explains_every_variable_of_the_files() -> None:
    table = PAGE.split("## Variables")[1].split("## First steps")[0]
    assert {one for text in (*FILES.values(), *DEPLOY.values()) for one in names_in(text)} <= names_in(table)


def test_what_the_configuration_needs_is_in_the_files_of_variables() -> None:
    needed = set(re.findall(r"\{env: (\w+)\}", DEPLOY["dagster.yaml"]))
    assert needed <= names_in(FILES["environment"])
    assert needed <= {*COMPOSE["x-process"]["environment"]}
    asked = set(re.findall(r"\$\{(\w+)", DEPLOY["compose.yaml"]))
    assert asked <= set(re.findall(r"^(\w+)=", FILES["deploy/.env"], re.MULTILINE))


def test_no_secret_has_a_default() -> None:
    assert set(re.findall(r"\$\{\w+(.*?)\}", DEPLOY["compose.yaml"])) == {":?"}
    assert re.findall(r"^(?:POSTGRES_PASSWORD|REDIS_PASSWORD|\w+KEY)=.", FILES["deploy/.env"], re.MULTILINE) == []
    assert not [name for name in DEPLOY if re.search(r"(?i)(?:password|secret\w*key): (?!\S*\$\{)\S", DEPLOY[name])]
    assert not HELM["generatePostgresqlPasswordSecret"]
    secret = re.compile(r"PASSWORD|KEY|SECRET|URL")
    assert not [one for deployment in deployments() for one in deployment["env"] if secret.search(one)]


def test_what_a_process_writes_is_nobody_elses() -> None:
    assert 'ENTRYPOINT ["sh", "-c", "umask 077 && exec \\"$@\\"", "--"]' in DEPLOY["Dockerfile"]
    assert re.search(r"^USER tiktok$", DEPLOY["Dockerfile"], re.MULTILINE)
    assert COMMANDS[0] == "umask 077"
    assert not any("entrypoint" in one or "user" in one for one in OURS.values())


def test_every_port_is_open_on_this_machine_alone() -> None:
    ports = [port for one in COMPOSE["services"].values() for port in one.get("ports", ())]
    assert ports and all(port.startswith("127.0.0.1:") for port in ports)
    assert not any(one.get("network_mode") for one in COMPOSE["services"].values())
    assert HELM["dagsterWebserver"]["service"]["type"] == "ClusterIP" and "ingress" not in HELM
    assert all("-h 127.0.0.1" in line for line in COMMANDS if "webserver" in line)


def test_there_is_one_worker_of_the_warehouse_and_it_keeps_its_file() -> None:
    warehouse = COMPOSE["services"]["warehouse"]
    assert "deploy" not in warehouse and "scale" not in warehouse
    [volume] = warehouse["volumes"]
    local = re.findall(r"TIKTOK_LOCAL_DIR=(\S+)", DEPLOY["Dockerfile"])
    assert [volume.partition(":")[2]] == local and volume.partition(":")[0] in COMPOSE["volumes"]


def test_as_many_runs_of_a_queue_are_started_as_its_workers_work_on() -> None:
    limits = yaml.safe_load(DEPLOY["dagster.yaml"])["concurrency"]["runs"]["tag_concurrency_limits"]
    tasks = {
        one["command"][one["command"].index("-q") + 1]: one.get("deploy", {}).get("replicas", 1)
        * int(one["command"][-1].removeprefix("--concurrency="))
        for one in OURS.values()
        if one["command"][0] == "dagster-celery"
    }
    assert tasks == {one["value"]: one["limit"] for one in limits}


def test_only_a_worker_that_has_an_egress_visits_studio() -> None:
    workers = ("lake", "warehouse", "studio")
    assert [OURS[name]["environment"]["TIKTOK_EGRESS"] for name in workers] == ["none", "none", "default"]
    started = [line.split()[0] for line in COMMANDS if "dagster-celery" in line]
    assert started == ["TIKTOK_EGRESS=none", "TIKTOK_EGRESS=none", "TIKTOK_EGRESS=lisbon"]


def test_on_kubernetes_one_run_at_a_time_loads_the_warehouse() -> None:
    from tiktok_assets.queues import QUEUE_TAG, WAREHOUSE

    [limit] = HELM["dagsterDaemon"]["runCoordinator"]["config"]["queuedRunCoordinator"]["tagConcurrencyLimits"]
    assert limit == {"key": QUEUE_TAG, "value": WAREHOUSE, "limit": 1}
    assert [one["env"]["TIKTOK_LOADING"] for one in deployments()] == ["apart"]


def deployments() -> list[dict[str, Any]]:
    return HELM["dagster-user-deployments"]["deployments"]
