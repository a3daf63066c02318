"""``make demo``: invented exports of the configured accounts, landed and processed, and what came out of it.

The numbers are invented and the accounts are real: the demo never touches a folder that holds exports of somebody else,
and ``--remove`` takes all of it away again.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import os
import sys
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from tiktok_assets.accounts import Roster, load_roster
from tiktok_assets.settings import Settings, load_settings, project_root
from tiktok_assets.simulator.account import SimulatedAccount, Traits
from tiktok_assets.simulator.exports import land, studio_exports, usual_quirks

out = Console()

DAYS = 365
ACCOUNTS = 2


def main() -> int:
    """Land, process, and print what each warehouse table holds. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument(
        "--remove", action="store_true", help="take the demo's exports and everything made of them away"
    )
    settings, remove = load_settings(), parser.parse_args().remove
    os.chdir(project_root())  # Dagster's history lies in a folder relative to the current one
    marker = Path(str(settings.landing)) / ".demo.json"
    if remove:
        return _remove(settings, marker)
    if strangers := _not_ours(settings, marker):
        out.print(
            f"{settings.landing} holds exports that are not the demo's ({strangers[0].name}): invented numbers would "
            "mix with them. Run the demo elsewhere: TIKTOK_DATA_DIR=data/demo make demo",
            style="red",
            soft_wrap=True,
        )
        return 1
    landed = _land(settings, load_roster(settings))
    marker.write_text(json.dumps(sorted({*_marked(marker), *landed}), indent=1))
    return _process(settings)


def _land(settings: Settings, roster: Roster) -> list[str]:
    """Four exports of the last year for each account; the sha256 of each."""
    now = dt.datetime.now(dt.UTC).replace(hour=18, minute=0, second=0, microsecond=0) - dt.timedelta(days=1)
    last = now.date() - dt.timedelta(days=1)
    first = last - dt.timedelta(days=DAYS - 1)
    digests = []
    for seed, key in enumerate(roster.partition_keys()[:ACCOUNTS], start=1):
        viral = last - dt.timedelta(days=20 * seed)
        traits = Traits(viral_day=viral, size="medium")
        account = SimulatedAccount.generate(
            roster[key].handle, seed, first - dt.timedelta(days=30), last, traits=traits
        )
        for export in studio_exports(account, first, last, downloaded_at=now, quirks=usual_quirks(account, now)):
            digest = hashlib.sha256(export.content).hexdigest()
            folder = Path(str(settings.landing)) / key
            if not any(hashlib.sha256(path.read_bytes()).hexdigest() == digest for path in folder.glob("*.zip")):
                land(export, folder)
            digests.append(digest)
    return digests


def _process(settings: Settings) -> int:
    from tiktok_assets.printing import bar, print_result
    from tiktok_assets.processing import process

    with bar("Processing", quiet=False) as progress:
        result = process(settings, progress=progress)
    if result.accounts:
        print_result(result)
    table = Table("table", "rows", "accounts", box=None, pad_edge=False)
    with duckdb.connect(settings.warehouse, read_only=True) as connection:
        for (name,) in connection.execute("select table_name from duckdb_tables() order by 1").fetchall():
            counted = connection.execute(f"select count(*), count(distinct account) from {name}").fetchone() or (0, 0)
            table.add_row(name, f"{counted[0]:,}", str(counted[1]))
    out.print("\nInvented exports went the whole way; these tables can be queried now:", highlight=False)
    out.print(table)
    out.print(
        f"\nLook at the graph:     make dev, then open http://127.0.0.1:3000/asset-groups"
        f"\nAsk the warehouse:     {settings.warehouse} with any DuckDB client"
        f"\nUse your own exports:  make demo-remove, then drop ZIPs into {settings.landing}",
        highlight=False,
        soft_wrap=True,
    )
    return 0 if result.is_clean else 1


def _remove(settings: Settings, marker: Path) -> int:
    from tiktok_assets.rebuilding import rebuild

    ours = _marked(marker)
    for path in Path(str(settings.landing)).rglob("*.zip"):
        if hashlib.sha256(path.read_bytes()).hexdigest() in ours:
            path.unlink()
    marker.unlink(missing_ok=True)
    rebuild(settings)
    out.print("The demo is gone; what was made of other exports was made again.")
    return 0


def _not_ours(settings: Settings, marker: Path) -> list[Path]:
    """Files in landing that the demo did not make."""
    ours, files = _marked(marker), sorted(Path(str(settings.landing)).rglob("*"))
    return [
        path
        for path in files
        if path.is_file() and path != marker and hashlib.sha256(path.read_bytes()).hexdigest() not in ours
    ]


def _marked(marker: Path) -> set[str]:
    return set(json.loads(marker.read_text())) if marker.exists() else set()


if __name__ == "__main__":
    sys.exit(main())
