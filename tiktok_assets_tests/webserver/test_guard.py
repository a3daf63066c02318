"""Dagster's web server answers its own pages and programs of this machine, and no other page of a browser."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from tiktok_assets.webserver.guard import Guard
from tiktok_assets_tests.webserver.asgi import HOST, sent

OWN = f"http://{HOST}"
JSON = {"content-type": "application/json"}
LINK = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


async def application(scope: Scope, _: Receive, send: Send) -> None:
    """Says that it was reached."""
    await send({"type": f"reached by {scope['type']}"})


GUARDED = Guard(application)


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        pytest.param("POST", "/graphql", JSON, id="a program"),
        pytest.param("POST", "/graphql", {"content-type": "application/json; charset=utf-8"}, id="a charset"),
        pytest.param("POST", "/graphql", JSON | {"origin": OWN, "sec-fetch-site": "same-origin"}, id="its own page"),
        pytest.param("POST", "/graphql", JSON | {"host": "[::1]:3000", "origin": "http://[::1]:3000"}, id="IPv6"),
        pytest.param("POST", "/graphql", JSON | {"host": "localhost:80", "origin": "http://localhost:80"}, id="tunnel"),
        pytest.param("POST", "/report_asset_check/", {}, id="Dagster's REST interface"),
        pytest.param("GET", "/assets?x=1", {"sec-fetch-site": "none"}, id="the address bar"),
        pytest.param("GET", "/runs/1", LINK, id="a link in a mail"),
        pytest.param("GET", "/graphql", {"accept": "text/html,*/*"}, id="the page to try queries on"),
    ],
)
def test_own_pages_and_programs_are_answered(method: str, path: str, headers: dict[str, str]) -> None:
    assert sent(GUARDED, "http", path, [*headers.items()], method) == [{"type": "reached by http"}]


@pytest.mark.parametrize(
    ("method", "path", "headers", "reason"),
    [
        pytest.param("POST", "/graphql", JSON | {"host": "rebound.example:3000"}, "this machine only", id="rebinding"),
        pytest.param("GET", "/", {"host": "127.0.0.1.rebound.example"}, "this machine only", id="a similar name"),
        pytest.param("GET", "/", {"host": "[::1"}, "this machine only", id="no address"),
        pytest.param("GET", "/", {"host": "user@rebound.example"}, "this machine only", id="a user in the host"),
        pytest.param("POST", "/graphql", JSON | {"origin": "http://evil.example"}, "another web page", id="a page"),
        pytest.param("POST", "/graphql", JSON | {"origin": "null"}, "another web page", id="a file or a sandbox"),
        pytest.param("POST", "/graphql", JSON | {"origin": "http://127.0.0.1:8000"}, "another web page", id="a port"),
        pytest.param("POST", "/graphql", JSON | {"origin": f"{OWN}.evil.example"}, "another web page", id="a suffix"),
        pytest.param("POST", "/report_asset_check/a", {"origin": "http://evil.example"}, "another", id="a form"),
        pytest.param("POST", "/graphql", JSON | {"sec-fetch-site": "same-site"}, "another web page", id="same site"),
        pytest.param("GET", "/logs/1", {"sec-fetch-site": "cross-site"}, "another web page", id="a script"),
        pytest.param("GET", "/", LINK | {"sec-fetch-dest": "iframe"}, "another web page", id="a frame"),
        pytest.param("POST", "/", LINK, "another web page", id="a form that navigates"),
        pytest.param("GET", "/graphql?query=mutation", {}, "by POST", id="a mutation by GET"),
        pytest.param("GET", "/graphql?query=mutation", {"accept": "text/html"}, "by POST", id="as a page"),
        pytest.param("GET", "/a/graphql/", {}, "by POST", id="a prefix and a slash"),
        pytest.param("HEAD", "/graphql", {}, "by POST", id="HEAD"),
        pytest.param("POST", "/graphql", {"content-type": "text/plain"}, "as JSON", id="without preflight"),
        pytest.param("POST", "/graphql", {"content-type": "text/plain;application/json"}, "as JSON", id="disguised"),
        pytest.param("POST", "/graphql", {"content-type": "application/graphql"}, "as JSON", id="plain GraphQL"),
        pytest.param("POST", "/graphql", {}, "as JSON", id="no type"),
    ],
)
def test_other_pages_are_refused(method: str, path: str, headers: dict[str, str], reason: str) -> None:
    start, body = sent(GUARDED, "http", path, [*headers.items()], method)
    assert start["status"] == 403
    assert reason in body["body"].decode()


def test_behind_a_proxy_it_answers_by_the_name_that_people_open() -> None:
    guarded, of_proxy = Guard(application, "https://numbers.example"), {"host": "numbers.example"}
    for headers in (of_proxy, of_proxy | {"origin": "https://numbers.example"}, {"host": HOST}):
        assert sent(guarded, "http", "/", [*headers.items()]) == [{"type": "reached by http"}]
    for headers in ({"host": "rebound.example"}, of_proxy | {"origin": "https://evil.example"}, {"host": ""}):
        start, _ = sent(guarded, "http", "/", [*headers.items()])
        assert start["status"] == 403
        assert sent(GUARDED, "http", "/", [*of_proxy.items()])[0]["status"] == 403


def test_two_hosts_are_refused() -> None:
    start, *_ = sent(GUARDED, "http", "/", [("host", HOST), ("host", "evil.example")])
    assert start["status"] == 403


def test_a_socket_is_opened_for_its_own_page_only() -> None:
    assert sent(GUARDED, "websocket", "/graphql", [("origin", OWN)]) == [{"type": "reached by websocket"}]
    (closed,) = sent(GUARDED, "websocket", "/graphql", [("origin", "http://evil.example")])
    assert (closed["type"], closed["code"]) == ("websocket.close", 1008)


def test_start_and_end_of_the_server_reach_the_application() -> None:
    messages: list[Any] = sent(GUARDED, "lifespan", "", [])
    assert messages == [{"type": "reached by lifespan"}]
