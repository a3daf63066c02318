"""Packs a project's files beside the package, for ``tiktok-assets init``. All else is in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PROJECT_FILES = ("accounts.toml", "workspace.yaml", "dagster.yaml", ".env.example", "data/README.md")


class BuildWithProjectFiles(build_py):
    """As ``build_py``, with the files of a new project folder in ``tiktok_assets/project``."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:  # they lie at the checkout's root
            return
        for name in PROJECT_FILES:
            target = Path(self.build_lib, "tiktok_assets/project", name)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(name, target)


setup(cmdclass={"build_py": BuildWithProjectFiles})
