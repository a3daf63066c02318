"""To which account and months each file in the landing folders is given; copies are taken in once."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tiktok_assets import clock
from tiktok_assets.accounts import load_roster
from tiktok_assets.inbox.intake import take_in
from tiktok_assets.settings import Settings
from tiktok_assets.storage.lake import Lake
from tiktok_assets_tests.conftest import Install
from tiktok_assets_tests.inbox.intake_looks import landed, look, pretend_processed
from tiktok_assets_tests.landing_files import (
    drop,
    drop_export,
    export,
    is_kept,
    landing,
    names_in,
)

# --- finding the account ---------------------------------------------------------------------------------------------


def test_exports_are_given_to_their_account_by_links_name_or_folder(settings: Settings) -> None:
    content = export("zone.a0", "content").members["Content.csv"]
    history = export("pig1987", "followers").members["FollowerHistory.csv"]
    drop(content, landing(settings), "by its links.csv")
    drop(export("pig1987", "viewers").content, landing(settings), "Viewers_pig1987 (1).zip")
    drop(export("pig1987", "overview").members["Overview.csv"], landing(settings) / "zonea0", "Overview 4.csv")
    drop(history, landing(settings) / "Followers_pig1987", "FollowerHistory.csv")
    drop(export("zone.a0", "viewers").members["Viewers.csv"], landing(settings) / "zone.a0", "by its folder.csv")

    intake = look(settings)

    assert sorted(landed(intake)) == [
        ("pig1987", "Followers_pig1987/FollowerHistory.csv"),
        ("pig1987", "Viewers_pig1987 (1).zip"),
        ("zonea0", "Overview 4.csv"),
        ("zonea0", "by its folder.csv"),
        ("zonea0", "by its links.csv"),
    ]
    assert (intake.rejected, intake.waiting, intake.unreadable) == ((), (), ())
    assert sorted(landed(look(settings))) == sorted(landed(intake))  # all at home; looking again moves nothing


def test_an_unknown_handle_in_an_accounts_folder_is_taken_in_with_a_warning(settings: Settings) -> None:
    drop_export(settings, "renamed", "viewers", folder="pig1987")
    (one,) = look(settings).landed
    assert one.account == "pig1987"
    assert one.warnings[-1] == "its name says @renamed, which is not an account; its folder says pig1987"


def test_the_advice_for_a_name_behind_a_known_handle_does_not_split_the_account(settings: Settings) -> None:
    drop(export("x", "viewers").content, landing(settings), "Viewers_pig1987_final.zip")
    (rejected,) = look(settings).rejected
    assert (
        f"if it belongs to @pig1987, put it into {landing(settings) / 'pig1987'}/; else `tiktok-assets accounts add"
        in rejected.message
    )


@pytest.mark.parametrize(
    "name", ["Viewers_pig1987-2.zip", "Viewers_pig1987 - Kopie.zip", "Copy of Viewers_pig1987.zip"]
)
def test_a_copy_under_a_systems_mark_belongs_to_its_account(settings: Settings, name: str) -> None:
    drop(export("pig1987", "viewers").content, landing(settings), name)
    (one,) = look(settings).landed
    assert one.account == "pig1987"


def test_the_suggested_command_contains_only_what_a_handle_can_contain(settings: Settings) -> None:
    drop(export("x", "viewers").content, landing(settings), "Viewers_x;reboot.zip")
    (rejected,) = look(settings).rejected
    assert "accounts add <name> --handle x`" in rejected.message


# --- the same bytes twice --------------------------------------------------------------------------------------------


def test_a_copy_under_another_name_is_neither_taken_in_again_nor_moved(settings: Settings) -> None:
    made = drop_export(settings, "pig1987", "viewers")
    pretend_processed(settings, look(settings))
    copy = drop(made.content, landing(settings), "Viewers_pig1987 (1).zip")

    intake = look(settings)

    assert (intake.landed, intake.rejected) == ((), ())
    assert intake.left_alone == (
        f"{copy}: holds the same bytes as {landing(settings) / 'pig1987' / made.name}, which is taken in already. "
        "You can delete it.",
    )
    assert copy.exists()


def test_two_copies_in_one_drop_are_one_export(settings: Settings) -> None:
    made = export("pig1987", "viewers")
    for folder in (landing(settings), landing(settings) / "pig1987"):
        drop(made.content, folder, "Viewers_pig1987 copy.zip")
        drop(made.content, folder, made.name)
    intake = look(settings)
    assert landed(intake) == [("pig1987", "Viewers_pig1987 copy.zip")]
    assert len(intake.left_alone) == 2
    assert names_in(landing(settings)) == sorted(["Viewers_pig1987 copy.zip", made.name] * 2)


def test_another_export_of_the_same_name_gets_a_name_of_its_own(settings: Settings) -> None:
    contents = []
    for month in (5, 6, 7):
        made = export("pig1987", "viewers", date(2025, month, 1), date(2025, month, 20))
        drop(made.content, landing(settings), made.name)
        contents.append(made.content)
        look(settings)
    assert names_in(landing(settings)) == ["Viewers_pig1987.zip", "Viewers_pig1987~2.zip", "Viewers_pig1987~3.zip"]
    assert is_kept(settings, contents)


def test_equal_header_only_files_of_two_accounts_are_both_taken_in(settings: Settings) -> None:
    for key in ("pig1987", "zonea0"):
        drop(b'"Gender","Distribution"', landing(settings) / key, "FollowerGender.csv")
    assert landed(look(settings)) == [("pig1987", "FollowerGender.csv"), ("zonea0", "FollowerGender.csv")]


def test_equal_files_of_days_without_a_number_are_both_taken_in(settings: Settings) -> None:
    content = b'"Date","Total Viewers","New Viewers","Returning Viewers"\n"May 1","undefined","0","0"'
    for key in ("pig1987", "zonea0"):
        drop(content, landing(settings) / key, "Viewers.csv")
    assert landed(look(settings)) == [("pig1987", "Viewers.csv"), ("zonea0", "Viewers.csv")]


def test_an_export_of_one_account_is_not_taken_in_for_another(settings: Settings) -> None:
    made = drop_export(settings, "pig1987", "viewers")
    pretend_processed(settings, look(settings))
    drop(made.content, landing(settings) / "zonea0", "my viewers.zip")
    intake = look(settings)
    assert intake.landed == ()
    (rejected,) = intake.rejected
    assert rejected.message == (
        f"my viewers.zip: holds the same bytes as {landing(settings) / 'pig1987' / made.name}, which is an export of "
        f"pig1987. If it belongs to zonea0, delete that one, put this one into {landing(settings) / 'zonea0'}, and "
        "run `tiktok-assets rebuild`."
    )
    assert is_kept(settings, [made.content])


def test_a_copy_in_a_wrong_folder_does_not_block_the_correct_one(
    settings: Settings,
) -> None:
    made = drop_export(settings, "pig1987", "viewers")
    drop(made.content, landing(settings) / "zonea0", "mine.zip")
    intake = look(settings)
    assert landed(intake) == [("pig1987", made.name)]
    (rejected,) = intake.rejected
    assert rejected.message.startswith(f"mine.zip: holds the same bytes as {landing(settings) / 'pig1987' / made.name}")


def test_a_copy_that_names_no_account_is_recognized_by_its_bytes(settings: Settings) -> None:
    made = drop_export(settings, "pig1987", "viewers")
    pretend_processed(settings, look(settings))
    copy = drop(made.content, landing(settings), "Viewers (1).zip")
    intake = look(settings)
    assert (intake.landed, intake.rejected) == ((), ())
    assert intake.left_alone == (
        f"{copy}: holds the same bytes as {landing(settings) / 'pig1987' / made.name}, which is taken in already. "
        "You can delete it.",
    )


# --- accounts that come and go ---------------------------------------------------------------------------------------


def test_the_files_of_an_account_that_is_not_in_use_wait_where_they_are(install: Install) -> None:
    both = install("pig1987", zonea0="zone.a0")
    drop_export(both, "zone.a0", "viewers")
    look(both)
    only_pig = install("pig1987", zonea0="zone.a0", accounts=("pig1987",))
    loose = drop_export(only_pig, "zone.a0", "content")

    intake = look(only_pig)

    assert (intake.landed, intake.rejected) == ((), ())
    assert len(intake.left_alone) == 2
    assert all("not in use" in message and "TIKTOK_ACCOUNTS" in message for message in intake.left_alone)
    assert (landing(only_pig) / loose.name).exists()
    assert len(look(both).landed) == 2


def test_the_processed_files_of_a_removed_account_are_not_unowned(install: Install) -> None:
    before = install("pig1987", zonea0="zone.a0")
    made = drop_export(before, "zone.a0", "viewers", folder="zonea0")
    pretend_processed(before, look(before))
    after = install("pig1987")
    intake = look(after)
    assert (intake.landed, intake.rejected) == ((), ())
    assert (landing(after) / "zonea0" / made.name).exists()


def test_what_a_receipt_has_proven_is_not_doubted_when_the_handle_changes(install: Install) -> None:
    before = install(mine="old.handle")
    made = drop_export(before, "old.handle", "content")
    pretend_processed(before, look(before))
    after = install(mine="new.handle")
    again = Path(str(after.previous_lake)) / "raw"
    again.parent.mkdir(parents=True)
    Path(str(after.raw)).rename(again)  # as a rebuild keeps it
    intake = look(after)
    assert landed(intake) == [("mine", made.name)]
    assert intake.landed[0].warnings[-1] == (
        "its links say @old.handle, which is not a handle of mine; its receipt says mine. If the handle changed, write "
        "@old.handle into previous_handles of mine in accounts.toml"
    )
    shutil.rmtree(again)
    (rejected,) = look(after).rejected
    assert "previous_handles" in rejected.message


def test_a_receipt_of_another_account_proves_nothing(install: Install) -> None:
    settings = install(mine="old.handle", other="other.one")
    drop_export(settings, "old.handle", "content")
    pretend_processed(settings, look(settings))
    (landing(settings) / "other").mkdir()
    for path in (landing(settings) / "mine").iterdir():
        path.rename(landing(settings) / "other" / path.name)
    (rejected,) = look(settings).rejected
    assert rejected.reason == "account_conflict"


def test_an_account_added_after_the_start_is_not_unknown(settings: Settings, install: Install) -> None:
    started_with = load_roster(settings)
    install("pig1987", "some.one", zonea0="zone.a0")
    drop_export(settings, "some.one", "viewers")
    intake = take_in(Lake(settings), started_with)
    assert intake.rejected == ()
    assert "reload the code location" in intake.left_alone[0]


def test_days_after_today_wait_until_the_clock_or_the_file_is_corrected(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = drop_export(settings, "pig1987", "overview")
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: datetime(2025, 6, 10, tzinfo=UTC))
        intake = look(settings)
    assert (intake.landed, intake.rejected) == ((), ())
    (message,) = intake.unreadable
    assert "contains 2025-05-20 to 2025-06-20, and today is 2025-06-10 by this machine's clock" in message
    assert (landing(settings) / made.name).exists()
    assert landed(look(settings)) == [("pig1987", made.name)]


# --- time ------------------------------------------------------------------------------------------------------------


def test_the_message_about_months_that_are_not_kept_says_which_are(install: Install) -> None:
    settings = install("pig1987", start_date="2025-05")
    first, last = date(2025, 1, 5), date(2025, 1, 25)
    lines = [f"{first.replace(day=day):%Y/%m/%d},1,1,1,1,1,1,0,0,0,0,0" for day in range(first.day, last.day + 1)]
    header = (
        "Date,Video views,Reached audience,Profile views,Likes,Shares,Comments,Phone number clicks ,Leads submission,"
    )
    content = "\n".join([f"{header}Net growth,New followers,Lost followers", *lines]).encode()
    drop(content, landing(settings) / "pig1987", "history.csv")
    (rejected,) = look(settings).rejected
    assert rejected.reason == "outside_time"
    assert f"{first} to {last}" in rejected.message
    assert "2025-05" in rejected.message
    assert "TIKTOK_START_DATE" in rejected.message
    assert is_kept(settings, [content])


def test_only_the_months_that_are_kept_are_asked_for(install: Install) -> None:
    settings = install("pig1987", start_date="2025-06")
    drop_export(settings, "pig1987", "viewers")
    (one,) = look(settings).landed
    assert one.months == (date(2025, 6, 1),)


def test_stated_years_ahead_of_the_file_are_quarantined(settings: Settings) -> None:
    lines = [f"2030-05-{day:02},1,1,1,1,1" for day in range(1, 29)]
    content = "\n".join(["Date,Video Views,Profile Views,Likes,Comments,Shares", *lines]).encode()
    drop(content, landing(settings) / "pig1987", "Overview.csv")
    (rejected,) = look(settings).rejected
    assert "after the file's own time" in rejected.message
