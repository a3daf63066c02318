"""Dagster's history in a folder of a test, by the storage that the product uses."""

from __future__ import annotations

import tempfile
import weakref
from pathlib import Path

import dagster as dg

_CONFIGURATION = """
storage: {{custom: {{module: tiktok_assets.storage.history, class: History, config: {{base_dir: "{folder}"}}}}}}
telemetry: {{enabled: false}}
compute_logs: {{module: dagster._core.storage.noop_compute_log_manager, class: NoOpComputeLogManager}}
"""
"""Without compute logs: for those Dagster starts eight processes a run, which copy what it prints to the terminal."""


def kept_in(folder: Path) -> dg.DagsterInstance:
    """The instance whose history lies in ``folder``, as each process opens it for itself."""
    (folder / "dagster.yaml").write_text(_CONFIGURATION.format(folder=folder))
    return dg.DagsterInstance.from_config(str(folder))


def fresh() -> dg.DagsterInstance:
    """An instance with a history of its own, which goes when the instance does. Half as dear as Dagster's in memory."""
    folder = tempfile.TemporaryDirectory()
    instance = kept_in(Path(folder.name))
    weakref.finalize(instance, folder.cleanup)
    return instance
