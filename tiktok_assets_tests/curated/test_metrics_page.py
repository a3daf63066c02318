"""docs/metrics.md against the code: every anomaly and check, and the thresholds it names."""

from __future__ import annotations

import re
from pathlib import Path

from tiktok_assets.curated.account import benchmarks
from tiktok_assets.curated.quality import anomaly_rules, scores
from tiktok_assets.curated.quality.quality import ANOMALIES, CHECKS
from tiktok_assets.curated.registry import WAREHOUSE
from tiktok_assets.curated.songs import song_daily, song_weeks
from tiktok_assets.curated.videos import counted, equal_age, peers, total_bounds, viral

PAGE = (Path(__file__).parents[2] / "docs/metrics.md").read_text()
TEXT = re.sub(r"\s+", " ", PAGE)


def test_the_table_of_anomalies_names_each_with_its_kinds_and_its_check() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| `")
    ]
    listed = {row[0].strip("`"): (row[2].replace("_", " "), row[3].strip("`")) for row in rows if len(row) == 4}
    assert set(listed) == set(ANOMALIES)
    for anomaly, (kinds, check) in listed.items():
        assert check == CHECKS[anomaly]
        ruled = {rule.kind.replace("_", " ") for rule in anomaly_rules.RULES if rule.anomaly == anomaly}
        assert ruled == {kind for kind in ("data error", "event") if kind in kinds}, anomaly


def test_the_thresholds_are_those_of_the_code() -> None:
    for sentence in (
        f"it has {viral.MIN_VIEWS:,} views or more",
        f"it gained per day {viral.GROWTH_THRESHOLD:.0f} times",
        f"it has {viral.MEDIAN_THRESHOLD:.0f} times the median of the account's other videos at equal age, if "
        f"there are at least {peers.MIN_PEERS}",
        f"at most {counted.LONGEST_GAP} days apart",
        f"a list of more than {total_bounds.MOST_VIDEOS:,} videos",
        f"the {equal_age.NEIGHBOURS} videos before it, itself, and the {equal_age.NEIGHBOURS} after it",
        f"nearest to an age of {equal_age.REFERENCE_AGE} days",
        f"m / (m + {equal_age.DOUBT})",
        f"below {equal_age.MIN_GROUP} videos in the group or outside it, or {equal_age.MIN_VIDEOS} in all",
        f"The {benchmarks.WINDOW} days up to",
        f"in snapshots of the {song_daily.VIDEOS_BACK} days before",
        f"days since the release / {song_weeks.DAYS}, rounded down",
        f"more than {anomaly_rules.VIEWERS_TIMES} times as many viewers",
        f"more than {anomaly_rules.NET_REMOVALS} likes",
        f"in the {scores.HISTORY // 7} weeks before",
        f"Far means {anomaly_rules.UNUSUAL} robust deviations",
        f"and {anomaly_rules.TIMES} times as much or a third",
        f"or {anomaly_rules.VIEWS_RECORD} times (engagement: {anomaly_rules.ENGAGEMENT_RECORD} times)",
    ):
        assert sentence in TEXT, sentence


def test_every_column_it_names_is_one_of_the_warehouse() -> None:
    known = {name for table in WAREHOUSE for name in table.columns}
    day = PAGE.split("## A week")[0]
    named = {name for row in re.findall(r"^\| (`.*?) \|", day, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert named - {"_28d"} <= known
    assert named >= {"engagement_rate", "net_followers"}
