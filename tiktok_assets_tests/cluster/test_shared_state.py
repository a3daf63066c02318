"""What the machines of an installation share: limits, logins, failures, marks. Each has a folder of its own."""

from __future__ import annotations

import dataclasses
import datetime as dt
import multiprocessing
import signal
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tiktok_assets.cli.app import app
from tiktok_assets.exports.windows import Window
from tiktok_assets.failures import LimitReached, SessionUnreadable, StateUnavailable
from tiktok_assets.inbox.run_plan import are_planned, note_planned
from tiktok_assets.label import targets
from tiktok_assets.notices.ledger import Ledger as Notices
from tiktok_assets.notices.ledger import read_ledger, write_ledger
from tiktok_assets.settings import Settings
from tiktok_assets.storage import postgres
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.state import documents_of, locks_of
from tiktok_assets.studio import evidence as evidence_of_visits
from tiktok_assets.studio import ledger_store
from tiktok_assets.studio.evidence import Evidence
from tiktok_assets.studio.ledger_store import LedgerFile
from tiktok_assets.studio.limits import Ledger
from tiktok_assets.studio.session import Sessions
from tiktok_assets_tests.cluster import services
from tiktok_assets_tests.cluster.conftest import KEY

pytestmark = pytest.mark.cluster

NOW = dt.datetime(2026, 1, 10, 18, tzinfo=dt.UTC)
WINDOW = Window(first=dt.date(2025, 12, 1), last=dt.date(2025, 12, 31))
SECRET = "5e55101d5ec2e7"
STATE = {"cookies": [{"name": "sessionid", "value": SECRET, "expires": -1}], "origins": []}
FORK = multiprocessing.get_context("fork")

Machine = Callable[..., Settings]


@pytest.fixture
def machine(tmp_path: Path, state_url: str) -> Machine:
    """``machine("one")``: the settings of a machine with a folder of its own."""

    def settings(name: str, key: str = KEY) -> Settings:
        given = {"data_dir": str(tmp_path / name), "state_url": state_url, "session_key": key}
        return Settings.model_validate(given | {"accounts": ("pig1987", "zonea0")})

    return settings


def test_of_many_machines_that_start_at_once_one_gets_the_visit_of_an_account(machine: Machine) -> None:
    start, answers = FORK.Barrier(6), FORK.Queue()

    def compete(number: int) -> None:
        ledger = Ledger.of(machine(f"machine{number}"))
        start.wait(60)
        try:
            ledger.reserve("pig1987", dt.datetime.now(dt.UTC))
            answers.put("visit")
        except LimitReached:
            answers.put("later")
        except Exception as error:  # of tables that two make at once, for example
            answers.put(repr(error))

    crowd = [FORK.Process(target=compete, args=(number,)) for number in range(6)]
    for process in crowd:
        process.start()
    outcomes = sorted(answers.get(timeout=60) for _ in crowd)
    for process in crowd:
        process.join(60)
    assert outcomes == [*["later"] * 5, "visit"]


def test_one_machine_visits_an_account_at_a_time(machine: Machine) -> None:
    one, other = Ledger.of(machine("one")), Ledger.of(machine("other"))
    with one.visiting("pig1987", NOW):
        with pytest.raises(LimitReached, match="another process is visiting"), other.visiting("pig1987", NOW):
            pass
        with other.visiting("zonea0", NOW):
            pass
    with other.visiting("pig1987", NOW):
        pass


def test_the_machines_of_an_egress_keep_its_pause_and_its_two_visits_between_them(machine: Machine) -> None:
    def through(egress: str, name: str) -> Ledger:
        return dataclasses.replace(Ledger.of(machine(name)), egress=egress)

    one, other, elsewhere = through("lisbon", "one"), through("lisbon", "other"), through("porto", "other")
    one.reserve("a", NOW)
    with pytest.raises(LimitReached, match="between accounts through lisbon"):
        other.reserve("b", NOW)
    elsewhere.reserve("c", NOW)
    with one.visiting("a", NOW), other.visiting("b", NOW):
        with pytest.raises(LimitReached, match="for two other accounts through lisbon"), other.visiting("d", NOW):
            pass
        with elsewhere.visiting("c", NOW):
            pass


def history_of(ledger: Ledger, now: dt.datetime) -> list[object]:
    """What a ledger answers to a visit with everything that can happen in one; times as seconds after ``now``."""

    def after(seconds: float) -> dt.datetime:
        return now + dt.timedelta(seconds=seconds)

    def refused(act: Callable[[], object]) -> int:
        with pytest.raises(LimitReached) as limit:
            act()
        return round((limit.value.retry_at - now).total_seconds())

    visit = ledger.reserve("pig1987", now)
    overview = ledger.ask(visit, "overview", WINDOW, after(1))
    answers: list[object] = [
        refused(lambda: ledger.reserve("pig1987", after(60))),
        refused(lambda: ledger.check("zonea0", after(60))),
        refused(lambda: ledger.ask(visit, "overview", WINDOW, after(2))),
    ]
    ledger.keep_link(overview, "https://studio.test/export/1")
    answers += [ledger.count_attempt(overview), ledger.count_attempt(overview)]
    answers += [[(one.section, one.window, one.link) for one in ledger.pending("pig1987", after(3000))]]
    answers += [ledger.pending("pig1987", after(4000))]
    ledger.landing(overview, "Overview_pig1987.zip", "ab" * 32)
    answers += [[one.file for one in ledger.pending("pig1987", after(4000))]]
    ledger.landed(overview)
    (landed,) = ledger.landed_windows("pig1987", "overview")
    answers += [landed.window, round((landed.asked_at - now).total_seconds())]
    found = ledger.unfinished("pig1987", after(1800))
    answers += [found is not None and found.id == visit.id, ledger.unfinished("pig1987", after(3700))]
    ledger.finish(visit)
    ledger.refused("pig1987", after(9000))
    answers += [ledger.unfinished("pig1987", after(10)), refused(lambda: ledger.reserve("pig1987", after(5000)))]
    return answers


