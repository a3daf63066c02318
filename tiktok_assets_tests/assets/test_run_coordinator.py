"""Which worker gets a run, whoever starts it: by the tags of the jobs, and by the assets of a run of no job."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from tiktok_assets.assets.run_coordinator import QueueByAssets
from tiktok_assets.graph import build_definitions
from tiktok_assets.partitions import range_tags
from tiktok_assets.queues import QUEUE_TAG
from tiktok_assets.settings import Settings, variable
from tiktok_assets_tests.conftest import Install
from tiktok_assets_tests.landing_files import FIRST

BY_HAND = "__ASSET_JOB"


@pytest.fixture
def settings(install: Install, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings = install("north", "south", loading="apart")
    roster = '[accounts.north]\negress = "lisbon"\n[accounts.south]\negress = "porto"\n'
    Path(str(settings.accounts_file)).write_text(roster)
    monkeypatch.setenv(variable("accounts_file"), str(settings.accounts_file))
    monkeypatch.setenv(variable("accounts"), "north,south")
    return settings


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """With the coordinator as deploy/dagster.yaml names it."""
    coordinator = {"module": QueueByAssets.__module__, "class": QueueByAssets.__name__}
    with dg.instance_for_test(
        temp_dir=str(tmp_path_factory.mktemp("dagster")), overrides={"run_coordinator": coordinator}
    ) as instance:
        yield instance


def queue(instance: dg.DagsterInstance, *made: str, check: str = "", **given: Any) -> str | None:
    """The queue of a run that is started by hand."""
    selected = frozenset(dg.AssetKey(key.split("/")) for key in made)
    checks = frozenset({dg.AssetCheckKey(dg.AssetKey(check.split("/")), "a_promise")} if check else ())
    given = {"job_name": BY_HAND, "asset_selection": selected or None, "asset_check_selection": checks or None} | given
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("tiktok_assets.definitions"), "__repository__")
    run = instance.add_run(dg.DagsterRun(remote_job_origin=RemoteJobOrigin(repository, given["job_name"]), **given))
    context = dg.SubmitRunContext(run, cast(Any, None))
    return instance.run_coordinator.submit_run(context).tags.get(QUEUE_TAG)


def test_the_job_of_what_a_person_starts_by_hand_has_no_queue(settings: Settings) -> None:
    assert QUEUE_TAG not in build_definitions(settings).resolve_job_def(BY_HAND).tags


def test_a_run_by_hand_goes_where_its_assets_are_made(settings: Settings, instance: dg.DagsterInstance) -> None:
    assert queue(instance, "raw/overview", "staging/overview", "curated/account_daily") == "lake"
    assert queue(instance, "reports/front_page") == "lake"
    assert queue(instance, "curated/account_daily", "warehouse/social_media_stats") == "warehouse"
    assert queue(instance, "raw/streams", "staging/streams", "warehouse/song_streams") == "warehouse"
    assert queue(instance, check="warehouse/social_media_stats") == "warehouse"
    assert queue(instance, check="landing/overview") == "lake"  # which visits nobody
    assert queue(instance, job_name="a job of somebody else") is None
    assert queue(instance, "raw/overview", tags={QUEUE_TAG: "warehouse"}) == "warehouse"


def test_a_visit_by_hand_goes_to_the_egress_of_its_account(settings: Settings, instance: dg.DagsterInstance) -> None:
    north, both = range_tags(["north"], [FIRST.replace(day=1)]), range_tags(["north", "south"], [FIRST.replace(day=1)])
    assert queue(instance, "landing/overview", tags=north) == "studio-lisbon"
    assert queue(instance, "landing/overview", "raw/overview", tags=north) == "studio-lisbon"
    of_the_job = {QUEUE_TAG: "studio-default"}
    assert queue(instance, job_name="extract_exports", tags=north | of_the_job) == "studio-lisbon"
    assert queue(instance, "landing/overview", tags=north | {QUEUE_TAG: "studio-porto"}) == "studio-porto"
    assert queue(instance, "landing/overview", tags=both) == "studio-default"  # which visits neither, and says so


def test_a_visit_is_started_where_the_accounts_cannot_be_read(
    settings: Settings, instance: dg.DagsterInstance, caplog: pytest.LogCaptureFixture
) -> None:
    Path(str(settings.accounts_file)).write_text("[accounts")
    assert queue(instance, "landing/overview") == "studio-default"
    assert "whatever the egress of its account" in caplog.text
