"""Passes over a real lake, with real servers: what is sent, once, to whom, and what a dead server costs."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test
from typer.testing import CliRunner, Result

from tiktok_assets import clock
from tiktok_assets.accounts import load_roster
from tiktok_assets.cli.app import app
from tiktok_assets.exports.problems import BrokenFile
from tiktok_assets.graph import build_definitions
from tiktok_assets.inbox.quarantine import quarantine
from tiktok_assets.notices import sending
from tiktok_assets.notices.alerts import FailedRun
from tiktok_assets.notices.delivery import NotDelivered, Recipient
from tiktok_assets.notices.failed_runs import failed_runs
from tiktok_assets.notices.ledger import Message, read_ledger
from tiktok_assets.notices.sending import NOT_SET, SENDING, Sent, send_alerts, send_message
from tiktok_assets.pipeline.process import process
from tiktok_assets.settings import Settings, variable
from tiktok_assets.storage.dagster_internals import report_dead
from tiktok_assets.storage.file_locks import FileLocks
from tiktok_assets.storage.lake import Lake
from tiktok_assets.studio.session import Sessions
from tiktok_assets_tests.conftest import Install
from tiktok_assets_tests.instances import fresh
from tiktok_assets_tests.landing_files import drop, landing, overview_processed
from tiktok_assets_tests.made_once import MadeOnce
from tiktok_assets_tests.notices.servers import SECRET, Mailbox, Webhook
from tiktok_assets_tests.sensor_ticks import reason

NOW = dt.datetime(2025, 6, 22, 18, tzinfo=dt.UTC)  # when the export of `overview_processed` was made
MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
RUN = FailedRun(
    run_id="6a7b1c2d-1",
    job="process_exports",
    accounts=["pig1987"],
    why="raw__overview: the disk is full",
    on=NOW.date(),
)


class Post:
    """Takes messages as ``deliver`` does. ``is_dead``: reaches nobody."""

    def __init__(self, *, is_dead: bool = False) -> None:
        self.is_dead, self.arrived = is_dead, list[tuple[str, str]]()

    def __call__(self, message: Message, recipient: Recipient) -> None:
        if self.is_dead:
            raise NotDelivered("no connection (Connection refused)")
        self.arrived.append((recipient.name, message.subject))


Configure = Callable[..., Settings]


@pytest.fixture
def configure(install: Install, made_once: MadeOnce) -> Configure:
    """``configure(url, url)``: an installation with numbers of pig1987 that sends nothing until it is there."""

    def configured(*urls: str, **fields: Any) -> Settings:
        overview_processed(install("pig1987", zonea0="zone.a0"), made_once)
        return install("pig1987", zonea0="zone.a0", notify=" ".join(urls), **fields)

    return configured


@pytest.fixture
def configured(configure: Configure) -> Settings:
    """One whose only recipient is never asked: tests take the messages before they leave."""
    return configure("json://127.0.0.1:9/hook")


def look(settings: Settings, post: Post, *runs: FailedRun, now: dt.datetime = NOW) -> Sent:
    return send_alerts(Lake(settings), load_roster(settings), runs, now, send=post)


def break_a_file(settings: Settings, name: str) -> None:
    path = drop(b"PK no more", landing(settings), name)
    lake = Lake(settings)
    (found,) = [one for one in lake.settings.landing.iterdir() if one.name == path.name]
    quarantine(lake, found, BrokenFile(f"{name}: is a damaged ZIP. Export it again."))


def test_the_first_look_at_an_old_installation_is_one_message_about_what_lasts(configured: Settings) -> None:
    break_a_file(configured, "Content.zip")
    post = Post()
    look(configured, post, RUN)
    assert post.arrived == [("JSON at 127.0.0.1", "Alerts and digests arrive here")]
    look(configured, post, RUN, now=NOW + MINUTE)
    assert len(post.arrived) == 1


def test_what_is_new_since_then_is_sent_once_in_one_message(configured: Settings) -> None:
    post = Post()
    look(configured, post)
    break_a_file(configured, "Viewers.zip")
    for minutes in (1, 2, 3):
        look(configured, post, RUN, now=NOW + minutes * MINUTE)
    assert [subject for _, subject in post.arrived[1:]] == ["A run of process_exports failed, and 1 more alert"]


def test_a_quarantine_that_was_emptied_and_filled_again_is_new(configured: Settings) -> None:
    post = Post()
    look(configured, post)
    for minutes in (1, 3):
        break_a_file(configured, "Viewers.zip")
        look(configured, post, now=NOW + minutes * MINUTE)
        for path in Path(str(configured.quarantine)).iterdir():
            path.unlink()
        look(configured, post, now=NOW + (minutes + 1) * MINUTE)
    assert [subject for _, subject in post.arrived[1:]] == ["A file was quarantined"] * 2


def test_a_login_that_ends_and_numbers_that_are_late_are_each_said_once(configured: Settings) -> None:
    ends = NOW + 10 * DAY
    cookie = {"name": "sessionid", "value": SECRET, "expires": ends.timestamp()}
    Sessions.of(configured, lambda: NOW).save("pig1987", {"cookies": [cookie], "origins": []})
    post, said = Post(), 0
    for days in (0, 4, 5, 9, 11, 13):
        said += look(configured, post, now=NOW + days * DAY).alerts
    seen = read_ledger(configured).seen
    assert seen.keys() == {"not fresh/pig1987", f"login/pig1987/expired/{ends}"}
    assert said == 3  # and that the login is about to end, which is over
    assert SECRET not in (configured.state / "notices.json").read_text()


def test_a_dead_server_is_a_warning_and_tried_again_when_its_time_has_come(
    configured: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    post = Post()
    look(configured, post)
    post.is_dead = True
    found = look(configured, post, RUN, now=NOW + MINUTE)
    (problem,) = found.problems
    assert problem == (
        "“A run of process_exports failed” did not reach JSON at 127.0.0.1: no connection (Connection refused). "
        "It is tried again later."
    )
    assert problem in caplog.text
    post.is_dead = False
    look(configured, post, RUN, now=NOW + MINUTE)
    assert len(post.arrived) == 1  # too early
    look(configured, post, RUN, now=NOW + 2 * MINUTE)
    assert post.arrived[1:] == [("JSON at 127.0.0.1", "A run of process_exports failed")]


def test_a_message_that_failed_while_the_clock_was_years_ahead_is_tried_again(configured: Settings) -> None:
    post, week = Post(is_dead=True), Message(id="digest/2035-W25", subject="Week 2035-W25", text="", html="")
    send_message(configured, week, NOW + 3650 * DAY, send=post)
    post.is_dead = False
    look(configured, post)
    assert "Week 2035-W25" in [subject for _, subject in post.arrived]


def test_a_process_killed_while_sending_sends_nothing_twice_and_status_says_so(
    configured: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """As SIGKILL: nobody handles it."""

    def killed(message: Message, recipient: Recipient) -> None:
        raise Killed

    post = Post()
    look(configured, post)
    with pytest.raises(Killed):
        send_alerts(Lake(configured), load_roster(configured), [RUN], NOW + MINUTE, send=killed)
    look(configured, post, RUN, now=NOW + 2 * MINUTE)
    assert len(post.arrived) == 1
    (note,) = read_ledger(configured).undelivered
    assert "may have arrived or not" in note.reason
    shown = command(configured, monkeypatch, "status").stdout
    assert f"{note} Correct its address in TIKTOK_NOTIFY" in shown
    assert json.loads(command(configured, monkeypatch, "status", "--json").stdout)["undelivered"] == [f"{note}"]


def test_a_recipient_that_is_named_later_is_welcomed_and_gets_no_old_alerts(
    configured: Settings, install: Install
) -> None:
    post = Post()
    look(configured, post)
    look(configured, post, RUN, now=NOW + MINUTE)
    more = install("pig1987", zonea0="zone.a0", notify="json://127.0.0.1:9/hook json://localhost:9/hook")
    other = FailedRun(run_id="b", job="extract_exports", accounts=[], why="x", on=NOW.date())
    look(more, post, RUN, other, now=NOW + 2 * MINUTE)
    assert post.arrived[2:] == [
        ("JSON at localhost", "Alerts and digests arrive here"),
        ("JSON at 127.0.0.1", "A run of extract_exports failed"),
    ]


def test_a_message_of_a_week_is_sent_once_unless_a_person_asks(configured: Settings) -> None:
    post, week = Post(), Message(id="digest/2025-W25", subject="Week 2025-W25", text="", html="")
    for _ in range(2):
        send_message(configured, week, NOW, is_once=True, send=post)
    assert len(post.arrived) == 1
    send_message(configured, week, NOW, send=post)
    assert len(post.arrived) == 2


def test_without_the_setting_nothing_is_read_sent_or_written(settings: Settings) -> None:
    assert look(settings, Post(), RUN) == Sent(problems=[])
    assert not (settings.state / "notices.json").exists()


# --- the sensor, the schedule, and `process` --------------------------------------------------------------------------


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with fresh() as instance:
        yield instance


class Alerts:
    """The sensor in one process of Dagster; its cursor is kept where it is started again."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance) -> None:
        self._definitions, self._instance, self._cursor = build_definitions(settings), instance, None

    def tick(self) -> str:
        """Why no run is requested, which is what the tick did."""
        sensor = self._definitions.resolve_sensor_def("alerts")
        answer = sensor(dg.build_sensor_context(instance=self._instance, cursor=self._cursor))
        assert isinstance(answer, dg.SensorResult | dg.SkipReason)
        if isinstance(answer, dg.SensorResult):
            self._cursor = answer.cursor
        return reason(answer)


