"""What verify finds, and which exports are processed again for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from tiktok_assets.inbox.findings import AccountState, Finding, exports_to_reopen, findings, with_remedies
from tiktok_assets.inbox.receipts import Receipt
from tiktok_assets.storage.manifest import Made

MAY, JUNE, JULY = dt.date(2025, 5, 1), dt.date(2025, 6, 1), dt.date(2025, 7, 1)
NOON = dt.datetime(2025, 6, 22, 12, tzinfo=dt.UTC)


def receipt(export_id: str, *months: dt.date) -> Receipt:
    return Receipt(
        export_id=export_id,
        source=f"{export_id}.zip",
        downloaded_at=NOON,
        downloaded_at_evidence="zip_stamp",
        vintage=NOON,
        vintage_evidence="zip_stamp",
        window=(months[0], months[-1]),
        months=months,
        months_reached=months,
        reports=("overview",),
    )


def files(*tables: str) -> Made:
    return Made(made_with="now", files=dict.fromkeys(tables, (10, 1, "d")))


def rows(**tables: str) -> Made:
    return Made(made_with="now", rows={f"warehouse/{table}": value for table, value in tables.items()})


COMPLETE = AccountState(
    account="north",
    receipts=[receipt("one", MAY, JUNE), receipt("two", JUNE)],
    made_with="now",
    files={MAY: files("staging/overview"), JUNE: files("staging/overview", "curated/videos")},
    rows={MAY: rows(exports="1-7"), JUNE: rows(exports="2-9")},
    found_files={
        MAY: {"staging/overview": "10-d"},
        JUNE: {"staging/overview": "10-d", "curated/videos": "10-d"},
    },
    found_rows={MAY: {"warehouse/exports": "1-7"}, JUNE: {"warehouse/exports": "2-9"}},
    with_file=frozenset({"one", "two"}),
)


def test_where_everything_is_there_nothing_is_found() -> None:
    assert findings(COMPLETE) == []
    assert findings(replace(COMPLETE, receipts=[], files={}, rows={}, found_files={}, found_rows={})) == []


MISSING = "`tiktok-assets process` makes it again."


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        pytest.param(
            {"raw_missing": {"two": ["raw/overview/a.parquet", "raw/viewers/a.parquet"]}},
            f"north: raw/overview/a.parquet and 1 more: missing, though two.zip was processed; {MISSING}",
            id="raw file",
        ),
        pytest.param(
            {"found_files": {JUNE: COMPLETE.found_files[JUNE]}},
            f"north: staging/overview, 2025-05: missing; {MISSING}",
            id="file of staging or curated",
        ),
        pytest.param(
            {"found_files": {**COMPLETE.found_files, MAY: {"staging/overview": "11-e"}}},
            f"north: staging/overview, 2025-05: not what a run has stored there; {MISSING}",
            id="file that was changed",
        ),
        pytest.param(
            {"found_files": {**COMPLETE.found_files, MAY: {"staging/overview": "10-d", "curated/videos": "1-x"}}},
            f"north: curated/videos, 2025-05: not what a run has stored there; {MISSING}",
            id="file that nobody made",
        ),
        pytest.param(
            {"found_rows": {}},
            f"north: warehouse/exports, 2 months from 2025-05 to 2025-06: missing; {MISSING}",
            id="table of the warehouse",
        ),
        pytest.param(
            {"found_rows": {**COMPLETE.found_rows, MAY: {"warehouse/exports": "1-8"}}},
            f"north: warehouse/exports, 2025-05: not what a run has stored there; {MISSING}",
            id="row that was changed",
        ),
        pytest.param(
            {"files": {}},
            f"north: its manifest, 2 months from 2025-05 to 2025-06: does not say what these months held; {MISSING}",
            id="manifest of the account",
        ),
        pytest.param(
            {"rows": {JUNE: COMPLETE.rows[JUNE]}},
            f"north: its manifest, 2025-05: does not say what these months held; {MISSING}",
            id="month in the manifest of the warehouse",
        ),
        pytest.param(
            {"made_with": "another timezone"},
            "north: its tables, 2 months from 2025-05 to 2025-06: made under other settings (handle, timezone, viral "
            f"rules, songs) or by another version of the code; {MISSING}",
            id="settings",
        ),
        pytest.param(
            {"months_kept": {"two": [JUNE, JULY]}},
            f"north: two.zip, 2025-07: its rows of these months were left out; {MISSING}",
            id="month that did not exist",
        ),
    ],
)
def test_each_loss_is_one_finding(change: dict[str, Any], sentence: str) -> None:
    assert [str(one) for one in findings(replace(COMPLETE, **change))] == [sentence]


def test_without_its_export_a_finding_says_what_to_put_back() -> None:
    lost = [Finding(account="north", place="raw/a.parquet", problem="missing", export_id="two")]
    assert "put it back into landing" in str(with_remedies(lost, {"one"})[0])
    assert with_remedies(lost, {"two"}) == lost
    any_export = [Finding(account="north", place="staging/overview", problem="missing", months=(MAY,))]
    assert with_remedies(any_export, {"two"}) == any_export
    assert "put it back into landing" in str(with_remedies(any_export, set())[0])


def lost(*months: dt.date, export_id: str = "") -> Finding:
    return Finding(account="north", place="a table", problem="missing", months=months, export_id=export_id)


@pytest.mark.parametrize(
    ("found", "reopened"),
    [
        pytest.param([lost(JUNE)], {"two": {JUNE}}, id="the export with the fewest months"),
        pytest.param([lost(MAY, JUNE)], {"one": {MAY}}, id="one export for both months"),
        pytest.param([lost(JULY)], {"two": {JULY}}, id="a month that no export names goes with one near it"),
        pytest.param([lost(export_id="one"), lost(JUNE)], {"one": set()}, id="an export to be read again anyway"),
        pytest.param([lost(export_id="gone")], {}, id="an export that is not there"),
        pytest.param([lost(JULY, export_id="one"), lost(JULY)], {"one": {JULY}}, id="a month added to an export"),
    ],
)
def test_as_few_exports_as_needed_are_processed_again(
    found: Iterable[Finding], reopened: dict[str, set[dt.date]]
) -> None:
    assert exports_to_reopen(COMPLETE, found) == reopened
