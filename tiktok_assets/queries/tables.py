"""Any table as a typed frame, for notebooks, scripts and exports.

Does not belong here: which tables there are (``curated.registry``), file formats (``formats``).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

import polars as pl

from tiktok_assets.queries.published import PublishedTable, published
from tiktok_assets.queries.selection import Day, Selection, Source, chosen_columns, days, keys, source_of
from tiktok_assets.queries.stored import StoredTable, stored
from tiktok_assets.settings import Settings, load_settings


def read(
    table: str,
    *,
    accounts: Iterable[str] | None = None,
    since: Day | None = None,
    until: Day | None = None,
    columns: Iterable[str] | None = None,
    settings: Settings | None = None,
) -> pl.DataFrame:
    """The rows of ``table``, sorted by account and day. Unknown is null, never 0.

    ``table``: a table or view of the warehouse ("social_media_stats"), or a table of the lake by its key
    ("curated/account_daily", "staging/overview"). ``_columns`` has the meaning and unit of each column.
    ``accounts``: keys of accounts.toml or handles. ``since``, ``until``: the first and the last day, both included, of
    the table's own: ``date`` in most, ``captured_on`` in content_performance and audience_insights, ``detected_on`` in
    viral_content, ``month`` (its first day) in exports. None is all.

    Counts are integers, rates and shares floats (0.05 is 5%), days dates, moments UTC. It may be called at any time,
    also while a run writes: a table of the warehouse is as the last run published it, each month of an account in a
    table of the lake as the last run stored it.

    Raises UnknownTable; CannotRead for an account, day or column that does not exist; NoWarehouse if nothing was
    processed yet. All are ValueErrors that say what there is.

    >>> tiktok_assets.read("social_media_stats", accounts=["pig1987"], since="2026-03-01")  # doctest: +SKIP
    """
    source = source_of(table)
    first, last = days(source, since, until)
    settings = settings or load_settings()
    with _opened(settings, source) as found:
        selection = Selection(
            accounts=keys(accounts, settings, source, found.accounts),
            since=first,
            until=last,
            columns=chosen_columns(columns, found.columns, source),
        )
        return found.rows(selection)


def _opened(settings: Settings, source: Source) -> contextlib.AbstractContextManager[PublishedTable | StoredTable]:
    if source.is_in_lake:
        return contextlib.nullcontext(stored(settings, source))
    return published(settings, source)


def why_empty(table: str, *, accounts: Iterable[str] | None = None, settings: Settings | None = None) -> str:
    """Why ``read`` found no rows of ``accounts``, as a sentence: which days the table has."""
    source = source_of(table)
    whose = f" of {', '.join(accounts)}" if accounts is not None else ""
    if source.day is None:
        return f"{table} has no rows."
    found = read(table, accounts=accounts, columns=[source.day], settings=settings)[source.day].cast(pl.Date)
    if found.is_empty():
        return f"{table} has no rows{whose}."
    return f"{table} has rows{whose} from {found.min()} to {found.max()}, none in the days that were asked for."