def turned_on(settings: Settings) -> bool:
    """Whether sensor and schedule are on by themselves; both are or none."""
    definitions = build_definitions(settings)
    sensor, schedule = definitions.resolve_sensor_def("alerts"), definitions.resolve_schedule_def("weekly_digest")
    is_on = sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert (schedule.default_status is dg.DefaultScheduleStatus.RUNNING) == is_on
    return is_on


@pytest.fixture
def at_that_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def kill_a_run(instance: dg.DagsterInstance) -> str:
    """A run whose process is gone, as the sensor `new_exports` marks it."""
    run = create_run_for_test(instance, job_name="process_exports", status=dg.DagsterRunStatus.STARTED)
    report_dead(instance, run, "The process of this run ended without reporting.")
    return run.run_id


@pytest.mark.usefixtures("at_that_time")
def test_the_sensor_sends_a_failed_run_by_mail_and_looks_no_further_where_nothing_changed(
    configure: Configure, instance: dg.DagsterInstance, mailbox: Mailbox
) -> None:
    settings = configure(mailbox.url("boss@example.com"), web_url="https://here")
    sensor = Alerts(settings, instance)
    assert "Sent “Alerts and digests arrive here” to e-mail to boss@example.com." in sensor.tick()
    assert sensor.tick() == "Nothing has changed, and nothing waits to be sent."
    run_id = kill_a_run(instance)
    assert "“A run of process_exports failed”" in sensor.tick()
    assert sensor.tick() == "Nothing has changed, and nothing waits to be sent."
    again = Alerts(settings, instance)  # Dagster is started again
    assert again.tick() == "Nothing is to be sent."
    body = mailbox.mails[1].get_body(("plain",))
    assert len(mailbox.mails) == 2 and body
    said = body.get_content()
    assert "The process of this run ended without reporting." in said
    assert f"https://here/runs/{run_id}" in said


