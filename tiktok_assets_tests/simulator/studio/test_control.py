"""Driving the simulator from outside, its log, and its start as a server and as a process."""

import re
import signal
import subprocess
import sys
from datetime import timedelta

import httpx
import pytest

from tiktok_assets.simulator.studio import PortTaken, StudioAccount, StudioWorld, serve
from tiktok_assets_tests.simulator.studio.conftest import NOW
from tiktok_assets_tests.simulator.studio.studio_client import STUDIO, StudioClient


def order(client: StudioClient, **orders: object) -> httpx.Response:
    return client.http.post("/sim/control", json=orders)


def test_orders_do_what_the_methods_of_the_world_do(client: StudioClient, world: StudioWorld) -> None:
    client.download()
    answer = order(client, forget_limits=True, advance=90, faults=[{"name": "html", "section": "overview", "times": 1}])
    assert answer.json() == {"now": (NOW + timedelta(seconds=90)).isoformat()}
    assert client.download().headers["content-type"].startswith("text/html")
    order(client, expire_sessions={"handle": "north.pier", "ending": "login_panel"})
    assert "login-title" in client.get(STUDIO).text


def test_clearing_comes_before_adding(client: StudioClient, world: StudioWorld) -> None:
    world.faults.add("truncated")
    order(client, faults=[{"name": "empty_body"}], clear_faults=True)
    assert client.download().content == b""
    assert [fault.name for fault in world.faults.fired] == ["empty_body"]


@pytest.mark.parametrize(
    ("orders", "message"),
    [
        ({"fault": "captcha"}, "no order is called fault; there are clear_faults, faults, advance"),
        ({"faults": [{"name": "html"}, {"name": "earthquake"}]}, "no fault is called 'earthquake'"),
        ({"expire_sessions": {"ending": "quietly"}}, "a session cannot end as 'quietly'"),
        ({"scan": "nobody"}, "no account 'nobody' at this Studio; there are north.pier, south_pier"),
        ({"scan": "north.pier"}, "no QR code waits to be scanned"),
        ({"advance": "an hour"}, "an hour"),
    ],
)
def test_an_invalid_order_is_refused_and_changes_nothing(
    client: StudioClient, world: StudioWorld, orders: dict[str, object], message: str
) -> None:
    answer = order(client, **orders)
    assert answer.status_code == 400
    assert message in answer.json()["error"]
    assert client.download().headers["content-type"] == "application/zip"
    assert (world.now(), world.faults.fired) == (NOW, [])


def test_the_log_lists_requests_exports_and_faults(client: StudioClient, world: StudioWorld) -> None:
    world.faults.add("captcha", section="content")
    client.get(f"{STUDIO}/content")
    world.advance(timedelta(minutes=5))
    client.download("content")
    log = client.json("/sim/log")
    later = (NOW + timedelta(minutes=5)).isoformat()
    assert log["faults"] == [{"at": NOW.isoformat(), "name": "captcha", "handle": "north.pier", "section": "content"}]
    (export,) = log["exports"]
    assert (export["handle"], export["section"], export["requested_at"]) == ("north.pier", "content", later)
    assert (export["first"], export["last"], export["downloads"]) == ("2025-12-04", "2025-12-31", 1)
    pages = [request for request in log["requests"] if request["path"] == f"{STUDIO}/content"]
    assert pages == [
        {"at": NOW.isoformat(), "method": "GET", "path": f"{STUDIO}/content", "status": 200, "handle": "north.pier"}
    ]


def test_the_log_contains_no_secret(client: StudioClient, world: StudioWorld, north: StudioAccount) -> None:
    client.download()
    log = client.get("/sim/log").text
    assert "/login/2sv" in log
    for secret in (north.password, north.totp_secret, client.http.cookies["sessionid"]):
        assert secret
        assert secret not in log


def test_two_worlds_can_be_served_at_once_and_leave_their_ports(
    accounts: tuple[StudioAccount, StudioAccount], north: StudioAccount
) -> None:
    one, other = (StudioWorld(accounts, clock=lambda: NOW) for _ in range(2))
    with serve(one) as first, serve(other) as second:
        client = StudioClient(one, first)
        client.log_in(north)
        assert client.get(STUDIO).status_code == 200
        assert httpx.get(second + STUDIO).status_code == 302
        client.http.close()
    with pytest.raises(httpx.ConnectError):
        httpx.get(first)


def test_a_port_in_use_is_an_error_that_says_what_to_do(world: StudioWorld) -> None:
    with serve(world) as address, pytest.raises(PortTaken, match=r"choose another one with --port"):
        port = int(address.rpartition(":")[2])
        with serve(world, port):
            pass


@pytest.mark.e2e
def test_as_a_process_it_prints_how_to_log_in_and_ends_with_ctrl_c() -> None:
    command = [sys.executable, "-m", "tiktok_assets.simulator.studio", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(7)]
            found = re.search(r"http://127\.0\.0\.1:\d+", lines[0])
            assert found is not None
            (pig, zone) = [line.split() for line in lines if " password " in line]
            assert (pig[0], zone[0]) == ("pig1987", "zone.a0")
            with httpx.Client(base_url=found[0]) as http:
                form = {"username": pig[0], "password": pig[2]}
                assert http.post("/login/phone-or-email/email", data=form).headers["location"] == "/login/2sv"
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
        finally:
            process.kill()
