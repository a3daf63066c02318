"""Reports made of what the pipeline stored: by the command, and by the asset."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test
from typer.testing import CliRunner, Result

from tiktok_assets.cli.app import app
from tiktok_assets.graph import build_definitions
from tiktok_assets.partitions import range_tags
from tiktok_assets.pipeline.process import process
from tiktok_assets.settings import load_settings
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.exports import land, studio_exports
from tiktok_assets_tests.instances import fresh
from tiktok_assets_tests.landing_files import materialize
from tiktok_assets_tests.made_once import MadeOnce

FIRST, LAST = dt.date(2026, 1, 10), dt.date(2026, 3, 10)
DOWNLOADED = dt.datetime(2026, 3, 12, 18, tzinfo=dt.UTC)
TRUTH = {
    name: SimulatedAccount.generate(handle, 7, dt.date(2025, 12, 1), LAST)
    for name, handle in (("zonea0", "zone.a0"), ("pig1987", "pig1987"))
}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of an installation of two accounts."""
    accounts = tmp_path / "accounts.toml"
    accounts.write_text('[accounts.pig1987]\ntimezone = "Europe/Lisbon"\n[accounts.zonea0]\nhandle = "zone.a0"\n')
    monkeypatch.setenv("TIKTOK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TIKTOK_ACCOUNTS_FILE", str(accounts))
    monkeypatch.setenv("COLUMNS", "300")
    return tmp_path / "data"


def processed(data: Path, made_once: MadeOnce, *accounts: str) -> None:
    def make() -> None:
        for name in accounts:
            for export in studio_exports(TRUTH[name], FIRST, LAST, downloaded_at=DOWNLOADED):
                land(export, data / "landing" / name)
        with fresh() as history:
            assert process(load_settings(), instance=history).is_clean

    made_once.fill(data, f"reported: {' '.join(accounts)}", make)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["report", *arguments])


def views(name: str) -> str:
    return f"{sum(day.video_views for day in TRUTH[name].days if day.day > LAST - dt.timedelta(days=28)):,}"


def test_a_page_of_each_account_lies_below_data_or_in_the_folder_that_was_named(
    data: Path, tmp_path: Path, made_once: MadeOnce
) -> None:
    processed(data, made_once, "pig1987", "zonea0")
    result = run()
    assert result.exit_code == 0, result.output
    names = ("index", "pig1987", "zonea0")
    assert result.stdout.split() == [str(data / "reports" / f"{name}.html") for name in names]
    front = (data / "reports" / "index.html").read_text()
    assert all(views(name) in front and f'href="{name}.html"' in front for name in ("pig1987", "zonea0"))
    for name in ("pig1987", "zonea0"):
        assert views(name) in (data / "reports" / f"{name}.html").read_text()
    assert run("-o", str(tmp_path / "pages")).exit_code == 0
    assert sorted(path.name for path in (tmp_path / "pages").iterdir()) == ["index.html", "pig1987.html", "zonea0.html"]

    one_page = tmp_path / "deep" / "report.html"
    assert run("-o", str(one_page)).stdout.split() == [str(one_page)]
    assert all(views(name) in one_page.read_text() for name in ("pig1987", "zonea0"))
    assert run("@zone.a0", "-o", str(one_page)).exit_code == 0
    assert views("pig1987") not in one_page.read_text()
    assert [path.name for path in one_page.parent.iterdir()] == ["report.html"]


def test_another_suffix_than_html_and_pdf_is_refused_and_writes_nothing(data: Path, tmp_path: Path) -> None:
    result = run("-o", str(tmp_path / "report.docx"))
    assert result.exit_code == 2
    assert "a report is an .html or .pdf file, not .docx" in result.output
    assert not (tmp_path / "report.docx").exists()
    (tmp_path / "of.2026").mkdir()  # a folder may have a dot
    assert run("pig1987", "-o", str(tmp_path / "of.2026")).exit_code == 1  # without data


def test_an_account_without_data_is_exit_code_1_and_says_what_to_do(data: Path, tmp_path: Path) -> None:
    result = run("pig1987", "-o", str(tmp_path / "report.html"))
    assert result.exit_code == 1
    assert "No data yet: pig1987. Drop exports into" in result.stderr
    assert "tiktok-assets process" in result.stderr
    assert not (tmp_path / "report.html").exists()


