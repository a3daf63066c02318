"""A simulated account whose tables lie in a lake, and commands over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from tiktok_assets.cli.app import app
from tiktok_assets.reporting import printing
from tiktok_assets.reporting.account_tables import AccountTables
from tiktok_assets.reporting.statements import issue
from tiktok_assets.settings import Settings, variable
from tiktok_assets_tests.conftest import Install
from tiktok_assets_tests.reporting.simulated_tables import simulated, tables


@pytest.fixture(scope="session")
def known() -> AccountTables:
    """A year whose days are all final, with a gap in August."""
    return tables(simulated(), is_settled=True)


def stored(settings: Settings, known: AccountTables) -> None:
    """The days and videos of an account where a run would have put them."""
    for name, rows in (("account_daily", known.days), ("videos", known.videos)):
        for (month,), of_month in rows.group_by(pl.col("date").dt.truncate("1mo")):
            path = Path(str(settings.curated)) / name / "account=pig1987" / f"date={month}" / "data.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            of_month.write_parquet(path)


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(install: Install, known: AccountTables, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run("statement", ...)``: exit code and output, in an installation with the days of 2025."""
    settings = install("pig1987")
    stored(settings, known)
    for name in settings.model_fields_set:
        monkeypatch.setenv(variable(name), str(getattr(settings, name)))

    def command(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, arguments)
        return done.exit_code, " ".join(done.output.split())

    return command


class Ink:
    """Stands for the browser: a PDF that is the page's text."""

    def pdf(self, html: str, **_: object) -> bytes:
        return b"%PDF" + html.encode()


@contextmanager
def ink(*_: object) -> Iterator[Ink]:
    yield Ink()


@pytest.fixture
def no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is printed is printed by a printer that needs none."""
    monkeypatch.setattr(issue, "open_printer", ink)
    monkeypatch.setattr(printing, "open_printer", ink)
