"""Bad files, one test each: they are quarantined with a reason, no byte is lost, the good file beside it is used."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tiktok_assets.accounts import load_roster
from tiktok_assets.inbox.intake import Intake, take_in
from tiktok_assets.inbox.quarantine import Rejected
from tiktok_assets.pipeline.process import process
from tiktok_assets.settings import Settings
from tiktok_assets.storage.lake import Lake
from tiktok_assets_tests.export_files import deflated
from tiktok_assets_tests.instances import fresh
from tiktok_assets_tests.landing_files import (
    FIRST,
    LAST,
    account,
    drop,
    drop_export,
    export,
    insights,
    is_kept,
    landing,
    materialize,
)

ESCAPES = ("../../escaped.csv", "/escaped.csv", "..\\..\\escaped.csv", "C:\\escaped.csv", "a/../../escaped.csv")


def encrypted() -> bytes:
    """A real export whose headers, local (at 6) and central (at 8), have the bit that says "encrypted"."""
    content = bytearray(export("pig1987", "viewers").content)
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + flags] |= 1
    return bytes(content)


def two_accounts() -> bytes:
    """A list of videos of both accounts."""
    ours, theirs = (export(handle, "content").members["Content.csv"] for handle in ("pig1987", "zone.a0"))
    return deflated({"Content.csv": ours + b"\n" + theirs.split(b"\n", 1)[1]})


# Name -> (content, reason in the note, words of the message beside the file's name: what it is, what to do).
BAD: dict[str, tuple[Callable[[], bytes], str, tuple[str, ...]]] = {
    "Viewers_pig1987 truncated.zip": (
        lambda: export("pig1987", "viewers").content[:300],
        "broken_file",
        ("damaged or incomplete", "Export it again"),
    ),
    "Viewers_pig1987 encrypted.zip": (encrypted, "unsafe_archive", ("is encrypted", "Unpack it")),
    "Viewers_pig1987 nameless.zip": (
        lambda: export("pig1987", "viewers").content.replace(b"Viewers.csv", b"\0iewers.csv"),
        "broken_file",
        ("is a damaged ZIP (a member has no name)", "Export it again"),
    ),
    "Overview bomb.zip": (
        lambda: deflated({"Overview.csv": bytes(100_000_000)}),
        "unsafe_archive",
        ("100,000,000 bytes", "decompression bomb"),
    ),
    "Content_pig1987 page.zip": (
        lambda: b"<!DOCTYPE html><html><head><title>Log in</title></head></html>",
        "broken_file",
        ("is a web page", "export again"),
    ),
    "Overview empty.csv": (lambda: b"", "broken_file", ("is empty (0 bytes)", "Export it again")),
    "Overview_2025-05-20_1750435200_pig1987.csv": (
        lambda: export("pig1987", "viewers").members["Viewers.csv"],
        "wrong_section",
        ("the name says overview", "the columns are those of Viewers", "correct the file's name"),
    ),
    "Followers_pig1987.zip": (
        lambda: deflated({"FollowerHistory.csv": export("pig1987", "overview").members["Overview.csv"]}),
        "wrong_section",
        ("the name says followers", "the columns are those of Overview", "Export it again"),
    ),
    "Views.csv": (
        lambda: b'Date;Primary\r\n"2025-05-20T00:00:00";12\r\n',
        "foreign_file",
        ("Meta", "TikTok Studio"),
    ),
    "Table data.csv": (
        lambda: b"Content,Video title,Video publish time,Views,Watch time (hours)\nTotal,,,12,3.4\n",
        "foreign_file",
        ("YouTube", "TikTok Studio"),
    ),
    "Campaign report.csv": (
        lambda: b"Campaign name,Cost,Impressions,Video views\nSpring,12.30,1000,400\n",
        "foreign_file",
        ("TikTok Ads", "TikTok Studio"),
    ),
    "user_data.json": (
        lambda: b'{"Activity": {"Video Browsing History": {"VideoList": []}}}',
        "foreign_file",
        ("Download your data", "TikTok Studio"),
    ),
    "Insights_20250622T160500Z_pig1987.json": (
        lambda: insights("pig1987")[:-9],
        "broken_file",
        ("is a damaged insights file", "the next visit to Studio lands another"),
    ),
    "Insights_20250622T160501Z_pig1987.json": (
        lambda: insights("pig1987", following="15K"),
        "unreadable_value",
        ("/FollowingCount/6001: '15K' is not a possible following", "must be extended"),
    ),
    "Insights of somebody.json": (
        lambda: insights("some.one"),
        "unknown_account",
        ("@some.one is not a configured account", "tiktok-assets accounts add"),
    ),
    "tiktok_analytics_curated.csv": (
        lambda: (
            b"artist,zone,date,Video Views,Profile Views,Likes,Comments,Shares,Year,engagement_rate,Followers\n"
            b"pig1987,pig1987,2024-05-28,0,0,0,0,0,2024,0.0,0\n"
        ),
        "foreign_file",
        ("a table that was cleaned or processed", "TikTok Studio"),
    ),
    "Viewers_some.one.zip": (
        lambda: export("some.one", "viewers").content,
        "unknown_account",
        ("@some.one is not a configured account", "tiktok-assets accounts add", "--handle some.one", "{landing}"),
    ),
    "Viewers.csv": (
        lambda: export("pig1987", "viewers").members["Viewers.csv"],
        "unknown_account",
        ("nothing in it names its account", "put it into {landing}/<account>/"),
    ),
    "Content both.zip": (
        two_accounts,
        "account_conflict",
        ("more than one account", "links @pig1987", "links @zone.a0", "{landing}/<account>/"),
    ),
}


def the_one_rejected(settings: Settings, intake: Intake, name: str) -> Rejected:
    """The one quarantined file, after a check of its path in quarantine and of its note."""
    (rejected,) = intake.rejected
    lying = Path(rejected.moved_to)
    assert lying.parent == Path(str(settings.quarantine))
    assert json.loads((lying.parent / f"{lying.name}.json").read_text()) == vars(rejected)
    assert sorted(path.name for path in lying.parent.iterdir()) == sorted([lying.name, f"{lying.name}.json"])
    assert Path(rejected.file).name == name
    assert not Path(rejected.file).exists()
    return rejected


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_quarantined_with_its_reason_and_the_good_one_used(settings: Settings, name: str) -> None:
    make, reason, words = BAD[name]
    content = make()
    drop(content, landing(settings), name)
    good = drop_export(settings, "pig1987", "overview")

    intake = take_in(Lake(settings), load_roster(settings))

    rejected = the_one_rejected(settings, intake, name)
    assert rejected.reason == reason
    expected = [word.replace("{landing}", str(landing(settings))) for word in (name, *words)]
    assert all(word in rejected.message for word in expected), rejected.message
    assert [(export.account, export.source) for export in intake.landed] == [("pig1987", good.name)]
    assert is_kept(settings, [content, good.content])


@pytest.mark.parametrize("member", ESCAPES)
def test_a_member_that_points_outside_the_archive_is_never_written(
    settings: Settings, tmp_path: Path, member: str
) -> None:
    content = deflated({member: export("pig1987", "overview").members["Overview.csv"]})
    drop(content, landing(settings), "Overview_pig1987.zip")
    before = set(tmp_path.rglob("*escaped*")) | set(Path("/").glob("*escaped*"))

    rejected = the_one_rejected(settings, take_in(Lake(settings), load_roster(settings)), "Overview_pig1987.zip")

    assert rejected.reason == "unsafe_archive"
    assert f"member {member!r} points outside the archive" in rejected.message
    assert set(tmp_path.rglob("*escaped*")) | set(Path("/").glob("*escaped*")) == before
    assert is_kept(settings, [content])


def test_a_decompression_bomb_is_refused_before_it_is_unpacked(settings: Settings) -> None:
    content = BAD["Overview bomb.zip"][0]()
    assert len(content) < 100_000
    drop(content, landing(settings), "Overview bomb.zip")
    tracemalloc.start()
    try:
        take_in(Lake(settings), load_roster(settings))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000  # bytes; unpacked it would be 100,000,000


def test_an_export_of_one_account_in_the_folder_of_another_is_quarantined(settings: Settings) -> None:
    strays = [drop_export(settings, "zone.a0", section, folder="pig1987") for section in ("content", "overview")]
    good = drop_export(settings, "pig1987", "overview", folder="pig1987")

    intake = take_in(Lake(settings), load_roster(settings))

    assert {Path(rejected.file).name: rejected.reason for rejected in intake.rejected} == {
        stray.name: "account_conflict" for stray in strays
    }
    assert all("folder pig1987, name @zone.a0" in rejected.message for rejected in intake.rejected)
    assert [export.source for export in intake.landed] == [good.name]
    assert is_kept(settings, [good.content, *(stray.content for stray in strays)])


def test_raw_refuses_another_accounts_export_though_the_sensor_has_not_looked_yet(settings: Settings) -> None:
    drop_export(settings, "zone.a0", "content", folder="pig1987")
    good = drop_export(settings, "pig1987", "content", folder="pig1987")
    with fresh() as instance:
        assert materialize(settings, instance, "raw", accounts=["pig1987"]).success
    (stored,) = Lake(settings).raw_files("content", "pig1987")
    assert set(pl.read_parquet(str(stored))["source"]) == {good.name}


def test_one_drop_of_good_and_bad_files_ends_with_the_good_numbers_in_the_warehouse(settings: Settings) -> None:
    bad = {name: make() for name, (make, _, _) in BAD.items()}
    for name, content in bad.items():
        drop(content, landing(settings), name)
    good = [drop_export(settings, handle, "overview") for handle in ("pig1987", "zone.a0")]

    result = process(settings, instance=fresh())

    assert [(one.account, one.succeeded, one.error) for one in result.accounts] == [
        ("pig1987", True, None),
        ("zonea0", True, None),
    ]
    assert {Path(rejected.file).name: rejected.reason for rejected in result.intake.rejected} == {
        name: reason for name, (_, reason, _) in BAD.items()
    }
    with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
        found = warehouse.sql("select account, date, video_views from social_media_stats order by all").fetchall()
    assert found == [
        (key, truth.day, truth.video_views)
        for key, handle in (("pig1987", "pig1987"), ("zonea0", "zone.a0"))
        for truth in account(handle).days
        if FIRST <= truth.day <= LAST
    ]
    assert is_kept(settings, [*bad.values(), *(export.content for export in good)])
