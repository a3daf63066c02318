"""docs/streams.md: its files, dropped as they are, give the results and the refusals that it shows."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from tiktok_assets.curated.songs.song_daily import SongDays
from tiktok_assets.curated.views import VIEWS
from tiktok_assets.exports.problems import ExportProblem
from tiktok_assets.pipeline.process import process
from tiktok_assets.settings import project_root
from tiktok_assets.streams.columns import NAMES
from tiktok_assets.streams.reading import read_streams
from tiktok_assets_tests.conftest import History, Install
from tiktok_assets_tests.streams.files import dropped

PAGE = (project_root() / "docs/streams.md").read_text()
TITLED = re.findall(r'^```(?:csv|toml) title="([^"]+)"\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL)
REFUSED = [(title.removeprefix("refused: "), text) for title, text in TITLED if title.startswith("refused")]
QUERIES = re.findall(r'^```sql\n(.*?)^```\n\n```csv title="result"\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("reason", "text"), REFUSED)
def test_a_file_it_refuses_is_refused_for_that_reason(tmp_path: Path, reason: str, text: str) -> None:
    with pytest.raises(ExportProblem) as problem:
        read_streams(dropped(tmp_path, "refused.csv", text), "refused.csv")
    assert problem.value.reason == reason


def test_its_files_give_its_results(install: Install, tmp_path: Path, history: History) -> None:
    settings = install("pig1987", songs_file=tmp_path / "songs.toml")
    files = {title: text for title, text in TITLED if not title.startswith(("refused", "result"))}
    settings.songs_file.write_text(files.pop("songs.toml"))
    for name, text in files.items():
        dropped(Path(str(settings.landed_streams)), name, text)
    result = process(settings, instance=history())
    assert result.is_clean and result.streams is not None and result.streams.warned_checks == {}
    assert len(files) == result.streams.files == len(QUERIES) == 2
    with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
        streams = warehouse.sql("from song_streams").to_arrow_table()
    with duckdb.connect() as memory:
        memory.register("song_streams", streams)
        memory.register("song_days", SongDays.empty().to_arrow())
        memory.execute(f"create view song_views_and_streams as {VIEWS['song_views_and_streams'].query}")
        for query, expected in QUERIES:
            target = tmp_path / "result.csv"
            memory.execute(f"copy ({query}) to '{target}' (header false)")
            assert target.read_text() == expected


def test_it_names_every_column_that_is_read() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|[^|]*\|(.*)\|$", PAGE, re.MULTILINE))
    assert {column: tuple(re.findall("`([^`]+)`", others)) for column, others in rows.items()} == {
        column: names[1:] for column, names in NAMES.items()
    }
