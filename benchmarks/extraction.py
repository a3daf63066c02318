"""Extraction: login and visits by a real browser, compared with the same requests without a browser."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from upath import UPath

from benchmarks.timing import Pair, side_by_side
from tiktok_assets.accounts import Account
from tiktok_assets.exports.names import SECTIONS
from tiktok_assets.exports.windows import last_day_with_data
from tiktok_assets.settings import Settings
from tiktok_assets.simulator.studio import StudioAccount, StudioWorld, invent_account, serve, totp
from tiktok_assets.studio.extraction import ExtractionRequest, in_browser
from tiktok_assets.studio.login import SimulatorLogin, log_in
from tiktok_assets_tests.simulator.studio.studio_client import STUDIO, StudioClient, custom

DAYS = 28


@dataclass(frozen=True)
class Stage:
    """A simulator without limits, its accounts, and an installation that may be emptied."""

    world: StudioWorld
    address: str
    settings: Settings
    accounts: list[StudioAccount]

    def log_in(self, account: StudioAccount) -> None:
        """Password and code, typed by the browser."""
        secret = str(account.totp_secret)
        owner = SimulatorLogin(
            handle=account.handle, password=account.password, code=lambda: totp(secret, self.world.now())
        )
        log_in(self.settings, Account(key=account.handle, handle=account.handle), headless=True, help_with=owner)

    def visit(self, account: StudioAccount) -> None:
        """Four exports of four weeks, landed."""
        last = last_day_with_data(dt.datetime.now(dt.UTC))
        request = ExtractionRequest(
            account=Account(key=account.handle, handle=account.handle),
            sections=SECTIONS,
            first=last - dt.timedelta(days=DAYS - 1),
            last=last,
        )
        outcome = in_browser(self.settings)(request)
        if outcome.message or len(outcome.landed) != len(SECTIONS):
            raise RuntimeError(f"the benchmark's visit landed {len(outcome.landed)} exports: {outcome.message}")

    def forget(self) -> None:
        """Nothing was ever exported; the logins stay."""
        for path in (Path(str(self.settings.landing)), self.settings.state / "limits.sqlite"):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


@contextmanager
def stage(folder: Path, accounts: int) -> Iterator[Stage]:
    """``accounts`` accounts with two years of days."""
    today = dt.datetime.now(dt.UTC).date()
    first, last = today - dt.timedelta(days=700), today + dt.timedelta(days=1)
    invented = [invent_account(f"bench{number}", number, first, last) for number in range(accounts)]
    world = StudioWorld(invented, export_interval=dt.timedelta(), prepare_seconds=0)
    with serve(world) as address:
        settings = Settings(
            data_dir=UPath(folder), studio_url=address, export_interval=0, account_spacing=0, screenshot_on_error=False
        )
        yield Stage(world, address, settings, invented)


def measure(folder: Path) -> list[Pair]:
    """Login and one visit, compared with plain HTTP; then two and four accounts, compared with one."""
    with stage(folder, 4) as here:
        account = here.accounts[0]

        def ours() -> None:
            here.forget()
            here.log_in(account)
            here.visit(account)

        pairs = [side_by_side("login and four exports, against plain HTTP", ours, lambda: _plain(here), rounds=3)]
        for other in here.accounts[1:]:
            here.log_in(other)

        def one_after_another(count: int) -> None:
            here.forget()
            for one in here.accounts[:count]:
                here.visit(one)

        def two_at_once() -> None:
            here.forget()
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(here.visit, here.accounts[:2]))

        for count in (2, 4):
            name = f"visits to {count} accounts one after another, against 1"
            pairs.append(side_by_side(name, lambda n=count: one_after_another(n), lambda: one_after_another(1), 3))
        name = "visits to 2 accounts at once, against one after another"
        pairs.append(side_by_side(name, two_at_once, lambda: one_after_another(2), 3))
    return pairs


def _plain(here: Stage) -> None:
    """The same login, pages and files, requested without a browser."""
    client = StudioClient(here.world, here.address)
    client.log_in(here.accounts[0])
    last = last_day_with_data(dt.datetime.now(dt.UTC))
    for section in SECTIONS:
        client.get(f"{STUDIO}/{section}")
        client.download(section, custom(last - dt.timedelta(days=DAYS - 1), last))
    client.http.close()
