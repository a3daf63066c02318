"""``make demo``: a simulated Studio, both accounts exported through a real browser, and the whole graph run on it.

The numbers are invented and the accounts are real: the demo never touches a folder that holds other exports, keeps no
login, counts towards no limit, and ``--remove`` removes all of it.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import hashlib
import json
import sys
import tempfile
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table
from upath import UPath

from tiktok_assets.accounts import Account, Roster, load_roster
from tiktok_assets.exports.names import INSIGHTS, SECTIONS
from tiktok_assets.exports.windows import last_day_with_data
from tiktok_assets.failures import Failure
from tiktok_assets.inbox.files import files_below, free_place, identity
from tiktok_assets.settings import Settings, load_settings
from tiktok_assets.simulator.studio import StudioAccount, StudioWorld, invent_account, serve, totp
from tiktok_assets.simulator.traits import Traits
from tiktok_assets.storage.lake import Lake
from tiktok_assets.studio.extraction import in_browser, sentence
from tiktok_assets.studio.landed import extraction_request
from tiktok_assets.studio.login import SimulatorLogin, log_in

out = Console()

DAYS = 180
ACCOUNTS = 2


def main() -> int:
    """Extract, process, and print what each warehouse table holds. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--remove", action="store_true", help="remove the demo's exports and everything made from them")
    settings, remove = load_settings(), parser.parse_args().remove
    marker = Path(str(settings.landing)) / ".demo.json"
    if remove:
        return _remove(settings, marker)
    if unowned := _not_ours(settings, marker):
        out.print(
            f"{unowned[0].parent} holds exports that are not the demo's ({unowned[0].name}): invented numbers "
            "would mix with them. Run the demo elsewhere: TIKTOK_DATA_DIR=data/demo make demo",
            style="red",
            soft_wrap=True,
        )
        return 1
    try:
        landed = _extract(settings, load_roster(settings))
    except Failure as failure:
        out.print(str(failure.description), style="red", markup=False, soft_wrap=True)
        return 1
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text(json.dumps(sorted({*_marked(marker), *landed}), indent=1))
    return _process(settings, load_roster(settings))


def _extract(settings: Settings, roster: Roster) -> list[str]:
    """Log in to the simulator, export half a year, land the files; the sha256 of each.

    It runs in an installation of its own, so that no login, limit or checkpoint of the demo is left in this one.
    """
    now = dt.datetime.now(dt.UTC)
    accounts = [roster[key] for key in roster.partition_keys()[:ACCOUNTS]]
    logins = [_invented(account.handle, seed, now.date()) for seed, account in enumerate(accounts, start=1)]
    settings.state.mkdir(parents=True, exist_ok=True)
    world = StudioWorld(logins, export_interval=dt.timedelta())
    with serve(world) as address, tempfile.TemporaryDirectory(dir=settings.state) as folder:
        out.print(f"Simulated TikTok Studio on {address}: all of its data is invented.\n", highlight=False)
        scratch = settings.model_copy(
            update={
                "data_dir": UPath(folder),
                "studio_url": address,
                "headless": True,
                "export_interval": 0.0,
                "account_spacing": 0.0,
                "max_export_days": DAYS,
            }
        )
        for account, login in zip(accounts, logins, strict=True):
            _visit(scratch, account, login, world, now)
        return _move(Lake(scratch), Lake(settings))


def _invented(handle: str, seed: int, today: dt.date) -> StudioAccount:
    viral = today - dt.timedelta(days=20 * seed)
    begins, ends = today - dt.timedelta(days=DAYS + 30), today + dt.timedelta(days=1)
    traits = Traits(viral_day=viral, size="medium")
    return invent_account(handle, seed, begins, ends, traits=traits, locale=("en", "el")[seed % 2])


