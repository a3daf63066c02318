"""Makes the frozen data folders of earlier versions: ``python -m tiktok_assets_tests.upgrades.recipe CHECKOUT NAME``.

CHECKOUT is a checkout of the earlier version (``git worktree add ../earlier COMMIT``), which runs with the packages
installed here. The exports of ``landed`` are processed by its own ``tiktok-assets process`` in two visits, and the data
folder with the history is packed into ``NAME.tar.xz`` beside this module.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.exports import GeneratedExport, land, studio_exports

ACCOUNT = "pig1987"
HERE = Path(__file__).parent
VISITS = ((date(2025, 5, 20), date(2025, 6, 16)), (date(2025, 6, 10), date(2025, 7, 7)))
NEW = (date(2025, 7, 1), date(2025, 7, 28))
"""The window of the visit that the current version processes."""


def exports(first: date, last: date) -> tuple[GeneratedExport, ...]:
    """The exports of one visit: every section."""
    truth = SimulatedAccount.generate(ACCOUNT, 7, date(2025, 1, 1), date(2025, 12, 31))
    return studio_exports(
        truth, first, last, downloaded_at=datetime(last.year, last.month, last.day + 2, 16, tzinfo=UTC)
    )


def land_visit(data: Path, first: date, last: date) -> None:
    """Drop the exports of a visit into landing."""
    for export in exports(first, last):
        land(export, data / "landing" / ACCOUNT / f"{last}")


def environment(home: Path) -> dict[str, str]:
    """Of a command on the installation in ``home``, without the settings of the current user."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("TIKTOK_", "DAGSTER_"))}
    return ours | {
        "TIKTOK_DATA_DIR": str(home / "data"),
        "TIKTOK_LANDING_PATH": str(home / "data/landing"),
        "TIKTOK_ACCOUNTS": ACCOUNT,
        "TIKTOK_START_DATE": "2025-01",
        "DAGSTER_DISABLE_TELEMETRY": "1",
    }


def make(checkout: Path, name: str) -> Path:
    """Process both visits with the version of ``checkout``, and pack what it left."""
    module = "tiktok_assets.cli.app" if (checkout / "tiktok_assets/cli").is_dir() else "tiktok_assets.cli"
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        for visit in VISITS:
            land_visit(home / "data", *visit)
            subprocess.run(
                [sys.executable, "-c", f"from {module} import main; main()", "process"],
                cwd=checkout,
                env=environment(home) | {"PYTHONPATH": str(checkout)},
                check=True,
            )
        packed = HERE / f"{name}.tar.xz"
        with tarfile.open(packed, "w:xz") as archive:
            archive.add(home / "data", "data")
            if (checkout / ".dagster").is_dir():  # where versions before 2026-11-28 kept the history
                archive.add(checkout / ".dagster", ".dagster")
    return packed


def unpack(name: str, home: Path) -> Path:
    """The data folder that the version of ``name`` left, in ``home``."""
    with tarfile.open(HERE / f"{name}.tar.xz") as archive:
        archive.extractall(home, filter="data")
    return home / "data"


if __name__ == "__main__":
    print(make(Path(sys.argv[1]).resolve(), sys.argv[2]))
