"""Each quirk shows in the bytes, and in what is expected of a reader."""

import csv
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from itertools import pairwise
from zipfile import ZipFile

import pytest

from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.exports import GeneratedExport, Quirks, Section, studio_export, usual_quirks
from tiktok_assets.simulator.traits import Traits

ReadCsv = Callable[[bytes], list[list[str]]]
Export = Callable[[Section, Quirks], GeneratedExport]
FIRST, LAST = date(2025, 12, 4), date(2025, 12, 31)
LINK_ANCHORED = re.compile(r'^"([^"]*)","(.*)","(https?://[^"]*)","([^"]*)","(-?\d+)","(-?\d+)","(-?\d+)","(-?\d+)"$')


@pytest.fixture
def export(account: SimulatedAccount, downloaded_at: datetime) -> Export:
    def make(section: Section, quirks: Quirks) -> GeneratedExport:
        return studio_export(account, section, FIRST, LAST, downloaded_at=downloaded_at, quirks=quirks)

    return make


@pytest.mark.parametrize("shift", [-1, 1])
def test_a_label_shift_moves_each_row_and_never_its_values(export: Export, shift: int) -> None:
    reports: dict[Section, str] = {"overview": "overview", "viewers": "viewers", "followers": "follower_history"}
    for section, report in reports.items():
        plain, moved = (export(section, Quirks(label_shift=days)).expected[report] for days in (0, shift))
        assert all(row["date_label"] == row["true_day"] + timedelta(days=shift) for row in moved)
        values = {row["true_day"]: list(row.values())[2:] for row in plain}
        shared = [row for row in moved if row["true_day"] in values]
        assert len(shared) >= 26
        assert all(list(row.values())[2:] == values[row["true_day"]] for row in shared)


def test_viewers_run_a_day_ahead_of_overview(export: Export, read_csv: ReadCsv) -> None:
    plain = read_csv(export("viewers", Quirks()).members["Viewers.csv"])
    ahead = read_csv(export("viewers", Quirks(viewers_offset=1)).members["Viewers.csv"])
    assert [row[1:] for row in ahead[2:]] == [row[1:] for row in plain[1:-1]]
    assert [row[0] for row in ahead] == [row[0] for row in plain]
    overview = Quirks(viewers_offset=1)
    assert export("overview", overview).content == export("overview", Quirks()).content


def test_viewers_a_day_ahead_may_end_a_label_later_than_overview(
    account: SimulatedAccount, downloaded_at: datetime
) -> None:
    last_labels = {
        section: studio_export(
            account,
            section,
            FIRST,
            date(2026, 1, 1),
            downloaded_at=downloaded_at,
            quirks=Quirks(viewers_offset=1),
        ).expected[section][-1]["date_label"]
        for section in ("overview", "viewers")
    }
    assert last_labels == {"overview": date(2025, 12, 31), "viewers": date(2026, 1, 1)}


def test_the_follower_difference_looks_back_or_forward(export: Export, read_csv: ReadCsv) -> None:
    back = read_csv(export("followers", Quirks(difference="previous")).members["FollowerHistory.csv"])[1:]
    forward = read_csv(export("followers", Quirks(difference="next")).members["FollowerHistory.csv"])[1:]
    followers = [int(row[1]) for row in back]
    growth = [after - before for before, after in pairwise(followers)]
    assert [int(row[2]) for row in back[1:]] == growth
    assert [int(row[2]) for row in forward] == [*growth, 0]


def test_undefined_runs_are_undefined_with_zeros_beside_and_none_in_expected(export: Export, read_csv: ReadCsv) -> None:
    quirks = Quirks(undefined_leading=3, undefined_trailing=2)
    viewers, followers = export("viewers", quirks), export("followers", quirks)
    rows = read_csv(viewers.members["Viewers.csv"])[1:]
    assert [row[1] == "undefined" for row in rows] == [True] * 3 + [False] * 23 + [True] * 2
    assert all(row[2:] == ["0", "0"] for row in rows[:3] + rows[-2:])
    assert [row["new_viewers"] is None for row in viewers.expected["viewers"]][:4] == [True, True, True, False]
    rows = read_csv(followers.members["FollowerHistory.csv"])[1:]
    assert [row[1:] for row in rows[:3]] == [["undefined", "0"]] * 3
    assert not any(row[1] == "undefined" for row in rows[3:])
    assert followers.expected["follower_history"][2]["followers"] is None


