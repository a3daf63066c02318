"""Jobs: a verb and an object."""

import dagster as dg

from tiktok_assets import clock
from tiktok_assets.accounts import Roster
from tiktok_assets.assets.dagster_failures import reports_failures
from tiktok_assets.assets.freshness import PROMISE
from tiktok_assets.assets.publishing import publish
from tiktok_assets.assets.streams import MADE
from tiktok_assets.notices.digest import Week, digest
from tiktok_assets.notices.messages import message_of_digest
from tiktok_assets.notices.sending import NOT_SET, send_message
from tiktok_assets.reporting.writing import each_tables
from tiktok_assets.storage.duckdb import Warehouse
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.run_locks import RUN_LIFE, run_life
from tiktok_assets.storage.state import locks_of

_STREAMS = dg.AssetSelection.assets(*MADE)
# Judged for all accounts at once, after the last of several runs and on days without one.
_IS_FRESH = dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey(["warehouse", "social_media_stats"]), PROMISE))

process_exports = dg.define_asset_job(
    "process_exports",
    selection=dg.AssetSelection.groups("raw", "staging", "curated", "warehouse") - _STREAMS - _IS_FRESH,
    description="Landed exports to the warehouse: raw, staging, curated and the tables in DuckDB.",
)

# A job of its own, and a command: the first page of a process costs 2.3 s, each further one 0.2 s.
report_accounts = dg.define_asset_job(
    "report_accounts",
    selection=dg.AssetSelection.assets("reports/account_report"),
    description="The page of each account of the run, `<account>.html` in reports, from what is in curated now.",
)

refresh_reports = dg.define_asset_job(
    "refresh_reports",
    selection=dg.AssetSelection.assets("reports/front_page") | _IS_FRESH,
    description="The front page of all accounts, the pages of those whose tables changed, and whether every account's "
    "numbers are fresh; requested by a sensor.",
)

process_streams = dg.define_asset_job(
    "process_streams",
    selection=_STREAMS,
    description="Files in landing/streams to warehouse/song_streams, also after songs.toml has changed.",
)

extract_exports = dg.define_asset_job(
    "extract_exports",
    selection=dg.AssetSelection.groups("landing").materializable(),
    description="Requests missing exports from TikTok Studio and lands them. The sensor continues from there.",
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
        resource_defs={RUN_LIFE: run_life(locks_of(lake.settings))},
        executor_def=dg.in_process_executor,
    )
    def publish_warehouse() -> None:
        publish_working_file()

    return publish_warehouse
