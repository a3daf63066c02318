"""The demo: invented accounts, what was exported of them by hand and by a browser, and all that is made from it.

It is an installation of its own in a folder of the data folder, with its own accounts, history and warehouse: nothing
of it is in the real ones, and deleting the folder removes all of it. Belongs here: making, opening and deleting it.
Does not belong here: the simulator, arguments (``demo``).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
from rich.table import Table

from tiktok_assets.accounts import Account, add_account, load_roster
from tiktok_assets.cli import demo_label
from tiktok_assets.cli.dev import become_dagster
from tiktok_assets.cli.output import bar, out, print_result
from tiktok_assets.exports.names import INSIGHTS, SECTIONS
from tiktok_assets.exports.windows import last_day_with_data
from tiktok_assets.pipeline.process import process
from tiktok_assets.reporting.writing import refresh
from tiktok_assets.settings import Settings, load_settings, project_root, variable
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.exports import land, studio_exports
from tiktok_assets.simulator.quirks import available_until, usual_quirks
from tiktok_assets.simulator.studio import StudioAccount, StudioWorld, invent_account, serve, totp
from tiktok_assets.simulator.traits import Traits
from tiktok_assets.storage.lake import Lake
from tiktok_assets.streams.tables import STREAM_TABLES
from tiktok_assets.studio.extraction import in_browser, sentence
from tiktok_assets.studio.landed import extraction_request
from tiktok_assets.studio.login import SimulatorLogin, log_in
from tiktok_assets.studio.session import Sessions

DEFAULT = ("pig1987", "zonea0")
_HANDLES = {"zonea0": "zone.a0"}
_TIMEZONES = ("Europe/Athens", "Europe/London", "America/New_York")

_FILES = ("data_dir", "accounts_file", "songs_file", "targets_file")
_MARK = ".demo"
"""The file by which a folder is known to be the demo's; no other folder is ever deleted."""
_DAYS = 180
_BY_HAND = {60: 60, 32: 60, 12: 28, 5: 28}
"""Exports made by hand before the browser's: so many days ago, of so many days."""
_NOT_FINAL = dt.timedelta(days=2)


class NotTheDemos(ValueError):
    """The folder is not one that the demo made. The message says what to do."""


def invented(names: Sequence[str]) -> list[Account]:
    """An account for each of ``names``, with a timezone. Raises InvalidAccounts."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "accounts.toml"
        return [
            add_account(path, name, handle=_HANDLES.get(name, name), timezone=_TIMEZONES[number % len(_TIMEZONES)])
            for number, name in enumerate(dict.fromkeys(names))
        ]


def make(accounts: Sequence[Account]) -> bool:
    """Make the demo anew, and print what its tables hold and how to open it. Whether everything could be used."""
    folder = _folder()
    remove()
    folder.mkdir(parents=True)
    (folder / _MARK).write_text("This folder was made by the demo. `make demo` and `make demo-remove` delete it.\n")
    for account in accounts:
        fields = {"handle": account.handle, "timezone": account.timezone, "client": demo_label.CLIENT}
        add_account(folder / "accounts.toml", account.key, **fields)
    os.environ.update(_environment(folder))
    settings = load_settings()
    accounts = list(load_roster(settings).values())
    _export(settings, accounts, dt.datetime.now(dt.UTC))
    demo_label.write_down(settings, accounts, dt.datetime.now(dt.UTC).date())
    with bar("Processing", quiet=False) as progress:
        result = process(settings, progress=progress)
    print_result(result)
    now = dt.datetime.now(dt.UTC).astimezone()
    front = Path(str(refresh(Lake(settings), accounts, now)[0]))
    _print_tables(settings)
    _print_ways_in(settings, front, demo_label.send_digest(settings, accounts, now))
    return result.is_clean


def open_in_dagster(port: int) -> None:
    """Become ``dagster dev`` on the demo. Its current folder has no ``.env``, whose values would win there."""
    folder = _made()
    os.chdir(folder)
    become_dagster(port, _environment(folder), project_root() / "workspace.yaml")


def remove() -> tuple[Path, bool]:
    """Delete the demo's folder; returns it, and whether it was there. Raises NotTheDemos."""
    folder = _folder()
    if not folder.exists():
        return folder, False
    shutil.rmtree(_made())
    return folder, True


def _folder() -> Path:
    """``demo`` in the data folder; the data folder itself where the settings name the demo's."""
    data = load_settings().state.parent
    return data if (data / _MARK).is_file() else data / "demo"


def _made() -> Path:
    folder = _folder()
    if not folder.is_dir():
        raise NotTheDemos(f"{folder}: there is no demo. Make it: make demo.")
    if not (folder / _MARK).is_file():
        raise NotTheDemos(f"{folder}: was not made by the demo and is left as it is. Rename it, then run this again.")
    return folder


def _environment(folder: Path) -> dict[str, str]:
    """The variables that make the demo the installation in use, whatever ``.env`` and the shell say of another one."""
    accounts = load_roster(load_settings(accounts_file=folder / "accounts.toml", accounts=()))
    return {
        variable("data_dir"): str(folder),
        variable("landing_path"): str(folder / "landing"),
        variable("accounts_file"): str(folder / "accounts.toml"),
        variable("accounts"): ",".join(accounts),
        variable("songs_file"): str(folder / "songs.toml"),
        variable("targets_file"): str(folder / "targets.csv"),
        "DAGSTER_HOME": str(project_root()),
    }


