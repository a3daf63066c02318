"""Jobs: a verb and an object."""

import dagster as dg

from tiktok_assets import clock, queues
from tiktok_assets.accounts import Roster
from tiktok_assets.assets.dagster_failures import reports_failures
from tiktok_assets.assets.freshness import PROMISE
from tiktok_assets.assets.publishing import publish
from tiktok_assets.assets.runs import LOAD_WAREHOUSE, PROCESS_EXPORTS, PROCESS_LAKE, AssetJobs
from tiktok_assets.assets.streams import MADE
from tiktok_assets.notices.digest import Week, digest
from tiktok_assets.notices.messages import message_of_digest
from tiktok_assets.notices.sending import NOT_SET, send_message
from tiktok_assets.queues import queue_tags
from tiktok_assets.reporting.writing import each_tables
from tiktok_assets.settings import TOGETHER, Settings
from tiktok_assets.storage.dagster_internals import AssetJob
from tiktok_assets.storage.duckdb import Warehouse
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.run_locks import RUN_LIFE, run_life
from tiktok_assets.storage.state import locks_of

_STREAMS = dg.AssetSelection.assets(*MADE)
# Judged for all accounts at once, after the last of several runs and on days without one.
_IS_FRESH = dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey(["warehouse", "social_media_stats"]), PROMISE))
_LAKE = dg.AssetSelection.groups("raw", "staging", "curated") - _STREAMS
_WAREHOUSE = dg.AssetSelection.groups("warehouse") - _STREAMS - _IS_FRESH
# A run whose worker was killed is repeated as a whole: its last step answers for all of them.
_WHOLE = {"dagster/retry_strategy": "ALL_STEPS"}


def build_asset_jobs(settings: Settings) -> AssetJobs:
    making, loading = _of_exports(settings)
    return AssetJobs(
        making=making,
        loading=loading,
        streams=dg.define_asset_job(
            "process_streams",
            selection=_STREAMS,
            description="Files in landing/streams to warehouse/song_streams, also after songs.toml has changed.",
            tags=queue_tags(settings, queues.WAREHOUSE),
        ),
        extracting=dg.define_asset_job(
            "extract_exports",
            selection=dg.AssetSelection.groups("landing").materializable(),
            description="Requests missing exports from TikTok Studio and lands them. The sensor continues from there.",
            tags=queue_tags(settings, queues.studio_queue()),
        ),
        # A job of its own, and a command: the first page of a process costs 2.3 s, each further one 0.2 s.
        reporting=dg.define_asset_job(
            "report_accounts",
            selection=dg.AssetSelection.assets("reports/account_report"),
            description="The page of each account of the run, `<account>.html` in reports, from what is in curated "
            "now.",
            tags=queue_tags(settings, queues.LAKE),
        ),
        refreshing=dg.define_asset_job(
            "refresh_reports",
            selection=dg.AssetSelection.assets("reports/front_page") | _IS_FRESH,
            description="The front page of all accounts, the pages of those whose tables changed, and whether every "
            "account's numbers are fresh; requested by a sensor.",
            tags=queue_tags(settings, queues.LAKE),
        ),
    )


def _of_exports(settings: Settings) -> tuple[AssetJob, AssetJob | None]:
    """The job that makes the tables of new exports, and the one that loads them where that is apart."""
    if settings.loading == TOGETHER:
        return dg.define_asset_job(
            PROCESS_EXPORTS,
            selection=_LAKE | _WAREHOUSE,
            description="Landed exports to the warehouse: raw, staging, curated and the tables in DuckDB.",
        ), None
    return dg.define_asset_job(
        PROCESS_LAKE,
        selection=_LAKE,
        description="Landed exports to curated: raw, staging, curated and their checks, on any worker.",
        tags=queue_tags(settings, queues.LAKE) | _WHOLE,
    ), dg.define_asset_job(
        LOAD_WAREHOUSE,
        selection=_WAREHOUSE,
        description="What is complete in curated to the tables in DuckDB, many accounts a run, on the one worker that "
        "writes them.",
        tags=queue_tags(settings, queues.WAREHOUSE) | _WHOLE,
    )


def build_send_digest(lake: Lake, roster: Roster) -> dg.JobDefinition:
    """The job that sends the digest of the last week that has ended, unless it was sent before."""

    @dg.op(required_resource_keys={RUN_LIFE}, description="The digest goes to everybody named in TIKTOK_NOTIFY.")
    @reports_failures
    def send_week(context: dg.OpExecutionContext) -> None:
        now = clock.now()
        found = digest(each_tables(lake, list(roster.values()), now), Week.last_before(now), now)
        sent = send_message(lake.settings, message_of_digest(found, lake.settings.web_url), now, is_once=True)
        for problem in sent.problems:  # the sensor `alerts` tries again
            context.log.warning(problem)
        context.log.info(f"The digest of {found.week}: {sent}" if lake.settings.notify else NOT_SET)

    @dg.job(
        description="Sends the digest of the last week; requested by the schedule `weekly_digest`.",
        tags=queue_tags(lake.settings, queues.LAKE),
        resource_defs={RUN_LIFE: run_life(locks_of(lake.settings))},
        executor_def=dg.in_process_executor,
    )
    def send_digest() -> None:
        send_week()

    return send_digest


def build_publish_warehouse(lake: Lake, roster: Roster, warehouse: Warehouse) -> dg.JobDefinition:
    """The job that publishes what is stored but unpublished, because a run was killed or the disk was full."""

    @dg.op(required_resource_keys={RUN_LIFE}, description="The working file becomes the one that people read.")
    @reports_failures
    def publish_working_file(context: dg.OpExecutionContext) -> None:
        holder = f"run {context.run_id[:8]}"
        with warehouse.session(holder=holder, say=context.log.info) as session:
            closed = publish(lake, roster, session)
        context.log.info(f"{warehouse.published} is up to date; {closed} exports are done.")

    @dg.job(
        description="Publishes loaded data; requested by the sensor if no other run has published it.",
        tags=queue_tags(lake.settings, queues.WAREHOUSE),
        resource_defs={RUN_LIFE: run_life(locks_of(lake.settings))},
        executor_def=dg.in_process_executor,
    )
    def publish_warehouse() -> None:
        publish_working_file()

    return publish_warehouse