def test_an_account_without_data_among_all_is_reported_and_is_no_failure(data: Path, made_once: MadeOnce) -> None:
    processed(data, made_once, "zonea0")
    result = run()
    assert result.exit_code == 0
    assert "No data yet: pig1987" in result.stderr
    assert run("zonea0", "pig1987").exit_code == 1


def test_an_unknown_account_is_exit_code_2(data: Path) -> None:
    result = run("nobody")
    assert result.exit_code == 2
    assert "No account is called nobody. There are: pig1987, zonea0." in result.output


def test_the_asset_writes_the_pages_of_its_accounts_from_all_their_months(data: Path, made_once: MadeOnce) -> None:
    processed(data, made_once, "zonea0")
    job = build_definitions(load_settings()).resolve_job_def("report_accounts")
    with fresh() as history:
        tags = range_tags(["pig1987", "zonea0"], [LAST.replace(day=1)])
        result = job.execute_in_process(instance=history, tags=tags)
    metadata = result.asset_materializations_for_node("reports__account_report")[-1].metadata
    assert (metadata["pages_written"].value, metadata["pages"].value) == (1, "zonea0.html")
    assert [path.name for path in (data / "reports").iterdir()] == ["zonea0.html"]
    assert views("zonea0") in (data / "reports" / "zonea0.html").read_text()


def test_the_front_page_is_refreshed_once_after_runs_and_rewrites_only_what_changed(
    data: Path, made_once: MadeOnce
) -> None:
    processed(data, made_once, "pig1987", "zonea0")
    definitions = build_definitions(load_settings())
    with fresh() as history:

        def tick(cursor: str | None) -> dg.SensorResult | dg.SkipReason:
            sensor = definitions.resolve_sensor_def("changed_tables")
            answer = sensor(dg.build_sensor_context(instance=history, definitions=definitions, cursor=cursor))
            assert isinstance(answer, dg.SensorResult | dg.SkipReason)
            return answer

        assert isinstance(tick(None), dg.SensorResult)  # something is published, whoever did it
        started = create_run_for_test(history, job_name="process_exports", status=dg.DagsterRunStatus.STARTED)
        assert "Tables are being changed." in str(tick(None))
        history.report_run_canceled(started)
        create_run_for_test(history, job_name="process_exports", status=dg.DagsterRunStatus.SUCCESS)
        asked = tick(None)
        assert isinstance(asked, dg.SensorResult) and len(asked.run_requests or ()) == 1
        assert "The reports are up to date." in str(tick(asked.cursor))

        job = definitions.resolve_job_def("refresh_reports")

        def pages() -> list[str]:
            done = job.execute_in_process(instance=history)
            metadata = done.asset_materializations_for_node("reports__front_page")[-1].metadata
            return str(metadata["pages"].value).split(", ")

        assert pages() == ["index.html", "pig1987.html", "zonea0.html"]
        files = [*(data / "reports").iterdir()]
        before = {path: path.stat().st_mtime_ns for path in files}
        assert pages() == ["index.html"]
        assert {path: path.stat().st_mtime_ns for path in files} == before
        manifest = data / "raw/exports/account=zonea0/manifest.json"
        moment = (data / "reports/zonea0.html").stat().st_mtime + 1
        os.utime(manifest, (moment, moment))
        assert pages() == ["index.html", "zonea0.html"]


def test_the_days_of_an_account_come_with_their_picture(data: Path, made_once: MadeOnce) -> None:
    processed(data, made_once, "zonea0")
    with fresh() as history:
        months = [FIRST.replace(day=1), LAST.replace(day=1)]
        result = materialize(load_settings(), history, "curated", accounts=["zonea0"], months=months)
    assert result.success
    for table in ("account_daily", "videos"):
        picture = str(result.asset_materializations_for_node(f"curated__{table}")[-1].metadata["picture"].value)
        assert picture.startswith("![chart](<data:image/svg+xml,")
    # Without a timezone no hour of publication is known, so there is nothing to draw.
    assert "picture" not in result.asset_materializations_for_node("curated__posting_times")[-1].metadata
