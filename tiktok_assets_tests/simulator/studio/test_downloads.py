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
from tiktok_assets_tests.simulator.studio.visitor import Visitor, custom, tables

FIRST, LAST = date(2025, 10, 5), date(2025, 11, 20)


def name_of(answer: httpx.Response) -> str:
    start, _, name = answer.headers["content-disposition"].partition("attachment; filename=")
    assert start == ""
    return name.strip('"')


@pytest.mark.parametrize("section", list(SECTIONS))
@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_a_download_is_the_export_of_its_account_section_window_and_language(
    stranger: Visitor, south: StudioAccount, section: Section, file_format: FileFormat
) -> None:
    stranger.log_in(south)
    answer = stranger.download(section, custom(FIRST, LAST), file_format.upper())
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


def test_rows_of_a_download_are_the_days_that_were_picked_and_the_truth(visitor: Visitor, north: StudioAccount) -> None:
    answer = visitor.download("overview", custom(FIRST, LAST))
    header, *rows = tables(answer.content)["Overview.csv"]
    assert header == ["Date", "Video Views", "Profile Views", "Likes", "Comments", "Shares"]
    assert (len(rows), rows[0][0], rows[-1][0]) == (47, "October 5", "November 20")
    truth = north.truth.on(LAST)
    assert truth is not None
    assert rows[-1][1:] == [
        str(number) for number in (truth.video_views, truth.profile_views, truth.likes, truth.comments, truth.shares)
    ]


def test_names_are_the_real_ones_and_the_entry_carries_the_moment_of_the_clock(visitor: Visitor) -> None:
    names = [name_of(visitor.download(section)) for section in ("overview", "content", "viewers", "followers")]
    assert names == [  # the epoch is 31 December at the time of day of the download
        "Overview_2025-12-04_1767198030_north.pier.zip",
        "Content_north.pier.zip",
        "Viewers_north.pier.zip",
        "Followers_north.pier.zip",
    ]
    stamped = visitor.world.exports.made[0].generated.content
    assert ZipFile(BytesIO(stamped)).infolist()[0].date_time == (2026, 1, 1, 16, 20, 30)


def test_xlsx_is_what_comes_when_nothing_is_said(visitor: Visitor) -> None:
    task = visitor.http.post(
        "/tiktokstudio/api/web/export/create", json={"section": "viewers", "range": custom(FIRST, LAST)}
    ).json()["task_id"]
    content = visitor.get(visitor.json("/tiktokstudio/api/web/export/state", task_id=task)["url"]).content
    assert ZipFile(BytesIO(content)).namelist() == ["Viewers.xlsx"]


def test_the_limit_is_a_message_in_the_language_of_the_account(stranger: Visitor, south: StudioAccount) -> None:
    stranger.log_in(south)
    stranger.download("viewers")
    refused = stranger.ask("viewers")
    assert (refused.status_code, refused.json()["status_msg"]) == (200, TEXTS["el"].limit)
    assert refused.json()["status_code"] not in (0, 8)
    assert stranger.ask("content").json()["status_code"] == 0


def test_too_many_days_are_refused_with_the_number_that_is_allowed(visitor: Visitor) -> None:
    refused = visitor.ask("overview", custom(date(2024, 12, 1), YESTERDAY)).json()
    assert refused["status_msg"] == "Select up to 365 days"


def test_limit_message_and_http_429_refuse_in_their_own_ways(visitor: Visitor, world: StudioWorld) -> None:
    world.faults.add("limit_message")
    assert visitor.ask().json() == {"status_code": 2190, "status_msg": TEXTS["en"].limit}
    world.faults.add("http_429", parameter=120)
    refused = visitor.ask()
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "120")
    assert visitor.ask().json()["status_code"] == 0


def test_an_export_that_is_never_ready_has_no_file(visitor: Visitor, world: StudioWorld) -> None:
    world.faults.add("never_ready")
    task = visitor.ask().json()["task_id"]
    assert visitor.json("/tiktokstudio/api/web/export/state", task_id=task) == {"status_code": 0, "state": "pending"}
    assert visitor.get(f"/tiktokstudio/export/{task}/Overview.zip").status_code == 404


def test_nobody_learns_the_state_of_a_strangers_export(visitor: Visitor, south: StudioAccount) -> None:
    task = visitor.ask().json()["task_id"]
    other = Visitor(visitor.world)
    other.log_in(south)
    assert other.json("/tiktokstudio/api/web/export/state", task_id=task)["status_code"] == 5


def test_a_link_needs_no_session_and_dies_after_an_hour(visitor: Visitor, hour: timedelta) -> None:
    link = visitor.link()
    visitor.http.cookies.clear()
    visitor.world.advance(hour - timedelta(seconds=1))
    assert visitor.get(link).status_code == 200
    visitor.world.advance(timedelta(seconds=1))
    expired = visitor.get(link)
    assert (expired.status_code, expired.headers["content-type"]) == (403, "application/xml")
    assert visitor.world.exports.made[0].downloads == 2


def test_an_expired_link_stays_expired(visitor: Visitor, world: StudioWorld) -> None:
    world.faults.add("link_expired")
    link = visitor.link()
    assert [visitor.get(link).status_code for _ in range(2)] == [403, 403]
    assert len(world.faults.fired) == 1


