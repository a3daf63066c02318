"""What the pages about other programs say is done as they say it: the notebook, the snippets, the commands."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner

from tiktok_assets.cli.app import app
from tiktok_assets.settings import Settings
from tiktok_assets_tests.sql_pages import PIG, publish_label

PAGES = Path(__file__).parent.parent / "docs/bi"
NOTEBOOK = json.loads((PAGES / "notebook.ipynb").read_text())
CODE = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
COMMANDS = [
    line for page in sorted(PAGES.glob("*.md")) for line in re.findall(r"^tiktok-assets (.+)$", page.read_text(), re.M)
]


@pytest.fixture
def label(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The warehouse of the label, in a project's folder that is the current one."""
    publish_label(settings)
    monkeypatch.chdir(str(settings.accounts_file.parent))
    monkeypatch.setenv("TIKTOK_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("TIKTOK_ACCOUNTS_FILE", str(settings.accounts_file))
    return settings


def snippets(page: str) -> list[str]:
    return re.findall(r"```python\n(.+?)```", (PAGES / page).read_text(), re.DOTALL)


def test_the_notebook_runs_from_its_first_cell_to_its_last(label: Settings) -> None:
    with duckdb.connect(label.warehouse) as warehouse:
        warehouse.execute("delete from social_media_stats where account = 'pig1987' and date = '2026-03-10'")
    names: dict[str, Any] = {}
    for cell in CODE:
        exec("".join(cell["source"]), names)
    # 28 + 22 days of pig1987 without the deleted one; 28 + 21 of zonea0.
    assert names["recent"].group_by("account").len().sort("account")["len"].to_list() == [49, 49]
    (drawn,) = names["chart"].to_dict()["datasets"].values()
    gaps = [one["date"][:10] for one in drawn if one["video_views"] is None and one["account"] == PIG]
    assert gaps == ["2026-03-05", "2026-03-10"]
    assert names["monthly"].rows() == [("2026-02", 308 / 3360), ("2026-03", 266 / 2870)]


def test_the_notebook_is_kept_without_outputs() -> None:
    assert [(cell["outputs"], cell["execution_count"]) for cell in CODE] == [([], None)] * len(CODE)
    assert len({cell["id"] for cell in NOTEBOOK["cells"]}) == len(NOTEBOOK["cells"])


def test_the_snippets_of_the_notebooks_page_give_frames(label: Settings) -> None:
    names: dict[str, Any] = {}
    for snippet in snippets("notebook.md"):
        exec(snippet, names)
    assert (names["days"].height, names["days"]["account"].unique().to_list()) == (50, [PIG])
    assert names["videos"].height == 6
    assert names["months"].filter(pl.col("month") == "2026-02")["video_views"].to_list() == [2800, 560]


def test_a_copy_for_older_drivers_has_their_format_and_every_row(label: Settings) -> None:
    (snippet,) = snippets("index.md")
    exec(snippet)
    copy = Path("tiktok-for-older-drivers.duckdb")
    versions = [int.from_bytes(file.read_bytes()[12:20], "little") for file in (copy, label.warehouse)]
    assert versions == [64, 999]  # of DuckDB 1.0, of DuckDB 2.0
    with duckdb.connect(copy, read_only=True) as copied, duckdb.connect(label.warehouse, read_only=True) as warehouse:
        for table in ("social_media_stats", "social_media_stats_weekly", "_columns"):
            assert copied.sql(f"from {table}").fetchall() == warehouse.sql(f"from {table}").fetchall()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_writes_the_file_it_names(label: Settings, command: str) -> None:
    arguments = shlex.split(command.replace("/path/to/", ""))
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert Path(arguments[-1]).stat().st_size > 0


def test_the_pages_name_commands() -> None:
    assert len(COMMANDS) >= 5
