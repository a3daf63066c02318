"""The state of the simulator without a web server: sessions, limits, windows, faults, all by an injected clock."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tiktok_assets.simulator.exports import Quirks, Section
from tiktok_assets.simulator.studio import FAULTS, StudioAccount, StudioWorld, invent_account
from tiktok_assets.simulator.studio.exports import Refused, StudioExport
from tiktok_assets.simulator.studio.sessions import ENDINGS, Ending
from tiktok_assets.simulator.traits import Traits
from tiktok_assets_tests.simulator.studio.conftest import NOW, YESTERDAY
from tiktok_assets_tests.simulator.studio.studio_client import LAST_28_DAYS, custom


def ask(
    world: StudioWorld, account: StudioAccount, section: Section = "overview", picked: object = None
) -> StudioExport:
    return world.exports.request(account, section, "csv", picked if isinstance(picked, dict) else LAST_28_DAYS)


def test_a_session_lives_180_days_of_the_clock(world: StudioWorld) -> None:
    session = world.sessions.open("north.pier")
    world.advance(timedelta(days=180) - timedelta(seconds=1))
    assert world.visit(session.id, "overview", is_page=True) is session
    assert session.ended_as is None
    world.advance(timedelta(seconds=1))
    world.visit(session.id, "overview", is_page=True)
    assert session.ended_as == "redirect_to_login"


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_expired_session_shows_it_in_the_requested_way(
    accounts: tuple[StudioAccount, StudioAccount], ending: Ending
) -> None:
    world = StudioWorld(accounts, clock=lambda: NOW, session_life=timedelta(days=1), session_ending=ending)
    session = world.sessions.open("north.pier")
    world.advance(timedelta(days=2))
    found = world.sessions.find(session.id)
    assert found is not None
    assert found.ended_as == ending


def test_expiring_one_account_leaves_the_other_logged_in(world: StudioWorld) -> None:
    north, south = world.sessions.open("north.pier"), world.sessions.open("south_pier")
    world.sessions.expire("north.pier", "login_panel")
    assert (north.ended_as, south.ended_as) == ("login_panel", None)


def test_a_fault_ends_a_session_for_good(world: StudioWorld) -> None:
    world.faults.add("login_panel")
    session = world.sessions.open("north.pier")
    for _ in range(2):
        world.visit(session.id, "viewers", is_page=True)
        assert session.ended_as == "login_panel"
    assert [fault.name for fault in world.faults.fired] == ["login_panel"]


def test_the_guard_cookie_contains_start_lifetime_and_end(world: StudioWorld) -> None:
    session = world.sessions.open("north.pier")
    guard = session.cookies("token")["sid_guard"]
    assert guard.split("%7C") == [session.id, "1767284430", "15552000", "Tue%2C%2030-Jun-2026%2016%3A20%3A30%20GMT"]


def test_a_qr_code_logs_in_whoever_scanned_it_only_once(world: StudioWorld) -> None:
    token = world.sessions.show_qr()
    assert world.sessions.take_scan(token) is None
    world.sessions.scan("south_pier")
    session = world.sessions.take_scan(token)
    assert session is not None
    assert session.handle == "south_pier"
    assert world.sessions.take_scan(token) is None


def test_each_section_can_be_exported_once_an_hour(
    world: StudioWorld, north: StudioAccount, south: StudioAccount, hour: timedelta
) -> None:
    sections: tuple[Section, ...] = ("overview", "content", "viewers", "followers")
    for section in sections:
        ask(world, north, section)
    ask(world, south)
    world.advance(hour - timedelta(seconds=1))
    with pytest.raises(Refused, match="limit"):
        ask(world, north)
    world.advance(timedelta(seconds=1))
    ask(world, north)
    asked = [(export.handle, export.section) for export in world.exports.made]
    assert asked == [*(("north.pier", one) for one in sections), ("south_pier", "overview"), ("north.pier", "overview")]


def test_a_refused_export_does_not_count(world: StudioWorld, north: StudioAccount) -> None:
    world.faults.add("limit_message")
    world.faults.add("http_429")
    world.faults.add("never_ready")
    world.faults.add("empty_section")
    for _ in range(2):
        with pytest.raises(Refused):
            ask(world, north)
    with pytest.raises(Refused, match="too_long"):
        ask(world, north, picked=custom(date(2024, 1, 1), YESTERDAY))
    export = ask(world, north)  # its faults were not used up by a refusal
    assert not world.exports.is_ready(export)
    assert export.generated.expected["overview"] == []


def test_without_an_interval_there_is_no_limit(accounts: tuple[StudioAccount, StudioAccount]) -> None:
    world = StudioWorld(accounts, clock=lambda: NOW, export_interval=timedelta())
    for _ in range(3):
        ask(world, accounts[0])
    assert len(world.exports.made) == 3


@pytest.mark.parametrize(("days", "first"), [(7, date(2025, 12, 25)), (28, date(2025, 12, 4)), (365, date(2025, 1, 1))])
def test_presets_count_back_from_the_last_day_with_data(
    world: StudioWorld, north: StudioAccount, days: int, first: date
) -> None:
    export = ask(world, north, picked={"type": "fixed", "pastDay": days})
    assert (export.first, export.last) == (first, YESTERDAY)
    rows = export.generated.expected["overview"]
    assert (len(rows), rows[0]["date_label"], rows[-1]["date_label"]) == (days, first, YESTERDAY)


def test_before_the_data_of_yesterday_arrives_a_preset_ends_a_day_earlier(
    world: StudioWorld, north: StudioAccount
) -> None:
    world.advance(-timedelta(hours=4))
    assert ask(world, north).last == date(2025, 12, 30)


def test_a_preset_has_all_its_days_although_the_local_date_is_ahead() -> None:
    athens = invent_account("athens", 3, date(2025, 1, 1), date(2026, 1, 31), traits=Traits(utc_offset=2))
    world = StudioWorld([athens], clock=lambda: datetime(2026, 1, 10, 23, 0, tzinfo=UTC))
    export = ask(world, athens, picked={"type": "fixed", "pastDay": 7})
    rows = export.generated.expected["overview"]
    assert (export.last, len(rows)) == (date(2026, 1, 10), 7)
    assert rows[-1]["true_day"] == date(2026, 1, 9)


@pytest.mark.parametrize(
    ("picked", "reason"),
    [
        (custom(date(2024, 12, 31), YESTERDAY), "too_long"),
        (custom(YESTERDAY, date(2025, 12, 1)), "invalid"),
        ({"type": "custom", "startDate": "2025-12-01"}, "invalid"),
        ({"type": "custom", "startDate": "yesterday", "endDate": "today"}, "invalid"),
        ({"type": "fixed", "pastDay": 10**12}, "invalid"),
        ({"type": "fixed", "pastDay": 0}, "invalid"),
        ({}, "invalid"),
    ],
)
def test_a_range_that_cannot_be_exported_is_refused(
    world: StudioWorld, north: StudioAccount, picked: dict[str, object], reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        world.exports.request(north, "overview", "csv", picked)
    assert world.exports.made == []


def test_the_longest_range_is_a_setting(accounts: tuple[StudioAccount, StudioAccount]) -> None:
    world = StudioWorld(accounts, clock=lambda: NOW, max_export_days=180)
    with pytest.raises(Refused, match="too_long"):
        ask(world, accounts[0], picked=custom(date(2025, 1, 1), date(2025, 6, 30)))
    assert ask(world, accounts[0], picked=custom(date(2025, 1, 1), date(2025, 6, 29))).last == date(2025, 6, 29)


def test_a_file_is_ready_by_the_waiting_clock(accounts: tuple[StudioAccount, StudioAccount]) -> None:
    waited = [100.0]
    world = StudioWorld(accounts, clock=lambda: NOW, wait_clock=lambda: waited[0], prepare_seconds=0.5)
    world.faults.add("slow_export", section="viewers", parameter=30)
    overview, viewers = ask(world, accounts[0]), ask(world, accounts[0], "viewers")
    ready = []
    for waited[0] in (100.4, 100.5, 129.9, 130.0):
        ready.append((world.exports.is_ready(overview), world.exports.is_ready(viewers)))
    assert ready == [(False, False), (True, False), (True, False), (True, True)]


def test_own_quirks_replace_the_usual_ones(north: StudioAccount) -> None:
    plain = StudioAccount(truth=north.truth, password="x", quirks=Quirks(thousands_commas=True))
    world = StudioWorld([plain], clock=lambda: NOW)
    assert b'"1,' in ask(world, plain).generated.members["Overview.csv"]


def test_a_fault_fires_for_its_account_and_section_as_often_as_requested(world: StudioWorld) -> None:
    world.faults.add("captcha", handle="south_pier", section="viewers", times=2)
    assert world.faults.take("captcha", "north.pier", "viewers") is None
    assert world.faults.take("captcha", "south_pier", "content") is None
    taken = [world.faults.take("captcha", "south_pier", "viewers") is not None for _ in range(3)]
    assert taken == [True, True, False]
    assert [(at, name, handle, section) for at, name, handle, section in world.faults.fired] == [
        (NOW, "captcha", "south_pier", "viewers")
    ] * 2


def test_cleared_faults_do_not_fire(world: StudioWorld) -> None:
    world.faults.add("captcha")
    world.faults.clear()
    assert world.faults.take("captcha", None, None) is None


def test_an_unknown_fault_is_an_error_that_names_the_known_ones(world: StudioWorld) -> None:
    with pytest.raises(ValueError, match=r"no fault is called 'captchas'; there are captcha, corrupt"):
        world.faults.add("captchas")


def test_every_fault_of_the_facts_can_be_requested() -> None:
    assert set(FAULTS) == {
        "slow_export", "never_ready", "limit_message", "http_429", "redirect_to_login", "login_panel", "status_8",
        "captcha", "wrong_account", "dom_changed", "truncated", "corrupt", "html", "empty_body", "wrong_section",
        "xlsx", "link_expired", "reset_always", "reset_once", "empty_section", "insight_500", "insight_business_error",
        "first_run_modal", "label_shift", "unescaped_quotes", "undefined_runs", "window_366",
    }  # fmt: skip


def test_ids_and_classes_follow_from_the_start_alone(accounts: tuple[StudioAccount, StudioAccount]) -> None:
    def made(start: str | None) -> tuple[str, str, str]:
        world = StudioWorld(accounts, clock=lambda: NOW, start=start)
        return world.token(16), world.token(16), world.css_class("TUXButton")

    assert made("one") == made("one")
    assert len({*made("one"), *made("two"), *made(None), *made(None)}) == 12
