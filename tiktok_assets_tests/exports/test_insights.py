"""An insights file: written and read, split leaf by leaf, and refused with a reason if it is not one."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_assets.exports.insights import (
    FORMAT,
    HEADER,
    INSIGHT,
    RELATION,
    Answer,
    Leaf,
    leaves,
    read_insights,
    read_json,
    serialize_insights,
)
from tiktok_assets.exports.names import read_name
from tiktok_assets.exports.problems import BrokenFile, ForeignFile, WrongSection
from tiktok_assets.reports.reading import open_export
from tiktok_assets_tests.export_files import write

AT = dt.datetime(2026, 1, 1, 18, 20, 30, tzinfo=dt.UTC)
NAME = "Insights_20260101T182030Z_north.pier.json"
AGES = '{"status_code": 0, "viewer_age_distribution": {"status": 0, "value": [{"key": "18-24", "value": 0.30}]}}'
ASKED = {"requests": [{"insigh_type": "viewer_age_distribution", "range": "28"}]}


def answered(text: str, endpoint: str = INSIGHT, **asked: Any) -> Answer:
    return Answer(endpoint=endpoint, at=AT, asked=asked or ASKED, text=text)


def envelope(*answers: Answer, missing: tuple[str, ...] = ()) -> bytes:
    return serialize_insights(handle="north.pier", user_id="6001", captured_at=AT, missing=missing, answers=answers)


def leaves_of(text: str) -> list[tuple[str, ...]]:
    return [tuple(leaf) for leaf in leaves(read_json(text))]


class TestLeaves:
    def test_a_leaf_has_its_path_its_item_and_its_status(self) -> None:
        text = '{"a": {"status": 2, "value": [{"key": "18-24", "value": 0}, {"key": "x", "status": 0, "value": 1e3}]}}'
        assert leaves_of(text) == [
            ("/a/status", "", "2", "number", "2"),
            ("/a/value/0/key", "18-24", "2", "text", "18-24"),
            ("/a/value/0/value", "18-24", "2", "number", "0"),
            ("/a/value/1/key", "x", "0", "text", "x"),
            ("/a/value/1/status", "x", "0", "number", "0"),
            ("/a/value/1/value", "x", "0", "number", "1e3"),
        ]

    def test_numbers_stay_as_they_are_written_and_every_type_is_named(self) -> None:
        text = '[1, 1.0, 1.50, 12345678901234567890123, -0, "1", true, false, null, {}, []]'
        assert [(type_, value) for *_, type_, value in leaves_of(text)] == [
            ("number", "1"),
            ("number", "1.0"),
            ("number", "1.50"),
            ("number", "12345678901234567890123"),
            ("number", "-0"),
            ("text", "1"),
            ("boolean", "true"),
            ("boolean", "false"),
            ("null", ""),
            ("object", ""),
            ("list", ""),
        ]

    def test_a_lone_surrogate_becomes_a_question_mark(self) -> None:
        assert leaves_of('"a\\ud83d"') == [("", "", "", "text", "a?")]

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
            max_leaves=20,
        )
    )
    def test_every_leaf_of_any_json_appears_once_under_its_path(self, value: Any) -> None:
        found = list(leaves(read_json(json.dumps(value))))
        assert len({leaf.path for leaf in found}) == len(found)
        assert len(found) == count(value)
        for leaf in found:
            assert shown(at_path(value, leaf.path)) == (leaf.type, leaf.value)


def count(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sum(map(count, inner)) if inner else 1


def at_path(value: Any, path: str) -> Any:
    for step in path.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


def shown(value: Any) -> tuple[str, str]:
    kinds = {type(None): "null", bool: "boolean", int: "number", str: "text", dict: "object", list: "list"}
    text = "" if value is None or isinstance(value, dict | list) else str(value)
    return kinds[type(value)], text.lower() if isinstance(value, bool) else text


def test_a_file_is_read_as_an_export_with_one_row_per_leaf(tmp_path: Path) -> None:
    follows = answered('{"FollowingCount": {"6001": "70"}}', RELATION, user_id="6001")
    content = envelope(answered(AGES), follows, missing=("vv_traffic_source: Studio answered HTTP 500",))
    path = write(tmp_path / NAME, content, changed=AT + dt.timedelta(days=9))
    with open_export(path) as export:
        export.validate()
        assert (export.sections, export.handles) == (("insights",), ("north.pier",))
        assert (export.downloaded_at, export.downloaded_at_evidence) == (AT, "captured_at")
        assert (export.window, export.months) == ((AT.date(), AT.date()), [dt.date(2026, 1, 1)])
        assert export.warnings == ("Insights lacks vv_traffic_source: Studio answered HTTP 500",)
        ((member, rows),) = export.frames(account="north", source=NAME)
    rows = rows.lazy().collect()
    assert (member.report.name, member.layout.variant, member.layout.unknown) == ("insights", "studio", ())
    assert rows["date_label"].unique().to_list() == [AT.date()]
    assert set(rows.select(HEADER).dtypes) == {pl.String}
    asked = '[{"insigh_type":"viewer_age_distribution","range":"28"}]'
    stamp = AT.isoformat()
    assert rows.filter(pl.col("Endpoint") != "").select(HEADER).rows() == [
        (INSIGHT, "1", stamp, "[]", "/status_code", "", "", "number", "0"),
        (INSIGHT, "1", stamp, asked, "/viewer_age_distribution/status", "", "0", "number", "0"),
        (INSIGHT, "1", stamp, asked, "/viewer_age_distribution/value/0/key", "18-24", "0", "text", "18-24"),
        (INSIGHT, "1", stamp, asked, "/viewer_age_distribution/value/0/value", "18-24", "0", "number", "0.30"),
        (RELATION, "2", stamp, '{"user_id":"6001"}', "/FollowingCount/6001", "", "", "text", "70"),
    ]
    about = rows.filter(pl.col("Endpoint") == "").select("Path", "Value").rows()
    assert ("/handle", "north.pier") in about and ("/captured_at", stamp) in about


def test_bodies_are_kept_as_they_were_served() -> None:
    text = '{ "status_code":0,\n  "x": 1.50 }'
    assert f'"body": {text}}}' in envelope(answered(text)).decode()


def test_a_manually_reformatted_file_reads_the_same() -> None:
    content = envelope(answered(AGES))
    again = json.dumps(json.loads(content), indent=4, sort_keys=True).encode("utf-8-sig")
    before, after = read_insights(NAME, content), read_insights(NAME, again)
    assert (before.handle, before.captured_at) == (after.handle, after.captured_at)
    assert sorted(row[4:7] for row in before.rows) == sorted(row[4:7] for row in after.rows)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-40],
        lambda content: content.replace(b'"captured_at": "2026', b'"captured_at": "x'),
        lambda content: content.replace(b"+00:00", b""),
        lambda content: content.replace(b'"handle": "north.pier"', b'"handle": 7'),
        lambda content: content.replace(b'"responses"', b'"answers"'),
        lambda content: content.replace(b'"insigh_type"', b'"insight_type"'),
        lambda content: content.replace(b'"endpoint"', b'"end"'),
        lambda content: content.replace(b"0.30", b"[" * 100_000),
        lambda content: content.replace(b"18-24", b"\xff"),
    ],
)
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, damage: Any) -> None:
    damaged = damage(envelope(answered(AGES)))
    assert damaged != envelope(answered(AGES))
    with (
        pytest.raises(BrokenFile, match=f"^{NAME}: is a damaged insights file[ ,.].*next visit"),
        open_export(write(tmp_path / NAME, damaged)),
    ):
        pass


def test_a_file_of_a_later_version_is_refused_with_the_remedy(tmp_path: Path) -> None:
    later = envelope(answered(AGES)).replace(b'"version": 1', b'"version": 2')
    with pytest.raises(ForeignFile, match=r"version 2.*Update"), open_export(write(tmp_path / NAME, later)):
        pass


@pytest.mark.parametrize("content", ['{"Activity": {"format": "x"}}', f'["{FORMAT}"]', '{"format": "json"}', "{", "[]"])
def test_other_json_is_refused_with_its_kind(tmp_path: Path, content: str) -> None:
    with pytest.raises(ForeignFile, match="Download your data"), open_export(write(tmp_path / NAME, content)):
        pass


def test_the_name_of_another_section_is_not_believed(tmp_path: Path) -> None:
    with (
        pytest.raises(WrongSection, match="the name says overview"),
        open_export(write(tmp_path / "Overview_x.json", envelope(answered(AGES)))),
    ):
        pass


@pytest.mark.parametrize(
    ("name", "section", "handle"),
    [
        (NAME, "insights", "north.pier"),
        ("insights_20260101T182030Z_a_b.c (1).json", "insights", "a_b.c"),
        ("Insights_20260101T182030Z_x~2.json", "insights", "x"),
        ("Insights.json", None, None),
        ("Insights_x.json", None, None),
        ("insights_2026_x.csv", None, None),
    ],
)
def test_the_name_contains_section_and_handle(name: str, section: str | None, handle: str | None) -> None:
    facts = read_name(name)
    assert (facts.section, facts.handle) == (section, handle)


def test_leaf_and_header_have_the_same_fields() -> None:
    assert tuple(name.lower() for name in HEADER[4:]) == Leaf._fields
