"""Failures reach Dagster with their sentence and whether a retry may help, whichever asset or IO manager they end."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from tiktok_assets.assets.dagster_failures import dagster_failures, manager_reports_failures, reports_failures
from tiktok_assets.failures import AuthExpired, BadExport, Failure, LimitReached
from tiktok_assets.graph import build_definitions
from tiktok_assets_tests.conftest import Install

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("failure", "allow_retries"),
    [
        (AuthExpired("a: the saved login ended."), False),
        (BadExport("a: a web page"), True),
        (LimitReached("a: later", NOON), False),
    ],
)
def test_a_failure_says_to_dagster_what_it_says_to_people(failure: Failure, allow_retries: bool) -> None:
    failure.metadata |= {"evidence_png": Path("/tmp/a.png"), "tries": 3}
    with pytest.raises(dg.Failure) as raised, dagster_failures():
        raise failure
    assert str(raised.value) == raised.value.description == failure.description
    assert raised.value.allow_retries is failure.allow_retries is allow_retries
    assert raised.value.metadata["tries"] == dg.MetadataValue.int(3)
    assert raised.value.metadata["evidence_png"] == dg.MetadataValue.path("/tmp/a.png")
    assert raised.value.__cause__ is failure


def test_a_limit_keeps_the_moment_from_which_on_it_may_be_tried_again() -> None:
    with pytest.raises(dg.Failure) as raised, dagster_failures():
        raise LimitReached("a: later", NOON)
    assert raised.value.metadata["retry_at"] == dg.MetadataValue.float(NOON.timestamp())


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(ZeroDivisionError), dagster_failures():
        _ = 1 / 0


class Store(dg.IOManager):
    def handle_output(self, context: dg.OutputContext, obj: str) -> None:
        if obj == "unwelcome":
            raise AuthExpired("the store wants a login")

    def load_input(self, context: dg.InputContext) -> str:
        raise BadExport("the store is torn")


@dg.asset
@reports_failures
def fails() -> None:
    raise BadExport("the asset is torn")


@dg.multi_asset(outs={"first": dg.AssetOut(io_manager_key="free"), "second": dg.AssetOut(io_manager_key="free")})
@reports_failures
def fails_between(context: dg.AssetExecutionContext) -> Iterator[dg.Output[str]]:
    yield dg.Output("welcome", "first")
    raise AuthExpired("between two tables")


@dg.asset(io_manager_key="store")
def unwelcome() -> str:
    return "unwelcome"


@dg.asset(io_manager_key="store")
def welcome() -> str:
    return "welcome"


@dg.asset(io_manager_key="free")
def reads(welcome: str) -> str:
    return welcome


@pytest.mark.parametrize(
    ("assets", "sentence", "attempts"),
    [
        ([fails], "the asset is torn", 2),
        ([fails_between], "between two tables", 1),
        ([unwelcome], "the store wants a login", 1),
        ([welcome, reads], "the store is torn", 2),
    ],
)
def test_a_step_fails_with_our_sentence_and_is_tried_again_only_if_that_may_help(
    assets: list[dg.AssetsDefinition], sentence: str, attempts: int
) -> None:
    job = dg.define_asset_job("job", op_retry_policy=dg.RetryPolicy(max_retries=1))
    resources = {"store": manager_reports_failures(Store()), "free": dg.mem_io_manager}
    definitions = dg.Definitions(assets, jobs=[job], resources=resources, executor=dg.in_process_executor)
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def("job").execute_in_process(instance=instance, raise_on_error=False)
    (failed,) = (event.step_failure_data for event in result.all_events if event.is_step_failure)
    assert failed.user_failure_data is not None
    assert failed.user_failure_data.description == sentence
    retries = [event for event in result.all_events if event.event_type is dg.DagsterEventType.STEP_UP_FOR_RETRY]
    assert len(retries) == attempts - 1


@pytest.mark.parametrize("retries", [0, 1])
def test_the_log_of_a_run_shows_our_sentence_first_and_the_trace_below(tmp_path: Path, retries: int) -> None:
    storage = {"module": "tiktok_assets.storage.event_log", "class": "BatchedEventLog"}
    overrides = {"event_log_storage": {**storage, "config": {"base_dir": str(tmp_path / "history")}}}
    job = dg.define_asset_job("job", op_retry_policy=dg.RetryPolicy(max_retries=retries) if retries else None)
    definitions = dg.Definitions([fails], jobs=[job], executor=dg.in_process_executor)
    with dg.instance_for_test(temp_dir=str(tmp_path), overrides=overrides) as instance:
        result = definitions.resolve_job_def("job").execute_in_process(instance=instance, raise_on_error=False)
        logged = instance.all_logs(result.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    (failed,) = (one.dagster_event for one in logged)
    assert failed is not None
    assert failed.message == "the asset is torn"
    error = failed.step_failure_data.error
    assert error is not None
    assert "fails" in "".join(error.stack) + str(error.cause)


def unreported(definitions: dg.Definitions) -> set[str]:
    """The assets, ops and IO managers whose failures Dagster would show as errors of the program."""
    functions: dict[str, Any] = {
        asset.node_def.name: asset.op.compute_fn
        for asset in definitions.assets or ()
        if isinstance(asset, dg.AssetsDefinition) and asset.is_executable
    }
    for job in definitions.jobs or ():
        if isinstance(job, dg.JobDefinition):
            functions |= {node.name: node.definition.compute_fn for node in job.nodes}  # pyright: ignore[reportAttributeAccessIssue]
    checked = {name: getattr(function, "decorated_fn", function) for name, function in functions.items()}
    made = {key: one for key, one in (definitions.resources or {}).items() if isinstance(one, dg.IOManagerDefinition)}
    with dg.build_resources(dict(definitions.resources or {})) as resources:
        for key in made:
            manager = getattr(resources, key)
            checked |= {f"{key}.{way}": getattr(manager, way) for way in ("handle_output", "load_input")}
    assert made
    return {name for name, function in checked.items() if not hasattr(function, "reports_failures")}


def test_every_asset_op_and_io_manager_reports_its_failures(install: Install) -> None:
    definitions = build_definitions(install("pig1987"))
    assert unreported(definitions) == set()

    @dg.asset
    def forgotten() -> None: ...

    @dg.op
    def forgotten_op() -> None: ...

    @dg.job
    def forgotten_job() -> None:
        forgotten_op()

    store = dg.IOManagerDefinition.hardcoded_io_manager(Store())
    careless = dg.Definitions([forgotten, fails], jobs=[forgotten_job], resources={"store": store})
    assert unreported(careless) == {"forgotten", "forgotten_op", "store.handle_output", "store.load_input"}