def test_a_truncated_file_is_half_of_it_and_comes_whole_the_next_time(visitor: Visitor, world: StudioWorld) -> None:
    world.faults.add("truncated")
    link = visitor.link()
    half, whole = visitor.get(link).content, visitor.get(link).content
    assert half == whole[: len(whole) // 2]
    with pytest.raises(BadZipFile):
        ZipFile(BytesIO(half))
    assert list(tables(whole)) == ["Overview.csv"]


@pytest.mark.parametrize("section", list(SECTIONS))
def test_a_corrupt_file_opens_and_fails_its_checksum(visitor: Visitor, world: StudioWorld, section: Section) -> None:
    world.faults.add("corrupt")
    with ZipFile(BytesIO(visitor.download(section).content)) as archive:
        assert archive.testzip() in archive.namelist()


def test_html_and_an_empty_body_come_under_the_name_of_the_file(visitor: Visitor, world: StudioWorld) -> None:
    link = visitor.link("followers")
    world.faults.add("html")
    html = visitor.get(link)
    world.faults.add("empty_body")
    empty = visitor.get(link)
    assert name_of(html) == name_of(empty) == "Followers_north.pier.zip"
    assert html.content.startswith(b"<!doctype html>")
    assert (empty.status_code, empty.content) == (200, b"")


def test_a_wrong_section_hides_under_the_right_name(visitor: Visitor, world: StudioWorld) -> None:
    world.faults.add("wrong_section", section="viewers", parameter="followers")
    world.faults.add("wrong_section", section="content")
    viewers, content = visitor.download("viewers"), visitor.download("content")
    assert (name_of(viewers), name_of(content)) == ("Viewers_north.pier.zip", "Content_north.pier.zip")
    assert "FollowerHistory.csv" in tables(viewers.content)
    assert list(tables(content.content)) == ["Overview.csv"]


def test_an_xlsx_may_come_though_csv_was_asked_for(visitor: Visitor, world: StudioWorld) -> None:
    world.faults.add("xlsx")
    archive = ZipFile(BytesIO(visitor.download("viewers", custom(FIRST, LAST)).content))
    assert archive.namelist() == ["Viewers.xlsx"]
    sheet = fastexcel.read_excel(archive.read("Viewers.xlsx")).load_sheet("Viewers")
    assert sheet.height == 47


def test_an_empty_section_holds_its_headers_only(visitor: Visitor, world: StudioWorld) -> None:
    world.faults.add("empty_section")
    for name, rows in tables(visitor.download("followers").content).items():
        assert (name, len(rows)) == (name, 1)


def test_shifted_labels_move_each_row_and_never_its_values(visitor: Visitor, world: StudioWorld) -> None:
    _, *plain = tables(visitor.download("overview", custom(FIRST, LAST)).content)["Overview.csv"]
    world.exports.forget_limits()
    world.faults.add("label_shift")
    _, *moved = tables(visitor.download("overview", custom(FIRST, LAST)).content)["Overview.csv"]
    assert [row[0] for row in moved] == [row[0] for row in plain]
    assert [row[1:] for row in moved[1:]] == [row[1:] for row in plain[:-1]]


def test_a_preset_with_shifted_labels_ends_a_label_later(visitor: Visitor, world: StudioWorld) -> None:
    world.faults.add("label_shift")
    _, *rows = tables(visitor.download("overview").content)["Overview.csv"]
    assert (len(rows), rows[-1][0]) == (28, "January 1")


def test_unescaped_quotes_are_those_of_the_generator(
    visitor: Visitor, world: StudioWorld, north: StudioAccount
) -> None:
    world.faults.add("unescaped_quotes")
    content = visitor.download("content", custom(FIRST, LAST)).content
    quirks = usual_quirks(north.truth, NOW)
    plain, broken = (
        studio_export(north.truth, "content", FIRST, LAST, downloaded_at=NOW, quirks=one).content
        for one in (quirks, replace(quirks, unescaped_quotes=True))
    )
    assert content == broken
    assert len(broken) < len(plain), "no title of this window holds a quote"


def test_undefined_runs_lead_and_trail(visitor: Visitor, world: StudioWorld) -> None:
    world.faults.add("undefined_runs", parameter=4)
    _, *rows = tables(visitor.download("viewers", custom(FIRST, LAST)).content)["Viewers.csv"]
    unknown = [row[1:] == ["undefined", "0", "0"] for row in rows]
    assert unknown == [True] * 4 + [False] * 42 + [True]


def test_a_window_of_366_days_ends_where_it_was_asked_to(visitor: Visitor, world: StudioWorld) -> None:
    world.faults.add("window_366")
    _, *rows = tables(visitor.download("overview", {"type": "fixed", "pastDay": 365}).content)["Overview.csv"]
    assert (len(rows), rows[0][0], rows[-1][0]) == (366, "December 31", "December 31")


def test_a_connection_breaks_as_often_as_the_fault_says(world: StudioWorld, north: StudioAccount) -> None:
    with serve(world) as address:
        visitor = Visitor(world, address)
        visitor.log_in(north)
        world.faults.add("reset_once")
        link = visitor.link()
        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
            visitor.get(link)
        assert list(tables(visitor.get(link).content)) == ["Overview.csv"]
        world.faults.add("reset_always")
        for _ in range(3):
            with pytest.raises(httpx.RemoteProtocolError):
                visitor.get(link)
        visitor.http.close()
    assert [fault.name for fault in world.faults.fired] == ["reset_once"] + ["reset_always"] * 3
