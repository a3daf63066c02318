"""Whether TikTok still writes the columns we know, in every export of landing and archive."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tiktok_assets.cli.app import app
from tiktok_assets.inbox.headers import SchemaCheck, check_schemas
from tiktok_assets.reports import REPORTS
from tiktok_assets.settings import Settings
from tiktok_assets_tests.export_files import deflated
from tiktok_assets_tests.landing_files import drop, drop_export, insights, landing


def table(settings: Settings, header: str, name: str = "Overview.csv", account: str = "pig1987") -> Path:
    return drop(f"{header}\n".encode(), landing(settings) / account, name)


def only(found: SchemaCheck) -> str:
    (drift,) = found.drift
    return str(drift)


def test_known_exports_of_landing_and_archive_are_counted_by_report_and_variant(settings: Settings) -> None:
    drop_export(settings, "pig1987", "followers", folder="pig1987")
    made = drop_export(settings, "pig1987", "overview", folder="pig1987")
    archive = Path(str(settings.archive)) / "pig1987"
    archive.mkdir(parents=True)
    (landing(settings) / "pig1987" / made.name).rename(archive / made.name)
    drop_export(settings, "zone.a0", "overview", folder="zonea0")
    drop(insights("zone.a0"), landing(settings) / "zonea0", "Insights_20250622T160500Z_zone.a0.json")
    found = check_schemas(settings)
    assert (found.files, found.drift) == (4, ())
    counts = {(one.report, one.variant): one.tables for one in found.seen}
    assert counts[("overview", "studio")] == 2
    assert counts[("follower_history", "studio")] == counts[("insights", "studio")] == 1


@pytest.mark.parametrize(
    ("name", "variant", "header"),
    [(report.name, variant, header) for report in REPORTS for variant, header in report.headers.items()
     if not report.is_optional],
)  # fmt: skip
def test_every_known_header_is_no_drift(settings: Settings, name: str, variant: str, header: tuple[str, ...]) -> None:
    table(settings, ",".join(f'"{column}"' for column in header), "export.csv")
    found = check_schemas(settings)
    assert [(one.report, one.variant) for one in found.seen] == [(name, variant)]
    assert found.drift == ()


def test_files_in_no_accounts_folder_yet_are_checked_too(settings: Settings) -> None:
    drop_export(settings, "pig1987", "overview")
    drop(b"Date,Video Views,Likes,Moods\n", landing(settings) / "from my phone", "Overview_pig1987.csv")
    found = check_schemas(settings)
    assert found.files == 2
    assert only(found).startswith("landing, from my phone/Overview_pig1987.csv, Overview_pig1987.csv: differs from")
    assert "unknown columns Moods" in only(found)


def test_columns_in_another_order_or_letter_case_are_no_drift(settings: Settings) -> None:
    table(settings, "date,shares,COMMENTS,likes,Profile Views,video_views".replace("_", " "))
    assert check_schemas(settings).drift == ()


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            "Date,Video Views,Profile Views,Likes,Comments,Shares,Saves",
            "differs from overview (studio): unknown columns Saves.",
        ),
        ("Date,Video Views,Profile Views,Likes,Comments", "differs from overview (studio): missing columns Shares."),
        (
            "Date,Video Views,Profile Views,Likes,Comments,Shares,Lost followers",
            "differs from overview (studio): columns of another variant Lost followers.",
        ),
        (
            "Date,Video Views,Profile Views,Likes,Comments,Saves",
            "differs from overview (studio): unknown columns Saves; missing columns Shares.",
        ),
    ],
)
def test_each_kind_of_drift_is_named(settings: Settings, header: str, message: str) -> None:
    table(settings, header)
    assert only(check_schemas(settings)) == f"pig1987, Overview.csv, Overview.csv: {message}"


def test_a_table_of_no_known_report_and_a_broken_file_are_drift_too(settings: Settings) -> None:
    table(settings, "Day,Plays")
    assert "Overview.csv: no known report has these columns: Day,Plays" in only(check_schemas(settings)).replace(
        ", ", ","
    )
    (landing(settings) / "pig1987" / "Overview.csv").write_bytes(b"PK\x03\x04 and no more")
    assert "is a damaged or incomplete ZIP" in only(check_schemas(settings))


def test_drift_in_one_table_of_a_zip_leaves_the_others_counted(settings: Settings) -> None:
    members = {"Overview.csv": b"Date,Video Views,Profile Views,Likes,Comments,Shares\n", "Other.csv": b"Day,Plays\n"}
    drop(deflated(members), landing(settings) / "pig1987", "both.zip")
    found = check_schemas(settings)
    assert [(one.report, one.tables) for one in found.seen] == [("overview", 1)]
    assert "both.zip/Other.csv: no known report" in only(found)


def test_a_file_that_cannot_be_read_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    path = table(settings, "Date")

    def closed(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tiktok_assets.inbox.headers.local_copy", closed)
    assert only(check_schemas(settings)) == f"pig1987, Overview.csv: {path}: [Errno 13] Permission denied"


def test_the_command_exits_with_1_on_drift_and_prints_json(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOK_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("TIKTOK_ACCOUNTS_FILE", str(settings.accounts_file))
    monkeypatch.setenv("COLUMNS", "300")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["schema-check", *arguments])

    assert "No exports in landing or archive." in run().output
    drop_export(settings, "pig1987", "overview", folder="pig1987")
    known = run()
    assert known.exit_code == 0
    assert "1 exports: every header is a known one." in known.output
    table(settings, "Date,Video Views,Profile Views,Likes,Comments,Shares,Saves")
    drifted = run()
    assert drifted.exit_code == 1
    assert "unknown columns Saves" in drifted.output
    found = json.loads(run("--json").stdout)
    assert found["drift"][0]["unknown"] == ["Saves"]
    assert found["seen"] == [{"report": "overview", "variant": "studio", "tables": 1}]
