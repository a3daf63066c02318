"""`status --fleet`: every figure computed by hand, and what it looks like on 80 columns."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tiktok_assets.accounts import Account
from tiktok_assets.cli import output
from tiktok_assets.cli.app import app
from tiktok_assets.cli.fleet import print_fleet, print_partitions
from tiktok_assets.partitions import advised_start, months_until, partitions_advice
from tiktok_assets.reporting.fleet import Fleet, fleet, needed
from tiktok_assets.settings import Settings
from tiktok_assets.studio.session import Sessions

NOW = dt.datetime(2026, 3, 10, 17, 10, tzinfo=dt.UTC)
TODAY, IN_A_WEEK = dt.date(2026, 3, 10), dt.date(2026, 3, 17)
NOVEMBER, BEGIN_OF_2020 = dt.date(2026, 11, 30), dt.date(2020, 1, 1)
COUNTS = (2, 50, 1000)


def account(number: int, egress: str = "default") -> Account:
    return Account(key=f"account{number:04}", handle=f"account{number:04}", egress=egress)


def of(number: int, until: dt.date = IN_A_WEEK, spacing: float = 300, egresses: int = 1) -> Fleet:
    """So many accounts, dealt out to so many egresses, all of which lose nothing until the same date."""
    accounts = [account(one, f"egress{one % egresses}") for one in range(number)]
    return fleet(accounts, {one.key: until for one in accounts}, now=NOW, spacing=spacing)


@pytest.mark.parametrize(
    ("accounts", "daily", "lossless"),
    # A day has 24 * 60 / 5 = 288 turns, a week 2,016.
    [(0, 0, 0), (2, 1, 1), (288, 1, 1), (289, 2, 1), (1000, 4, 1), (2016, 7, 1), (2017, 8, 2), (10_000, 35, 5)],
)
def test_so_many_egresses_are_needed_at_five_minutes(accounts: int, daily: int, lossless: int) -> None:
    assert needed(accounts, 288, 1) == daily
    assert needed(accounts, 288, 7) == lossless


def test_without_a_pause_one_egress_is_enough() -> None:
    assert (needed(5000, None, 1), needed(0, None, 1)) == (1, 0)
    found = of(5000, spacing=0)
    assert [(one.visits_a_day, one.days_between, one.loses) for one in found.egresses] == [(None, 1, False)]
    assert found.losses == []


def test_the_pause_of_the_settings_counts() -> None:
    # Ten minutes: 144 a day, 1,008 a week; 1,000 / 144 = 6.9 days.
    [one] = of(1000, spacing=600).egresses
    assert (one.visits_a_day, one.days_between, one.loses) == (144, 7, False)
    assert (of(1000, spacing=600).needed_daily, of(1009, spacing=600).needed) == (7, 2)


def test_accounts_are_counted_by_egress_and_the_fullest_comes_first() -> None:
    found = fleet([account(0, "porto"), account(1, "lisbon"), account(2, "lisbon")], LATER, now=NOW, spacing=300)
    assert [(one.egress, one.accounts) for one in found.egresses] == [("lisbon", 2), ("porto", 1)]
    assert (found.with_login, found.needed_daily) == (3, 1)


LATER = {account(number).key: IN_A_WEEK for number in range(3)}


def test_who_has_lost_days_already_loses_another_one_if_the_turn_comes_tomorrow() -> None:
    # From 17:10 on, five minutes apart: number 81 at 23:55, number 82 at midnight.
    losses = of(1000, until=TODAY).losses
    assert [loss.account for loss in losses] == [f"account{number:04}" for number in range(82, 1000)]
    assert {loss.on for loss in losses} == {dt.date(2026, 3, 11)}


def test_what_loses_data_first_has_the_first_turn() -> None:
    # Two turns a day, 12 hours apart: 10 March 17:10, 11 March 5:10 and 17:10, 12 March 5:10.
    until = dict(zip((account(number).key for number in range(4)), (12, 10, 11, 10), strict=True))
    dates = {key: dt.date(2026, 3, day) for key, day in until.items()}
    found = fleet([account(number) for number in range(4)], dates, now=NOW, spacing=43_200)
    assert [(loss.account, loss.on.day) for loss in found.losses] == [("account0003", 11)]


def test_a_week_of_turns_is_enough_and_one_account_more_is_not() -> None:
    assert of(2016).losses == [], "number 2,015 has its turn on 17 March at 17:05"
    losses = of(2017).losses
    # Visited on 10 March, the day of the visit can be exported until the 17th: it is lost on the 18th.
    assert (len(losses), losses[0].on, losses[-1].on) == (2017, dt.date(2026, 3, 18), dt.date(2026, 3, 25))
    assert of(2017, egresses=2).losses == []


@pytest.mark.parametrize(
    ("accounts", "start", "months", "advised"),
    [
        (1000, dt.date(2023, 11, 1), 37, None),  # 37,000
        (1200, BEGIN_OF_2020, 83, None),  # 99,600
        (1205, BEGIN_OF_2020, 83, "2021-02"),  # 100,015; 82 months fit, 12 of them to come: 70
        (2702, BEGIN_OF_2020, 83, "2024-11"),  # 37 months fit: 25
    ],
)
def test_too_many_partitions_get_a_later_first_month(
    accounts: int, start: dt.date, months: int, advised: str | None
) -> None:
    assert months_until(start, NOVEMBER) == months
    advice = partitions_advice(accounts, start, NOVEMBER)
    assert (advice is None) == (advised is None)
    if advice is not None:
        assert f"Set TIKTOK_START_DATE={advised}:" in advice
        assert f"{accounts:,} accounts since 2020-01 are {accounts * months:,} partitions" in advice


def test_where_no_first_month_helps_the_accounts_are_split() -> None:
    assert advised_start(2703, NOVEMBER) is None, "36 months fit, of which 12 are to come"
    advice = partitions_advice(2703, BEGIN_OF_2020, NOVEMBER)
    assert advice is not None
    assert advice.endswith("Split the accounts by client: docs/cluster.md, More than 2,500 accounts.")
    assert "## More than 2,500 accounts" in (Path(__file__).parents[2] / "docs" / "cluster.md").read_text()


@pytest.mark.parametrize("accounts", COUNTS)
def test_it_fits_into_80_columns(
    accounts: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(output.out, "width", 80)
    found = of(accounts, until=TODAY)
    print_fleet(found)
    print_partitions(accounts, 83, partitions_advice(accounts, BEGIN_OF_2020, NOVEMBER))
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert [line for line in lines if len(line) > 80 or "…" in line] == []
    row = {2: "1 288 day 0", 50: "1 288 day 0", 1000: "4 288 4 days 918"}[accounts].split(maxsplit=1)
    assert " ".join(lines[1].split()) == f"egress0 {accounts:,} {row[1]}"
    text = " ".join(lines)
    assert f"{accounts:,} accounts with a login: {row[0]} for a visit a day, 1 to lose no follower activity" in text
    assert f"{accounts:,} accounts x 83 months = {accounts * 83:,} of 100,000" in text
    assert ("and 898 more, the last from 2026-03-11" in text) == (accounts == 1000)


@pytest.fixture
def chosen(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings as commands read them."""
    monkeypatch.setenv("TIKTOK_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("TIKTOK_ACCOUNTS_FILE", str(settings.accounts_file))
    monkeypatch.setattr(output.out, "width", 80)
    return settings


def test_the_command_counts_logins_and_exports_by_hand(chosen: Settings) -> None:
    Sessions.of(chosen).save("zonea0", {"cookies": [], "origins": []})
    before = dt.datetime.now(dt.UTC).date()
    result = CliRunner().invoke(app, ["status", "--fleet", "--json"])
    found = json.loads(result.stdout)
    assert (result.exit_code, found["with_login"], found["manual"], found["needed_daily"]) == (0, 1, 1, 1)
    assert found["egresses"] == [{"egress": "default", "accounts": 1, "visits_a_day": 288, "days_between": 1}]
    assert (found["losses"], found["partitions_advice"]) == ([], None)
    dates = (before, dt.datetime.now(dt.UTC).date())  # at the end of a month they may differ
    assert found["partitions"] in {2 * months_until(BEGIN_OF_2020, one) for one in dates}


def test_the_command_says_who_loses_data_with_exit_code_1(chosen: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for account in ("pig1987", "zonea0"):
        Sessions.of(chosen).save(account, {"cookies": [], "origins": []})
    monkeypatch.setenv("TIKTOK_ACCOUNT_SPACING", "86400")
    result = CliRunner().invoke(app, ["status", "--fleet"])
    assert result.exit_code == 1
    assert re.search(r"^  20\d{2}-\d\d-\d\d zonea0 \(default\)$", result.stdout, re.MULTILINE)
    refused = CliRunner().invoke(app, ["status", "pig1987", "--fleet"])
    assert (refused.exit_code, "it looks at all accounts" in " ".join(refused.stderr.split())) == (2, True)


def test_plain_status_warns_of_too_many_partitions(chosen: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "partitions" not in CliRunner().invoke(app, ["status", "--summary"]).stdout
    monkeypatch.setattr("tiktok_assets.partitions.MOST_PARTITIONS", 150)
    result = CliRunner().invoke(app, ["status", "--summary"])
    assert "TIKTOK_START_DATE=" in result.stdout