def _export(settings: Settings, accounts: Iterable[Account], now: dt.datetime) -> None:
    """Exports of the last half year by a browser, and older ones as somebody made them by hand; no login is left."""
    logins = [_login(account, number, now.date()) for number, account in enumerate(accounts)]
    world = StudioWorld(logins, export_interval=dt.timedelta())
    with serve(world) as address:
        out.print(f"Simulated TikTok Studio on {address}: all of its data is invented.\n", highlight=False)
        simulated = settings.model_copy(
            update={
                "studio_url": address,
                "headless": True,
                "export_interval": 0.0,
                "account_spacing": 0.0,
                "max_export_days": _DAYS,
            }
        )
        for account, login in zip(accounts, logins, strict=True):
            _visit(simulated, account, login, world, now)
            Sessions.of(settings).forget(account.key)
            _land_older(settings, account, login.truth, now)


def _login(account: Account, number: int, today: dt.date) -> StudioAccount:
    """An invented account with something to see: a viral video, a fall in followers, the release of a song."""
    days_ago = [today - dt.timedelta(days=days + 8 * (number % 3)) for days in range(101)]
    traits = Traits(
        posts_per_week=5, viral_day=days_ago[6], follower_drop=days_ago[45], release=demo_label.release_day(today)
    )
    begins, ends = today - dt.timedelta(days=_DAYS + 90), today + dt.timedelta(days=1)
    return invent_account(account.handle, number + 1, begins, ends, traits=traits, locale=("en", "el")[number % 2])


def _visit(settings: Settings, account: Account, login: StudioAccount, world: StudioWorld, now: dt.datetime) -> None:
    """Log in with password and code, then one visit: four exports and insights."""
    secret = str(login.totp_secret)
    owner = SimulatorLogin(handle=login.handle, password=login.password, code=lambda: totp(secret, world.now()))
    log_in(settings, account, headless=True, help_with=owner)
    out.print(f"{account.key}: @{account.handle} is logged in", highlight=False)
    extractor = dataclasses.replace(
        in_browser(settings), on_landed=lambda one: out.print(sentence(one), highlight=False, soft_wrap=True)
    )
    first = last_day_with_data(now) - dt.timedelta(days=_DAYS - 1)
    sections = [*SECTIONS, INSIGHTS]
    outcome = extractor(extraction_request(Lake(settings), account, sections, first, now.date(), now=now))
    if outcome.failure:
        raise outcome.failure


def _land_older(settings: Settings, account: Account, truth: SimulatedAccount, now: dt.datetime) -> None:
    """Exports of earlier days in landing, each day in a folder. Their last days were not final when they were made."""
    for ago, days in _BY_HAND.items():
        made = now - dt.timedelta(days=ago)
        last = available_until(made)
        known = dataclasses.replace(
            truth,
            days=tuple(
                day._replace(likes=day.likes * 19 // 20, shares=day.shares * 9 // 10)
                if last - _NOT_FINAL < day.day <= last
                else day
                for day in truth.days
            ),
        )
        first, quirks = last - dt.timedelta(days=days - 1), usual_quirks(truth, made)
        for export in studio_exports(known, first, last, downloaded_at=made, quirks=quirks):
            land(export, Path(str(settings.landing)) / account.key / f"{made:%Y-%m-%d}")
    out.print(f"{account.key}: exports made by hand {', '.join(map(str, _BY_HAND))} days ago", highlight=False)


def _print_tables(settings: Settings) -> None:
    table = Table("table", "rows", "accounts", box=None, pad_edge=False)
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        for (name,) in connection.execute("select table_name from duckdb_tables() order by 1").fetchall():
            accounts = "''" if f"warehouse/{name}" in STREAM_TABLES else "count(distinct account)"
            rows, of = connection.execute(f"select count(*), {accounts} from {name}").fetchone() or (0, 0)
            table.add_row(name, f"{rows:,}", f"{of}")
    out.print("\nThe invented exports were processed; these tables can be queried now:", highlight=False)
    out.print(table)


def _print_ways_in(settings: Settings, front: Path, digest: str) -> None:
    python, here = _short(Path(sys.executable)), project_root()
    has_make = (here / "Makefile").is_file()
    sql = "select account, date, video_views, followers from social_media_stats"
    query = f"import duckdb; duckdb.connect('{_short(Path(str(settings.warehouse)))}').sql('{sql}').show()"
    command = _short(Path(sys.executable).with_name("tiktok-assets"))
    chosen = {name: _short(Path(str(getattr(settings, name)))) for name in _FILES}
    variables = " ".join(f"{variable(name)}={path}" for name, path in chosen.items())
    out.print(
        f"\nIn Dagster:        {'make demo-dev' if has_make else 'tiktok-assets demo dev'}"
        f'\nIn DuckDB:         {python} -c "{query}"'
        f"\nThe digest:        {digest}"
        f"\nWith any command:  {variables} {command} status"
        f"\nDelete it:         {'make demo-remove' if has_make else 'tiktok-assets demo remove'}"
        f"\nOpen this page:    {python} -m webbrowser {front.as_uri()}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _short(path: Path) -> Path:
    """The path from the project's folder, where it lies in it."""
    return path.relative_to(project_root()) if path.is_relative_to(project_root()) else path
