"""``make bench``: all figures, as a table of medians and ratios. Takes some minutes."""

from __future__ import annotations

import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import alignment, analytics, extraction, parsing, processing


def main() -> None:
    """Measure everything in a temp folder and print it."""
    with tempfile.TemporaryDirectory(prefix="tiktok-assets-bench-") as name:
        folder = Path(name)
        pairs = [
            *parsing.measure(folder / "parsing"),
            *processing.measure_whole(folder / "whole"),
            *processing.measure_tick(folder / "tick"),
            *processing.measure_growth(folder / "growth"),
            *analytics.measure(folder / "analytics"),
            *alignment.measure(folder / "alignment"),
            *extraction.measure(folder / "extraction"),
        ]
    table = Table("what", "seconds", "beside it", "ratio", box=None, pad_edge=False)
    for pair in pairs:
        table.add_row(pair.name, f"{pair.ours:.2f}", f"{pair.floor:.2f}", f"{pair.ratio:.2f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
