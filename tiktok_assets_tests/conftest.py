"""What concerns all tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from tiktok_assets.settings import Settings

Install = Callable[..., Settings]


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """With ``-n``, the tests that share a `dagster dev` go to one worker: every worker would start its own."""
    if config.option.numprocesses and config.option.dist in ("no", "load"):
        config.option.dist = "loadgroup"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """``install("pig1987", zonea0="zone.a0", landing_path=...)``: settings of an empty installation in a temp folder.

    Names are accounts; ``key="handle"`` gives one a handle of its own; other keywords are settings.
    """
    for variable in [name for name in os.environ if name.startswith("TIKTOK_")]:
        monkeypatch.delenv(variable)

    def installation(*accounts: str, **fields: Any) -> Settings:
        handles = {key: fields.pop(key) for key in list(fields) if key not in Settings.model_fields}
        entries = {key: key for key in accounts} | handles
        listed = "".join(f'[accounts."{key}"]\nhandle = "{handle}"\n' for key, handle in entries.items())
        (tmp_path / "accounts.toml").write_text(listed)
        return Settings(**{"data_dir": tmp_path / "data", "accounts_file": tmp_path / "accounts.toml"} | fields)

    return installation


@pytest.fixture
def settings(install: Install) -> Settings:
    """An installation with the two accounts of the label, and nothing in landing."""
    return install("pig1987", zonea0="zone.a0")


@pytest.fixture
def history(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """Dagster's own memory on disk: what one process writes, the next one reads."""
    (tmp_path / "history").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "history")) as instance:
        yield instance
