"""A real `dagster dev`, as `make dev` starts it, in its own folder.

It is started, queried over GraphQL, and ended with all its processes.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from tiktok_assets.settings import project_root

TIMEOUT = 300.0  # seconds; guards against hanging, not a measure of speed
SELECTOR = {"repositoryName": "__repository__", "repositoryLocationName": "tiktok_assets"}


@dataclass
class DagsterDev:
    """One installation: its data, its history, its accounts; and the server while it runs."""

    home: Path
    accounts: tuple[str, ...]
    sensor_interval: int
    studio_url: str
    python: str = sys.executable
    port: int = field(default_factory=lambda: free_port())
    started_in: float = 0.0
    """Seconds until the server answered."""
    server: subprocess.Popen[bytes] | None = None

    @property
    def landing(self) -> Path:
        return self.home / "data" / "landing"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        """The project's own configuration: its relative folders start where Dagster is started, here in ``home``."""
        self.home.mkdir(parents=True)
        for name in ("dagster.yaml", "workspace.yaml"):
            shutil.copy(project_root() / name, self.home / name)
        entries = (f'[accounts.{name}]\nhandle = "{name}"\n' for name in self.accounts)
        (self.home / "accounts.toml").write_text("\n".join(entries))

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every process of this installation, without the settings of the current user."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("TIKTOK_", "DAGSTER_"))}
        return ours | {
            "DAGSTER_HOME": str(self.home),
            "DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS": "1",
            "TIKTOK_DATA_DIR": str(self.home / "data"),
            "TIKTOK_LANDING_PATH": str(self.landing),
            "TIKTOK_ACCOUNTS": ",".join(self.accounts),
            "TIKTOK_ACCOUNTS_FILE": str(self.home / "accounts.toml"),
            "TIKTOK_SENSOR_INTERVAL": str(self.sensor_interval),
            "TIKTOK_START_DATE": "2024-01",
            "TIKTOK_STUDIO_URL": self.studio_url,
            "TIKTOK_ACCOUNT_SPACING": "0",
        }

    def process(self) -> subprocess.Popen[str]:
        """`tiktok-assets process`, started."""
        command = [sys.executable, "-c", "from tiktok_assets.cli.app import main; main()", "process"]
        return subprocess.Popen(
            command,
            cwd=project_root(),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def start(self) -> None:
        """Start, and wait until the server answers and has loaded our code."""
        begun = time.monotonic()
        with (self.home / "dagster.log").open("ab") as log:
            self.server = subprocess.Popen(
                [self.python, "-m", "tiktok_assets.webserver.dev", "-h", "127.0.0.1", "-p", str(self.port)],
                cwd=self.home,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.wait_for("an answer", self._answers)
        self.started_in = time.monotonic() - begun

    def stop(self) -> None:
        """End the whole process group: SIGTERM first, SIGKILL after 20 s."""
        if self.server is None:
            return
        for ending, timeout in ((signal.SIGTERM, 20.0), (signal.SIGKILL, 5.0)):
            deadline = time.monotonic() + timeout
            while group_is_alive(self.server.pid) and time.monotonic() < deadline:
                if self.server.poll() is None or ending is signal.SIGKILL:
                    os.killpg(self.server.pid, ending)
                time.sleep(0.5)
        self.server.wait(timeout=5)
        assert not group_is_alive(self.server.pid)
        self.server = None

    def _answers(self) -> bool:
        if self.server is not None and self.server.poll() is not None:
            raise AssertionError(f"dagster dev ended by itself:\n{self.log()}")
        query = """query { workspaceOrError { ... on Workspace { locationEntries {
            loadStatus locationOrLoadError { ... on PythonError { message } } } } } }"""
        try:
            entries = self.ask(query)["workspaceOrError"]["locationEntries"]
        except (urllib.error.URLError, ConnectionError):
            return False
        for entry in entries:
            assert "message" not in (entry["locationOrLoadError"] or {}), entry["locationOrLoadError"]["message"]
        return bool(entries) and all(entry["loadStatus"] == "LOADED" for entry in entries)

    def log(self) -> str:
        return (self.home / "dagster.log").read_text()

    def wait_for(self, what: str, happened: Callable[[], Any], timeout: float = TIMEOUT) -> Any:
        """The first true answer of ``happened``."""
        deadline = time.monotonic() + timeout
        while (asked := time.monotonic()) < deadline:
            if answer := happened():
                return answer
            time.sleep(max(0.5, 2 * (time.monotonic() - asked)))  # polling takes at most a third of a processor
        raise AssertionError(f"waited {timeout:.0f} s for {what}; the end of the log:\n{self.log()[-4000:]}")

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of a GraphQL query or mutation."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as response:
            answer = json.load(response)
        assert not answer.get("errors"), answer["errors"]
        return answer["data"]

    def runs(self, **tags: str) -> list[dict[str, Any]]:
        """All runs but those that only write pages, newest first, or those of them with these ``tags``."""
        query = """query ($filter: RunsFilter) { runsOrError(filter: $filter) { ... on Runs { results {
            runId status jobName tags { key value } } } } }"""
        filters = {"tags": [{"key": key, "value": value} for key, value in tags.items()]} if tags else {}
        found = self.ask(query, filter=filters)["runsOrError"]["results"]
        tables = [run for run in found if run["jobName"] != "refresh_reports"]
        return [run | {"tags": {tag["key"]: tag["value"] for tag in run["tags"]}} for run in tables]

    def switch_sensor(self, *, on: bool) -> None:
        """The switch of ``new_exports`` in the UI."""
        sensor = {**SELECTOR, "sensorName": "new_exports"}
        if on:
            query = """mutation ($sensor: SensorSelector!) { startSensor(sensorSelector: $sensor) {
                __typename ... on Sensor { sensorState { status } } } }"""
            self.ask(query, sensor=sensor)
            return
        query = """query ($sensor: SensorSelector!) { sensorOrError(sensorSelector: $sensor) {
            ... on Sensor { sensorState { id } } } }"""
        state = self.ask(query, sensor=sensor)["sensorOrError"]["sensorState"]["id"]
        self.ask("mutation ($id: String) { stopSensor(id: $id) { __typename } }", id=state)

    def sensor_ticks(self) -> list[dict[str, Any]]:
        """What the sensor did, newest first."""
        query = """query ($sensor: SensorSelector!) { sensorOrError(sensorSelector: $sensor) {
            ... on Sensor { sensorState { ticks(limit: 50) { status timestamp runIds skipReason } } } } }"""
        found = self.ask(query, sensor={**SELECTOR, "sensorName": "new_exports"})
        return found["sensorOrError"]["sensorState"]["ticks"]

    def backfill(self, assets: list[str], partitions: list[str]) -> str:
        """Launch a backfill as the UI does; returns its id."""
        keys = [{"path": asset.split("/")} for asset in assets]
        return self._backfill({"assetSelection": keys, "partitionNames": partitions})

    def backfill_of_job(self, job: str, partitions: list[str]) -> str:
        """Launch a backfill as the page of the job does; returns its id."""
        repository = {name: SELECTOR[name] for name in ("repositoryName", "repositoryLocationName")}
        selector = {"partitionSetName": f"{job}_partition_set", "repositorySelector": repository}
        return self._backfill({"selector": selector, "partitionNames": partitions, "fromFailure": False, "tags": []})

    def _backfill(self, params: dict[str, Any]) -> str:
        query = """mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
            __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
        answer = self.ask(query, params=params)
        backfill = answer["launchPartitionBackfill"]
        assert backfill["__typename"] == "LaunchBackfillSuccess", backfill
        return backfill["backfillId"]

    def launch(self, assets: list[str], first: str, last: str) -> dict[str, Any]:
        """Run some assets over a range of partitions; returns the run once it has ended."""
        query = """mutation ($params: ExecutionParams!) { launchRun(executionParams: $params) {
            __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
        tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
        selector = {
            **SELECTOR,
            "jobName": "__ASSET_JOB",
            "assetSelection": [{"path": one.split("/")} for one in assets],
        }
        listed = [{"key": key, "value": value} for key, value in tags.items()]
        params = {"selector": selector, "executionMetadata": {"tags": listed}}
        answer = self.ask(query, params=params)["launchRun"]
        assert answer["__typename"] == "LaunchRunSuccess", answer

        def ended() -> dict[str, Any] | None:
            [run] = [run for run in self.runs() if run["runId"] == answer["run"]["runId"]]
            return run if run["status"] in ("SUCCESS", "FAILURE", "CANCELED") else None

        return self.wait_for("the run", ended)

    def runs_of(self, backfill: str) -> list[dict[str, Any]]:
        """The runs of a backfill, once it has ended."""
        query = """query ($id: String!) { partitionBackfillOrError(backfillId: $id) {
            ... on PartitionBackfill { status } } }"""

        def has_ended() -> bool:
            status = self.ask(query, id=backfill)["partitionBackfillOrError"]["status"]
            return status not in ("REQUESTED", "CANCELING", "FAILING")

        self.wait_for("the backfill", has_ended)
        return self.runs(**{"dagster/backfill": backfill})

    def published(self, query: str) -> pl.DataFrame:
        """The result of a query on the published warehouse; empty if there is none yet."""
        path = self.home / "data" / "warehouse" / "tiktok.duckdb"
        if not path.exists():
            return pl.DataFrame()
        with duckdb.connect(path, read_only=True) as connection:
            return pl.DataFrame(connection.sql(query).to_arrow_table())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def group_is_alive(leader: int) -> bool:
    """Whether a process of the group is left (zombies do not count)."""
    listed = subprocess.run(["ps", "-A", "-o", "pgid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = (line.split() for line in listed.splitlines())
    return any(int(group) == leader and not state.startswith("Z") for group, state in rows)