def _visit(settings: Settings, account: Account, login: StudioAccount, world: StudioWorld, now: dt.datetime) -> None:
    """Log in with password and code, then one visit: four exports and insights."""
    secret = str(login.totp_secret)
    owner = SimulatorLogin(handle=login.handle, password=login.password, code=lambda: totp(secret, world.now()))
    session = log_in(settings, account, headless=True, help_with=owner)
    ends = f", until {session.expires_at:%Y-%m-%d}" if session.expires_at else ""
    out.print(f"{account.key}: @{account.handle} is logged in{ends}", highlight=False)
    extractor = dataclasses.replace(
        in_browser(settings), on_landed=lambda one: out.print(sentence(one), highlight=False, soft_wrap=True)
    )
    first = last_day_with_data(now) - dt.timedelta(days=DAYS - 1)
    sections = [*SECTIONS, INSIGHTS]
    outcome = extractor(extraction_request(Lake(settings), account, sections, first, now.date(), now=now))
    if outcome.failure:
        raise outcome.failure


def _move(source: Lake, target: Lake) -> list[str]:
    """Move everything that landed in ``source`` to ``target``; the sha256 of each file."""
    digests = []
    with target.alone("intake"):
        for path in files_below(source.settings.landing):
            digests.append(identity(path))
            below = path.relative_to(source.settings.landing)
            target.move(path, free_place(target, *below.parts))
    return digests


def _process(settings: Settings, roster: Roster) -> int:
    from tiktok_assets.cli.output import bar, print_result
    from tiktok_assets.pipeline.process import process

    with bar("Processing", quiet=False) as progress:
        result = process(settings, progress=progress)
    if result.accounts:
        print_result(result)
    table = Table("table", "rows", "accounts", box=None, pad_edge=False)
    with duckdb.connect(settings.warehouse, read_only=True) as connection:
        for (name,) in connection.execute("select table_name from duckdb_tables() order by 1").fetchall():
            counted = connection.execute(f"select count(*), count(distinct account) from {name}").fetchone() or (0, 0)
            table.add_row(name, f"{counted[0]:,}", str(counted[1]))
    out.print("\nThe invented exports were processed; these tables can be queried now:", highlight=False)
    out.print(table)
    if without_timezone := [key for key, account in roster.items() if account.timezone is None]:
        names = " and ".join(without_timezone)
        out.print(f"Hours of posting are unknown: accounts.toml has no timezone for {names}.", highlight=False)
    out.print(
        f"\nLook at the graph:     make dev, then open http://127.0.0.1:3000/asset-groups"
        f"\nAsk the warehouse:     {settings.warehouse} with any DuckDB client"
        f"\nUse your own account:  make demo-remove, then .venv/bin/tiktok-assets login {next(iter(roster))}"
        f"\n                       or drop its ZIPs into {settings.landing}",
        highlight=False,
        soft_wrap=True,
    )
    return 0 if result.is_clean else 1


def _remove(settings: Settings, marker: Path) -> int:
    from tiktok_assets.graph import build_definitions
    from tiktok_assets.pipeline.process import project_instance
    from tiktok_assets.pipeline.rebuild import RebuildRefused, rebuild

    ours = _marked(marker)
    for path in _exports(settings, marker):
        if hashlib.sha256(path.read_bytes()).hexdigest() in ours:
            path.unlink()
    marker.unlink(missing_ok=True)
    try:
        rebuild(settings)
    except RebuildRefused as refused:
        out.print(str(refused), style="red", markup=False, soft_wrap=True)
        return 1
    if not _exports(settings, marker):  # otherwise Dagster would still show the demo's partitions as materialized
        with project_instance() as history:
            keys = build_definitions(settings).resolve_asset_graph().get_all_asset_keys()
            history.wipe_assets(sorted(keys))
    out.print("The demo is removed; the tables of other exports were rebuilt.")
    return 0


def _not_ours(settings: Settings, marker: Path) -> list[Path]:
    """Files in landing and archive that the demo did not make."""
    ours = _marked(marker)
    return [path for path in _exports(settings, marker) if hashlib.sha256(path.read_bytes()).hexdigest() not in ours]


def _exports(settings: Settings, marker: Path) -> list[Path]:
    folders = [Path(str(settings.landing)), Path(str(settings.archive))]
    return [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file() and path != marker]


def _marked(marker: Path) -> set[str]:
    return set(json.loads(marker.read_text())) if marker.exists() else set()


if __name__ == "__main__":
    sys.exit(main())
