"""What we use of Playwright's inside is still there, in the version that is pinned. ``test_download`` sees it work."""

from __future__ import annotations

import importlib.metadata
import inspect
import tomllib

from playwright.async_api import Download as AsyncDownload
from playwright.sync_api import Download

from tiktok_assets.settings import project_root
from tiktok_assets.studio import playwright_internals


def test_the_version_is_one_that_is_pinned_and_named() -> None:
    major, minor, *_ = importlib.metadata.version("playwright").split(".")
    dependencies = tomllib.loads((project_root() / "pyproject.toml").read_text())["project"]["dependencies"]
    assert f"playwright>={major}.{minor},<{major}.{int(minor) + 1}" in dependencies
    assert f"Playwright {major}.{minor} " in str(playwright_internals.__doc__)


def test_a_download_hands_its_question_to_an_inner_one_that_can_be_awaited() -> None:
    assert callable(Download._sync)
    assert "self._impl_obj.failure()" in inspect.getsource(Download.failure)
    assert inspect.iscoroutinefunction(AsyncDownload.failure)