@pytest.mark.parametrize("offset", [-11, -5, 0, 2, 9, 11])
def test_the_first_zero_hour_of_the_activity_tail_gives_the_utc_offset(
    downloaded_at: datetime, read_csv: ReadCsv, offset: int
) -> None:
    account = SimulatedAccount.generate("x", 1, FIRST, LAST, traits=Traits(utc_offset=offset))
    followers = studio_export(account, "followers", FIRST, LAST, downloaded_at=downloaded_at)
    rows = read_csv(followers.members["FollowerActivity.csv"])[1:]
    assert len(rows) == 7 * 24 and [int(row[1]) for row in rows] == list(range(24)) * 7
    tail = [int(hour) for _, hour, active in rows[-24:] if active == "0"]
    assert [int(hour) for _, hour, active in rows if active == "0"] == tail
    assert tail == (list(range(offset % 24, 24)) if offset else [])
    expected = followers.expected["follower_activity"]
    assert [row["hour"] for row in expected if row["is_zero_tail"]] == tail
    last_hour = [row["hour_utc"] for row in expected if not row["is_zero_tail"]][-1]
    assert last_hour == datetime(2025, 12, 31, 23, tzinfo=UTC)


def test_without_a_zero_tail_activity_ends_with_the_last_whole_date(export: Export) -> None:
    rows = export("followers", Quirks(zero_tail=False)).expected["follower_activity"]
    assert rows[-1]["date_label"] == date(2025, 12, 31) and not any(row["is_zero_tail"] for row in rows)


def test_unescaped_quotes_need_the_link_as_an_anchor(downloaded_at: datetime) -> None:
    account = SimulatedAccount.generate("x", 3, date(2025, 1, 1), LAST, traits=Traits(posts_per_week=14))
    made = studio_export(
        account,
        "content",
        date(2025, 1, 1),
        LAST,
        downloaded_at=downloaded_at,
        quirks=Quirks(unescaped_quotes=True),
    )
    lines = made.members["Content.csv"].decode("utf-8-sig").split("\n")[1:]
    titles = [row["title"] for row in made.expected["content"]]
    matches = [LINK_ANCHORED.match(line) for line in lines]
    assert [match[2] for match in matches if match] == titles
    assert [row[1] if len(row) == 8 else None for row in csv.reader(lines)] != titles


def test_the_form_of_the_csv_can_be_changed(export: Export) -> None:
    plain = export("overview", Quirks()).members["Overview.csv"]
    assert export("overview", Quirks(bom=False)).members["Overview.csv"] == plain.removeprefix(b"\xef\xbb\xbf")
    assert export("overview", Quirks(final_newline=True)).members["Overview.csv"] == plain + b"\n"
    assert export("overview", Quirks(crlf=True)).members["Overview.csv"] == plain.replace(b"\n", b"\r\n")


def test_thousands_commas_change_the_text_and_not_the_value(export: Export, read_csv: ReadCsv) -> None:
    made = export("overview", Quirks(thousands_commas=True))
    cells = [row[1] for row in read_csv(made.members["Overview.csv"])[1:]]
    assert any("," in cell for cell in cells)
    assert [int(cell.replace(",", "")) for cell in cells] == [row["video_views"] for row in made.expected["overview"]]


def test_a_duplicate_name_is_the_only_difference_of_a_second_download(export: Export) -> None:
    one, second = (export("viewers", Quirks(duplicate_name=twice)) for twice in (False, True))
    assert second.name == "Viewers_north.pier_2.0 (1).zip"
    assert second.content == one.content


def test_a_zip_without_a_stamp_says_1980(export: Export) -> None:
    with ZipFile(BytesIO(export("followers", Quirks(stamp="1980")).content)) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_extra_columns_come_last_and_new_followers_is_true(
    account: SimulatedAccount, export: Export, read_csv: ReadCsv
) -> None:
    plain = read_csv(export("overview", Quirks()).members["Overview.csv"])
    made = read_csv(export("overview", Quirks(extra_columns=("New followers", "Gifts"))).members["Overview.csv"])
    assert [row[:6] for row in made] == plain
    assert made[0][6:] == ["New followers", "Gifts"]
    truth = account.on(LAST)
    assert truth is not None and made[-1][6] == str(truth.new_followers)


def test_an_empty_section_contains_only_headers(export: Export, read_csv: ReadCsv) -> None:
    for section in ("overview", "content", "viewers", "followers"):
        made = export(section, Quirks(empty_section=True))
        assert all(len(read_csv(content)) == 1 for content in made.members.values())
        assert all(rows == [] for rows in made.expected.values())
    assert export("overview", Quirks(empty_section=True)).name == export("overview", Quirks()).name


def test_usual_quirks_repeat_what_three_real_downloads_showed(account: SimulatedAccount) -> None:
    """At UTC+2: 23:45 UTC is tomorrow there and labels move; 03:30 UTC still ends two days back, looking forward."""
    plain = Quirks(viewers_offset=1)
    assert usual_quirks(account, datetime(2025, 3, 24, 23, 45, tzinfo=UTC)) == replace(plain, label_shift=1)
    assert usual_quirks(account, datetime(2025, 3, 17, 3, 30, tzinfo=UTC)) == replace(plain, difference="next")
    assert usual_quirks(account, datetime(2025, 3, 17, 16, 30, tzinfo=UTC)) == plain
