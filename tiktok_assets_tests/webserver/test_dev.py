"""What we replace in Dagster's commands still is there, in the version that is pinned."""

from __future__ import annotations

import inspect
import sys

import pytest
from dagster._cli import dev as dagsters_dev
from dagster_webserver import cli

from tiktok_assets.webserver import dev, server
from tiktok_assets.webserver.guard import Guard


def test_the_web_server_is_started_with_the_guard_and_the_daemon_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(dev, "open_ipc_subprocess", lambda command, **_: started.append(command))
    dev.open_guarded([sys.executable, "-m", "dagster_webserver", "--port", "3000"], pass_fds=[3])
    dev.open_guarded([sys.executable, "-m", "dagster._daemon", "run"], pass_fds=[3])
    assert started == [
        [sys.executable, "-m", "tiktok_assets.webserver.server", "--port", "3000"],
        [sys.executable, "-m", "dagster._daemon", "run"],
    ]


def test_dagster_dev_starts_its_web_server_as_we_expect() -> None:
    source = inspect.getsource(dagsters_dev.dev_command_impl)
    assert source.count("open_ipc_subprocess(") == 2
    assert '[sys.executable, "-m", "dagster_webserver"]' in source
    assert "uvicorn" not in source


def test_the_web_server_serves_what_the_replaced_function_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "create_app_from_workspace_process_context(" in inspect.getsource(
        cli.host_dagster_ui_with_workspace_process_context
    )
    monkeypatch.setattr(server, "create_app_from_workspace_process_context", lambda *_: lambda *_: None)
    assert isinstance(server.guarded("context", ""), Guard)
