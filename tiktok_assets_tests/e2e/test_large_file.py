"""The largest file there is, Business Suite's list of a million videos, on a laptop."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tiktok_assets.exports.archive import IN_MEMORY_BYTES
from tiktok_assets.settings import Settings, project_root
from tiktok_assets_tests import budget
from tiktok_assets_tests.conftest import Install
from tiktok_assets_tests.export_files import deflated
from tiktok_assets_tests.landing_files import drop, landing

VIDEOS = 1_000_000
TITLE = "A day in the studio, take"

# In separate processes: the peak memory of this one includes all earlier tests, and ``resource`` has the parent's.
PRINT_PEAK = """
[peak] = [line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
print(peak)
"""
PROCESS = (
    """
import sys
from pathlib import Path
from tiktok_assets.pipeline.process import process
from tiktok_assets.settings import Settings
from tiktok_assets_tests.instances import fresh

home = sys.argv[1]
settings = Settings(data_dir=f"{home}/data", accounts_file=f"{home}/accounts.toml")
result = process(settings, instance=fresh())
assert [(one.account, one.error) for one in result.accounts] == [("pig1987", None)], result
"""
    + PRINT_PEAK
)


def video_list() -> bytes:
    """150 MB: a video every 150 seconds from 2020 on, of 7 views, 3 likes ... more than the one before."""
    header = "Video title,Video link,Post time,Video views,Likes,Comments,Shares,Add to Favorites"
    days = [f"{dt.date(2020, 9, 13) + dt.timedelta(days=day):%Y/%m/%d}" for day in range(VIDEOS * 150 // 86_400 + 2)]
    start = 1_600_000_000
    lines = [header]
    for number in range(VIDEOS):
        second = start + 150 * number
        day, rest = divmod(second, 86_400)
        time = f"{days[day - start // 86_400]} {rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
        link = f"https://www.tiktok.com/@pig1987/video/{second << 32 | number}"
        counts = f"{7 * number},{3 * number},{number % 100},{number % 50},{number % 10}"
        lines.append(f'"{TITLE} {number} #music #studio",{link},{time},{counts}')
    return "\n".join(lines).encode()


INSPECT = (
    """
import sys
from pathlib import Path
from tiktok_assets.inbox.contents import contents_of

assert contents_of(Path(sys.argv[1]), (), None).sections == ("content",)
"""
    + PRINT_PEAK
)


def studio_list(separator: str, rows: int) -> bytes:
    """As Studio writes it; 800,000 rows are 120 MB: with the column Time and months without a year."""
    header = (
        "Time",
        "Video title",
        "Video link",
        "Post time",
        *(f"Total {one}" for one in ("likes", "shares", "views")),
    )
    lines = ["\ufeff" + separator.join(f'"{name}"' for name in header)]
    for number in range(rows):
        second = 1_600_000_000 + 150 * number
        link = f"https://www.tiktok.com/@pig1987/video/{second << 32 | number}"
        row = (
            "June 22",
            f"{TITLE} {number} #music #studio",
            link,
            f"May {1 + number % 31}",
            f"{number}",
            "5",
            "9000000",
        )
        lines.append(separator.join(f'"{cell}"' for cell in row))
    return "\n".join(lines).encode()


def on_its_own(code: str, path: Path) -> subprocess.CompletedProcess[str]:
    """``code`` in a process of its own, where Polars has as many threads as a user's: each of them takes memory."""
    environment = {name: value for name, value in os.environ.items() if name != "POLARS_MAX_THREADS"}
    command = [sys.executable, "-c", code, str(path)]
    return subprocess.run(command, capture_output=True, text=True, cwd=project_root(), env=environment, check=False)


@pytest.mark.e2e
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak of memory from Linux")
@pytest.mark.parametrize(
    ("name", "separator", "rows"),
    [
        pytest.param("Content.csv", ",", 800_000, marks=budget.in_the_long_run),
        ("Content.csv", ";", 150_000),
        ("Content_a.zip", ",", 150_000),
    ],
)
def test_a_list_in_studios_form_is_read_in_less_than_400_megabytes(
    tmp_path: Path, name: str, separator: str, rows: int
) -> None:
    content = studio_list(separator, rows)
    assert len(content) > 145 * rows > IN_MEMORY_BYTES
    path = drop(deflated({"Content.csv": content}) if name.endswith(".zip") else content, tmp_path, name)
    done = on_its_own(INSPECT, path)
    assert done.returncode == 0, done.stderr
    megabytes = int(done.stdout.split()[-1]) // 1024
    assert megabytes < 400, f"{megabytes} MB"


@pytest.mark.e2e
@pytest.mark.skipif(budget.FACTOR == 1, reason="takes a minute: in make test-long")
def test_a_list_of_a_million_videos_takes_less_than_600_megabytes(install: Install) -> None:
    settings: Settings = install("pig1987")
    content = video_list()
    assert len(content) > 150_000_000
    drop(content, landing(settings) / "pig1987", "Video list.csv")
    home = Path(str(settings.data_dir)).parent
    done = on_its_own(PROCESS, home)
    assert done.returncode == 0, done.stderr
    with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
        (found,) = warehouse.sql(
            "select count(*), count(distinct video_id), sum(total_views), sum(total_likes), sum(favorites), "
            f"min(published_at), max(published_at), count(*) filter (title like '{TITLE} % #music #studio') "
            "from content_performance"
        ).fetchall()
    numbers = range(VIDEOS)
    first = dt.datetime(2020, 9, 13, 12, 26, 40, tzinfo=dt.UTC).replace(tzinfo=None)  # as stored in the warehouse
    last = first + dt.timedelta(seconds=150 * (VIDEOS - 1))
    views, likes, favorites = 7 * sum(numbers), 3 * sum(numbers), sum(number % 10 for number in numbers)
    assert found == (VIDEOS, VIDEOS, views, likes, favorites, first, last, VIDEOS)
    megabytes = int(done.stdout.split()[-1]) // 1024
    print(f"{megabytes} MB")
    assert megabytes < 600, f"{megabytes} MB"
