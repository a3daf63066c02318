"""The wheel, installed without a checkout: a folder made by ``tiktok-assets init`` works as the checkout does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tiktok_assets.cli.init import FILES
from tiktok_assets.settings import project_root
from tiktok_assets_tests.e2e.dagster_dev import DagsterDev
from tiktok_assets_tests.landing_files import export

pytestmark = pytest.mark.e2e

COMMAND = "from importlib.metadata import entry_points; [e] = entry_points(name='tiktok-assets'); e.load()()"
BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"


class Installed(DagsterDev):
    """A project folder and the Python that has only the wheel; settings are those of the folder."""

    @property
    def environment(self) -> dict[str, str]:
        ours = ("TIKTOK_", "DAGSTER_", "PYTHON", "VIRTUAL_ENV")
        return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | {
            "DAGSTER_HOME": str(self.home)
        }

    def command(self, *arguments: str, folder: Path | None = None) -> str:
        """What ``tiktok-assets`` prints."""
        done = subprocess.run(
            [self.python, "-c", COMMAND, *arguments],
            cwd=folder or self.home,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of the checkout, because a build leaves files in the folder."""
    copy, built = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("wheel")
    for name in ("tiktok_assets", "data"):
        ignored = shutil.ignore_patterns("__pycache__", *(() if name != "data" else ("[!R]*",)))
        shutil.copytree(project_root() / name, copy / name, ignore=ignored)
    for path in project_root().iterdir():
        if path.is_file() and path.name != ".env":
            shutil.copy(path, copy)
    subprocess.run([sys.executable, "-c", BUILD, str(built)], cwd=copy, check=True, capture_output=True)
    return next(built.glob("*.whl"))


@pytest.fixture
def installed(wheel: Path, tmp_path: Path) -> Iterator[Installed]:
    """A separate Python with the wheel; its dependencies come from the Python that runs the tests."""
    venv.create(tmp_path / "python", symlinks=True)
    python = tmp_path / "python/bin/python"
    query = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(subprocess.run([python, "-c", query], capture_output=True, text=True, check=True).stdout.strip())
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    one = Installed(
        home=tmp_path / "label", accounts=("pig1987",), sensor_interval=10, studio_url="", python=str(python)
    )
    try:
        yield one
    finally:
        one.stop()


def test_a_folder_made_by_init_processes_reports_and_opens_in_dagster(installed: Installed, tmp_path: Path) -> None:
    installed.command("init", str(installed.home), folder=tmp_path)
    for name in FILES:
        assert (installed.home / name).read_bytes() == (project_root() / name).read_bytes()

    dropped = export("pig1987", "overview")
    (installed.home / "data/landing/pig1987").mkdir()
    (installed.home / "data/landing/pig1987" / dropped.name).write_bytes(dropped.content)
    assert "pig1987" in installed.command("process")
    assert (installed.home / "data/warehouse/tiktok.duckdb").is_file()
    installed.command("report", "pig1987")
    assert "pig1987" in (installed.home / "data/reports/pig1987.html").read_text()

    installed.start()
    assert len(installed.runs()) == 1  # the history that `process` wrote is the one that Dagster shows


def test_init_keeps_what_is_there(installed: Installed, tmp_path: Path) -> None:
    installed.home.mkdir()
    (installed.home / "accounts.toml").write_text("[accounts.mine]\n")
    assert "accounts.toml: kept" in installed.command("init", str(installed.home), folder=tmp_path)
    assert (installed.home / "accounts.toml").read_text() == "[accounts.mine]\n"
    below = installed.home / "data/landing"
    assert "mine" in installed.command("accounts", "list", folder=below)  # from any folder of the project
