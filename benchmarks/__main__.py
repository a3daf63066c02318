"""``make bench``: the figures of the README, group by group, as medians and ratios.

python -m benchmarks                          # all but the large ones; takes some minutes
python -m benchmarks --only machinery small   # these
python -m benchmarks --only drop many history # the large ones, for a quiet machine
python -m benchmarks --only workers requests  # of a cluster, after `make cluster-setup`
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import (
    alignment,
    analytics,
    drop,
    extraction,
    machinery,
    many_machines,
    parsing,
    processing,
    reading,
)
from benchmarks.timing import Pair

Group = Callable[[Path, argparse.Namespace], list[Table]]


def _pairs(measure: Callable[[Path], list[Pair]]) -> Group:
    def measured(folder: Path, _: argparse.Namespace) -> list[Table]:
        table = Table("what", "seconds", "reference", "ratio")
        for pair in measure(folder):
            table.add_row(pair.name, f"{pair.ours:.2f}", f"{pair.floor:.2f}", f"{pair.ratio:.2f}")
        return [table]

    return measured


GROUPS: dict[str, Group] = {
    "parsing": _pairs(parsing.measure),
    "reading": _pairs(reading.measure),
    "look": _pairs(processing.measure_tick),
    "growth": _pairs(processing.measure_growth),
    "analytics": _pairs(analytics.measure),
    "alignment": _pairs(alignment.measure),
    "extraction": _pairs(extraction.measure),
    "machinery": lambda folder, asked: machinery.measure(folder, asked.years, asked.commit, asked.rounds),
    "small": lambda folder, asked: machinery.measure_small(folder, asked.rounds),
    "one": lambda folder, asked: drop.measure_one(folder, asked.drops),
}
LARGE: dict[str, Group] = {
    "drop": lambda folder, asked: drop.measure(folder, asked.accounts),
    "many": lambda folder, asked: machinery.measure_many(folder, asked.many),
    "history": lambda folder, asked: drop.measure_history(folder, asked.accounts, asked.visits),
    "workers": lambda folder, asked: many_machines.measure(folder, asked.on_workers, asked.workers),
    "requests": lambda folder, asked: many_machines.measure_requests(folder, asked.objects),
}


def options() -> argparse.ArgumentParser:
    every = [*GROUPS, *LARGE]
    parser = argparse.ArgumentParser("python -m benchmarks", description="Measure whole tasks against a floor.")
    parser.add_argument(
        "--only", nargs="+", choices=every, default=list(GROUPS), metavar="GROUP", help=", ".join(every)
    )
    parser.add_argument("--years", nargs="+", type=int, default=[8, 20], help="accounts of a year each (machinery)")
    parser.add_argument("--commit", default="eb20a3f", help="the earlier commit to compare with (machinery)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each side is measured (machinery, small)")
    parser.add_argument("--drops", type=int, default=5, help="how often a ZIP is dropped (one)")
    parser.add_argument("--accounts", type=int, default=300, help="accounts dropped at once (drop, history)")
    parser.add_argument("--visits", type=int, default=10, help="visits known before, against one (history)")
    parser.add_argument("--many", type=int, default=1000, help="accounts processed at once (many)")
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2, 3], help="lake workers (workers)")
    parser.add_argument("--on-workers", type=int, default=50, help="accounts for the lake workers (workers)")
    parser.add_argument("--objects", type=int, default=10_000, help="objects in landing on S3 (requests)")
    return parser


def main() -> None:
    """Measure each group in a temp folder, and print it when it is done."""
    asked = options().parse_args()
    console = Console(width=150)
    for name in asked.only:
        print(f"{name} ...", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="tiktok-assets-bench-") as folder:
            for table in (GROUPS | LARGE)[name](Path(folder) / name, asked):
                table.box, table.pad_edge = None, False
                console.print(table)
                console.print()


if __name__ == "__main__":
    main()