def test_a_failed_step_is_said_in_its_own_words(instance: dg.DagsterInstance) -> None:
    @dg.op
    def refuse() -> None:
        raise dg.Failure("the disk is full: free some space.")

    @dg.job
    def fails() -> None:
        refuse()

    begun = clock.now().date()
    fails.execute_in_process(instance=instance, raise_on_error=False)
    (run,) = failed_runs(instance, [], clock.now())
    assert (run.job, run.why) == ("fails", "refuse: the disk is full: free some space.")
    assert run.on in {begun, clock.now().date()}
    assert failed_runs(instance, [], clock.now() + 3 * DAY) == []


def test_the_sensor_is_off_and_says_what_to_set_where_nobody_is_named(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    assert Alerts(settings, instance).tick() == NOT_SET
    assert not Path(str(settings.data_dir)).exists()


@pytest.mark.usefixtures("at_that_time")
def test_the_sensor_waits_for_another_process_that_is_sending(
    configured: Settings, instance: dg.DagsterInstance
) -> None:
    with FileLocks(configured.locks, "`process`").hold(SENDING):
        assert "the sending of messages is held by `process`" in Alerts(configured, instance).tick()


@pytest.mark.usefixtures("at_that_time")
def test_an_address_that_cannot_be_read_is_shown_by_nobody(
    install: Install, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    settings = install("pig1987", notify=f"mailto://user:pa[ss{SECRET}@gmail.com")
    ticked = Alerts(settings, instance).tick()
    dry, sent = (command(settings, monkeypatch, *DIGEST, option) for option in ("--dry-run", "--send"))
    assert (dry.exit_code, sent.exit_code) == (2, 1)
    for said in (ticked, dry.stderr, sent.stderr):
        assert "entry 1 (mailto://...) cannot be used" in said.replace("\n", " ")
    assert SECRET not in ticked + dry.output + sent.output + caplog.text


def test_who_is_named_turns_the_sensor_and_the_schedule_on(install: Install) -> None:
    assert not turned_on(install("pig1987"))
    configured = install("pig1987", notify="json://127.0.0.1:9/hook")
    assert turned_on(configured)
    digest = build_definitions(configured).resolve_schedule_def("weekly_digest")
    assert (digest.cron_schedule, digest.execution_timezone) == ("0 8 * * TUE", "UTC")
    at = configured.model_copy(update={"digest_at": "Monday 07:30", "digest_timezone": "Europe/Lisbon"})
    moved = build_definitions(at).resolve_schedule_def("weekly_digest")
    assert (moved.cron_schedule, moved.execution_timezone) == ("30 7 * * MON", "Europe/Lisbon")


@pytest.mark.usefixtures("at_that_time")
def test_the_job_sends_a_week_once_and_a_dead_server_does_not_fail_it(
    configure: Configure, instance: dg.DagsterInstance, webhook: Webhook
) -> None:
    settings = configure(webhook.url)
    job = build_definitions(settings).resolve_job_def("send_digest")
    webhook.status = 500
    assert job.execute_in_process(instance=instance).success
    assert webhook.posts == []
    webhook.status = 200
    send_alerts(Lake(settings), load_roster(settings), (), NOW + MINUTE)
    assert job.execute_in_process(instance=instance).success
    assert [post["title"].split(":")[0] for post in webhook.posts if "Week" in post["title"]] == ["Week 2025-W24"]
    for path in Path(str(settings.data_dir)).parent.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


def test_process_sends_what_it_quarantined(configure: Configure, webhook: Webhook) -> None:
    settings = configure(webhook.url)
    process(settings)
    drop(b"PK no more", landing(settings), "Content.zip")
    process(settings)
    process(settings)
    welcome, alert = webhook.posts
    assert (welcome["title"], alert["title"]) == ("Alerts and digests arrive here", "A file was quarantined")
    assert "Content.zip: is a damaged or incomplete ZIP" in alert["message"]


def test_a_damaged_ledger_fails_no_process(configured: Settings, caplog: pytest.LogCaptureFixture) -> None:
    (configured.state / "notices.json").write_text("{")
    assert process(configured).is_clean
    assert "No alert could be sent: " in caplog.text and "notices.json: is damaged" in caplog.text


# --- the command ------------------------------------------------------------------------------------------------------


DIGEST = ("digest", "--week", "2025-W24")


def command(settings: Settings, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    for field in settings.model_fields_set:
        value = getattr(settings, field)
        monkeypatch.setenv(variable(field), value.get_secret_value() if field == "notify" else str(value))
    return CliRunner().invoke(app, arguments)


def test_a_dry_run_says_who_would_get_what_and_sends_nothing(
    configure: Configure, mailbox: Mailbox, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = configure(mailbox.url("a@example.com"), webhook.url)
    done = command(settings, monkeypatch, *DIGEST, "--dry-run")
    assert done.exit_code == 0
    assert done.stdout.startswith(
        "Would go to: e-mail to a@example.com\nWould go to: JSON at 127.0.0.1\nSubject: Week 2025-W24: views "
    )
    assert "@pig1987\n  Video views: " in done.stdout
    assert done.stderr.startswith("Its links open on this machine alone")
    assert SECRET not in done.output
    assert (mailbox.mails, webhook.tries, (settings.state / "notices.json").exists()) == ([], 0, False)


def test_the_command_sends_to_everybody_and_says_who_was_not_reached(
    configure: Configure, mailbox: Mailbox, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = configure(mailbox.url("a@example.com"), webhook.url)
    webhook.status = 404
    done = command(settings, monkeypatch, *DIGEST, "--send")
    assert done.exit_code == 1
    assert "to e-mail to a@example.com." in done.stdout
    assert "did not reach JSON at 127.0.0.1: the service answered 404 Not Found. It is tried again" in done.stderr
    assert SECRET not in done.output
    assert [mail["Subject"].split(":")[0] for mail in mailbox.mails] == ["Week 2025-W24"]


def test_the_command_names_whom_no_time_was_left_for(
    configure: Configure, mailbox: Mailbox, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = configure(mailbox.url("a@example.com"), webhook.url)
    monkeypatch.setattr(sending, "_BUDGET", -1.0)
    done = command(settings, monkeypatch, *DIGEST, "--send")
    assert done.exit_code == 1
    for name in ("e-mail to a@example.com", "JSON at 127.0.0.1"):
        assert f"was not tried for {name}" in done.stderr
    assert (mailbox.mails, webhook.tries, len(read_ledger(settings).outbox)) == ([], 0, 2)


def test_without_recipients_the_digest_is_printed_and_sending_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TIKTOK_NOTIFY", raising=False)
    assert command(settings, monkeypatch, *DIGEST).exit_code == 0
    assert command(settings, monkeypatch, *DIGEST, "--format", "html").stdout.startswith("<!doctype html>")
    for option in ("--send", "--dry-run"):
        refused = command(settings, monkeypatch, *DIGEST, option)
        assert (refused.exit_code, refused.stderr.replace("\n", " ").strip()) == (2, NOT_SET)


def test_a_week_that_does_not_exist_is_refused(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = command(settings, monkeypatch, "digest", "--week", "2025-W53")
    assert (refused.exit_code, "2025 has no such week" in refused.stderr) == (2, True)
