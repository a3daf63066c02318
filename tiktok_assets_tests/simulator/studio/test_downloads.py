"""Exports as downloaded: what the generator makes of the same window; each fault of a request, a file, a transfer."""

from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO
from zipfile import BadZipFile, ZipFile

import fastexcel
import httpx
import pytest

from tiktok_assets.simulator.exports import SECTIONS, FileFormat, Section, studio_export, usual_quirks
from tiktok_assets.simulator.studio import StudioAccount, StudioWorld, serve
from tiktok_assets.simulator.studio.texts import TEXTS
from tiktok_assets_tests.simulator.studio.conftest import NOW, YESTERDAY
from tiktok_assets_tests.simulator.studio.studio_client import StudioClient, custom, tables

FIRST, LAST = date(2025, 10, 5), date(2025, 11, 20)


def name_of(answer: httpx.Response) -> str:
    start, _, name = answer.headers["content-disposition"].partition("attachment; filename=")
    assert start == ""
    return name.strip('"')


@pytest.mark.parametrize("section", list(SECTIONS))
@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_a_download_is_the_export_of_its_account_section_window_and_language(
    anonymous_client: StudioClient, south: StudioAccount, section: Section, file_format: FileFormat
) -> None:
    anonymous_client.log_in(south)
    answer = anonymous_client.download(section, custom(FIRST, LAST), file_format.upper())
    expected = studio_export(
        south.truth,
        section,
        FIRST,
        LAST,
        downloaded_at=NOW,
        locale="el",
        file_format=file_format,
        quirks=usual_quirks(south.truth, NOW),
    )
    assert name_of(answer) == expected.name
    assert answer.headers["content-type"] == "application/zip"
    with ZipFile(BytesIO(answer.content)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == expected.members


def test_rows_of_a_download_are_the_picked_days_and_the_truth(client: StudioClient, north: StudioAccount) -> None:
    answer = client.download("overview", custom(FIRST, LAST))
    header, *rows = tables(answer.content)["Overview.csv"]
    assert header == ["Date", "Video Views", "Profile Views", "Likes", "Comments", "Shares"]
    assert (len(rows), rows[0][0], rows[-1][0]) == (47, "October 5", "November 20")
    truth = north.truth.on(LAST)
    assert truth is not None
    assert rows[-1][1:] == [
        str(number) for number in (truth.video_views, truth.profile_views, truth.likes, truth.comments, truth.shares)
    ]


def test_names_are_the_real_ones_and_the_entry_has_the_clocks_time(client: StudioClient) -> None:
    names = [name_of(client.download(section)) for section in ("overview", "content", "viewers", "followers")]
    assert names == [  # the epoch is 31 December at the time of day of the download
        "Overview_2025-12-04_1767198030_north.pier.zip",
        "Content_north.pier.zip",
        "Viewers_north.pier.zip",
        "Followers_north.pier.zip",
    ]
    stamped = client.world.exports.made[0].generated.content
    assert ZipFile(BytesIO(stamped)).infolist()[0].date_time == (2026, 1, 1, 16, 20, 30)


def test_xlsx_is_the_default_format(client: StudioClient) -> None:
    task = client.http.post(
        "/tiktokstudio/api/web/export/create", json={"section": "viewers", "range": custom(FIRST, LAST)}
    ).json()["task_id"]
    content = client.get(client.json("/tiktokstudio/api/web/export/state", task_id=task)["url"]).content
    assert ZipFile(BytesIO(content)).namelist() == ["Viewers.xlsx"]


def test_the_limit_is_a_message_in_the_language_of_the_account(
    anonymous_client: StudioClient, south: StudioAccount
) -> None:
    anonymous_client.log_in(south)
    anonymous_client.download("viewers")
    refused = anonymous_client.request_export("viewers")
    assert (refused.status_code, refused.json()["status_msg"]) == (200, TEXTS["el"].limit)
    assert refused.json()["status_code"] not in (0, 8)
    assert anonymous_client.request_export("content").json()["status_code"] == 0


def test_too_many_days_are_refused_with_the_allowed_number(client: StudioClient) -> None:
    refused = client.request_export("overview", custom(date(2024, 12, 1), YESTERDAY)).json()
    assert refused["status_msg"] == "Select up to 365 days"


def test_limit_message_and_http_429_refuse_in_their_own_ways(client: StudioClient, world: StudioWorld) -> None:
    world.faults.add("limit_message")
    assert client.request_export().json() == {"status_code": 2190, "status_msg": TEXTS["en"].limit}
    world.faults.add("http_429", parameter=120)
    refused = client.request_export()
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "120")
    assert client.request_export().json()["status_code"] == 0


def test_an_export_that_is_never_ready_has_no_file(client: StudioClient, world: StudioWorld) -> None:
    world.faults.add("never_ready")
    task = client.request_export().json()["task_id"]
    assert client.json("/tiktokstudio/api/web/export/state", task_id=task) == {"status_code": 0, "state": "pending"}
    assert client.get(f"/tiktokstudio/export/{task}/Overview.zip").status_code == 404


def test_the_state_of_another_accounts_export_is_not_disclosed(client: StudioClient, south: StudioAccount) -> None:
    task = client.request_export().json()["task_id"]
    other = StudioClient(client.world)
    other.log_in(south)
    assert other.json("/tiktokstudio/api/web/export/state", task_id=task)["status_code"] == 5


def test_a_link_needs_no_session_and_expires_after_an_hour(client: StudioClient, hour: timedelta) -> None:
    link = client.link()
    client.http.cookies.clear()
    client.world.advance(hour - timedelta(seconds=1))
    assert client.get(link).status_code == 200
    client.world.advance(timedelta(seconds=1))
    expired = client.get(link)
    assert (expired.status_code, expired.headers["content-type"]) == (403, "application/xml")
    assert client.world.exports.made[0].downloads == 2