def test_the_shared_ledger_answers_as_that_of_one_machine(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = Ledger(store=LedgerFile(tmp_path / "limits.sqlite"), export_interval=3600, account_spacing=300)
    answers = history_of(alone, NOW)
    assert history_of(Ledger.of(machine("one")), NOW) == answers
    # A machine whose clock is a day ahead is told its own times.
    ahead = dt.timedelta(days=1)
    Ledger.of(machine("one")).reserve("zonea0", NOW + dt.timedelta(hours=9))
    real = ledger_store.time.time
    monkeypatch.setattr(ledger_store.time, "time", lambda: real() + ahead.total_seconds())
    with pytest.raises(LimitReached) as limit:
        Ledger.of(machine("other")).reserve("zonea0", NOW + dt.timedelta(hours=9, minutes=10) + ahead)
    assert abs(limit.value.retry_at - (NOW + dt.timedelta(hours=10) + ahead)) < dt.timedelta(seconds=60)


def test_a_login_saved_on_one_machine_is_used_on_another_and_is_nowhere_readable(
    machine: Machine, tmp_path: Path
) -> None:
    one, other = machine("one"), machine("other")
    before = Sessions.of(other).versions()
    Sessions.of(one).save("pig1987", STATE)
    assert Sessions.of(other).load("pig1987").state == STATE
    assert Sessions.of(other).state("pig1987").is_encrypted
    assert Sessions.of(other).versions() != before
    stored = documents_of(one).read("sessions/pig1987.json")
    assert stored is not None and SECRET.encode() not in stored
    assert not [path for path in tmp_path.rglob("*") if path.is_file()], "no file of either machine"
    with pytest.raises(SessionUnreadable, match="not the key"):
        Sessions.of(machine("third", key=KEY.replace("a", "b"))).load("pig1987")
    assert Sessions.of(one).forget("pig1987") and not Sessions.of(other).forget("pig1987")


def test_a_failure_captured_on_one_machine_is_copied_on_another(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence_of_visits, "KEPT", 2)
    evidence = Evidence.of_installation(machine("one"))
    for number in range(3):
        evidence._write(f"20260101T0000{number:02}Z_pig1987_overview.png", f"picture {number}".encode())
    evidence.forget_old()
    assert len(evidence.names()) == 2
    assert b"picture" not in (documents_of(machine("one")).read(evidence.names()[0]) or b"picture")
    other = machine("other")
    for name in ("data_dir", "state_url", "session_key"):
        value = getattr(other, name)
        monkeypatch.setenv(f"TIKTOK_{name}".upper(), getattr(value, "get_secret_value", lambda v=value: str(v))())
    done = CliRunner().invoke(app, ["failures", "--save", str(tmp_path / "saved")])
    assert done.exit_code == 0 and "20260101T000002Z_pig1987_overview.png" in done.output
    assert (tmp_path / "saved" / "20260101T000001Z_pig1987_overview.png").read_bytes() == b"picture 1"
    assert len(list((tmp_path / "saved").iterdir())) == 2


def test_marks_and_notices_of_one_machine_are_those_of_all(machine: Machine) -> None:
    one, other = machine("one"), machine("other")
    assert not are_planned(Lake(other))
    note_planned(Lake(one))
    assert are_planned(Lake(other))
    targets.note_published(one, "select 1")
    assert targets.published(other) == targets.published(one)
    ledger = Notices(seen={"late": NOW}, recipients=("me",))
    write_ledger(one, ledger)
    assert read_ledger(other) == ledger


def test_state_is_there_after_a_restart_and_a_postgres_that_is_gone_is_a_sentence_without_password(
    machine: Machine, server: services.Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = machine("one")
    documents_of(settings).write("mark", b"kept")
    server.stop(signal.SIGQUIT)
    monkeypatch.setattr(postgres, "_PATIENCE", 0.0)
    for ask in (
        lambda: documents_of(settings).read("mark"),
        lambda: Ledger.of(settings).check("pig1987", NOW),
        lambda: locks_of(settings).hold("intake").__enter__(),
    ):
        with pytest.raises(StateUnavailable, match=r"Postgres at 127.0.0.1:\d+/\w+ does not answer") as gone:
            ask()
        assert services.PASSWORD not in "".join(traceback.format_exception(gone.value))
    assert services.PASSWORD not in f"{settings!r}{documents_of(settings)!r}{locks_of(settings)!r}"
    monkeypatch.undo()
    server.start()
    assert documents_of(settings).read("mark") == b"kept"
    Ledger.of(settings).check("pig1987", NOW)


def test_many_documents_are_read_and_written_at_once_and_seen_by_every_machine(machine: Machine) -> None:
    one, other = documents_of(machine("one")), documents_of(machine("other"))
    names = [f"tries/account{number}.json" for number in range(60)]
    one.write_many({name: name.encode() for name in names})
    other.write_many({names[0]: b"", names[1]: None, "tries/unknown.json": None})
    assert one.read_many([*names, "tries/unknown.json"]) == {
        names[0]: b"",
        **{name: name.encode() for name in names[2:]},
    }
    assert (other.read_many([]), one.read(names[1])) == ({}, None)
