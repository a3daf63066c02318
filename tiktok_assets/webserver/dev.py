"""``dagster dev`` with the guarded web server, and the same options: ``python -m tiktok_assets.webserver.dev``.

``dagster dev`` starts its web server as ``python -m dagster_webserver``; nothing else of it is changed. The version is
pinned; ``test_dev`` fails where a new one starts it otherwise.
"""

from __future__ import annotations

import subprocess
import warnings
from collections.abc import Sequence
from typing import Any

from dagster._cli import dev
from dagster_shared.ipc import open_ipc_subprocess

_DAGSTERS, _OURS = ("-m", "dagster_webserver"), ("-m", "tiktok_assets.webserver.server")


def main() -> None:
    """The command."""
    warnings.filterwarnings("ignore", "Function `dev_command` is superseded")  # by `dg dev`, which has other options
    dev.open_ipc_subprocess = open_guarded  # pyright: ignore[reportPrivateImportUsage]
    dev.dev_command()


def open_guarded(command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a process of ``dagster dev``: the guarded web server instead of Dagster's, everything else as it is."""
    interpreter, *module = command[:3]
    return open_ipc_subprocess(
        [interpreter, *(_OURS if tuple(module) == _DAGSTERS else module), *command[3:]], **options
    )


if __name__ == "__main__":
    main()