def test_an_expired_link_stays_expired(client: StudioClient, world: StudioWorld) -> None:
    world.faults.add("link_expired")
    link = client.link()
    assert [client.get(link).status_code for _ in range(2)] == [403, 403]
    assert len(world.faults.fired) == 1


def test_a_truncated_file_is_half_of_it_and_complete_the_next_time(client: StudioClient, world: StudioWorld) -> None:
    world.faults.add("truncated")
    link = client.link()
    half, whole = client.get(link).content, client.get(link).content
    assert half == whole[: len(whole) // 2]
    with pytest.raises(BadZipFile):
        ZipFile(BytesIO(half))
    assert list(tables(whole)) == ["Overview.csv"]


@pytest.mark.parametrize("section", list(SECTIONS))
def test_a_corrupt_file_opens_and_fails_its_checksum(
    client: StudioClient, world: StudioWorld, section: Section
) -> None:
    world.faults.add("corrupt")
    with ZipFile(BytesIO(client.download(section).content)) as archive:
        assert archive.testzip() in archive.namelist()


def test_html_and_an_empty_body_are_served_under_the_files_name(client: StudioClient, world: StudioWorld) -> None:
    link = client.link("followers")
    world.faults.add("html")
    html = client.get(link)
    world.faults.add("empty_body")
    empty = client.get(link)
    assert name_of(html) == name_of(empty) == "Followers_north.pier.zip"
    assert html.content.startswith(b"<!doctype html>")
    assert (empty.status_code, empty.content) == (200, b"")


def test_a_wrong_section_is_served_under_the_right_name(client: StudioClient, world: StudioWorld) -> None:
    world.faults.add("wrong_section", section="viewers", parameter="followers")
    world.faults.add("wrong_section", section="content")
    viewers, content = client.download("viewers"), client.download("content")
    assert (name_of(viewers), name_of(content)) == ("Viewers_north.pier.zip", "Content_north.pier.zip")
    assert "FollowerHistory.csv" in tables(viewers.content)
    assert list(tables(content.content)) == ["Overview.csv"]


def test_an_xlsx_may_arrive_although_csv_was_requested(client: StudioClient, world: StudioWorld) -> None:
    world.faults.add("xlsx")
    archive = ZipFile(BytesIO(client.download("viewers", custom(FIRST, LAST)).content))
    assert archive.namelist() == ["Viewers.xlsx"]
    sheet = fastexcel.read_excel(archive.read("Viewers.xlsx")).load_sheet("Viewers")
    assert sheet.height == 47


def test_an_empty_section_contains_only_its_headers(client: StudioClient, world: StudioWorld) -> None:
    world.faults.add("empty_section")
    for name, rows in tables(client.download("followers").content).items():
        assert (name, len(rows)) == (name, 1)


def test_shifted_labels_move_each_row_and_never_its_values(client: StudioClient, world: StudioWorld) -> None:
    _, *plain = tables(client.download("overview", custom(FIRST, LAST)).content)["Overview.csv"]
    world.exports.forget_limits()
    world.faults.add("label_shift")
    _, *moved = tables(client.download("overview", custom(FIRST, LAST)).content)["Overview.csv"]
    assert [row[0] for row in moved] == [row[0] for row in plain]
    assert [row[1:] for row in moved[1:]] == [row[1:] for row in plain[:-1]]


def test_a_preset_with_shifted_labels_ends_a_label_later(client: StudioClient, world: StudioWorld) -> None:
    world.faults.add("label_shift")
    _, *rows = tables(client.download("overview").content)["Overview.csv"]
    assert (len(rows), rows[-1][0]) == (28, "January 1")


def test_unescaped_quotes_are_those_of_the_generator(
    client: StudioClient, world: StudioWorld, north: StudioAccount
) -> None:
    world.faults.add("unescaped_quotes")
    content = client.download("content", custom(FIRST, LAST)).content
    quirks = usual_quirks(north.truth, NOW)
    plain, broken = (
        studio_export(north.truth, "content", FIRST, LAST, downloaded_at=NOW, quirks=one).content
        for one in (quirks, replace(quirks, unescaped_quotes=True))
    )
    assert content == broken
    assert len(broken) < len(plain), "no title of this window contains a quote"


def test_undefined_runs_lead_and_trail(client: StudioClient, world: StudioWorld) -> None:
    world.faults.add("undefined_runs", parameter=4)
    _, *rows = tables(client.download("viewers", custom(FIRST, LAST)).content)["Viewers.csv"]
    unknown = [row[1:] == ["undefined", "0", "0"] for row in rows]
    assert unknown == [True] * 4 + [False] * 42 + [True]


def test_a_window_of_366_days_ends_on_the_requested_day(client: StudioClient, world: StudioWorld) -> None:
    world.faults.add("window_366")
    _, *rows = tables(client.download("overview", {"type": "fixed", "pastDay": 365}).content)["Overview.csv"]
    assert (len(rows), rows[0][0], rows[-1][0]) == (366, "December 31", "December 31")


def test_a_connection_breaks_as_often_as_the_fault_says(world: StudioWorld, north: StudioAccount) -> None:
    with serve(world) as address:
        client = StudioClient(world, address)
        client.log_in(north)
        world.faults.add("reset_once")
        link = client.link()
        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
            client.get(link)
        assert list(tables(client.get(link).content)) == ["Overview.csv"]
        world.faults.add("reset_always")
        for _ in range(3):
            with pytest.raises(httpx.RemoteProtocolError):
                client.get(link)
        client.http.close()
    assert [fault.name for fault in world.faults.fired] == ["reset_once"] + ["reset_always"] * 3
