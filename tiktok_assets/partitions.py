"""Account x month, the partitions shared by every asset, and the range of them that a run is asked for.

Rows are daily; a partition is a month because Studio never exports one day and Dagster's bookkeeping costs 21 ms per
asset and partition. The cadence is defined only here: everything else uses a ``PartitionRange``.

Does not belong here: Dagster (``assets.partitions``), so that a command that starts no run need not load it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import polars as pl

from tiktok_assets.exports.long_frames import RowsT, gathered, pieces
from tiktok_assets.exports.months import month_of
from tiktok_assets.failures import EmptyRange, RowsOutsideRange

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
_PARTITION = "dagster/partition"
# On a run that another run of the same `process` follows.
MORE_TAG = "tiktok/more_to_come"
MOST_PARTITIONS = 100_000
"""Of one asset: with more of them Dagster loads its definitions and answers its pages slowly."""
_ROOM = 12  # months to come for which an advised first month leaves room
_FEWEST = 25  # months: each of a year beside that of the year before, and the current one


def partition_key(account: str, month: dt.date) -> str:
    """``pig1987|2026-11-01``: account, first day of the month."""
    return f"{account}|{month.isoformat()}"


@dataclass(frozen=True)
class PartitionRange:
    """A rectangle of partitions: some accounts, some months. What a run reads, replaces and reports."""

    accounts: tuple[str, ...]
    months: tuple[dt.date, ...]

    @property
    def first_day(self) -> dt.date:
        return self.months[0]

    @property
    def last_day(self) -> dt.date:
        return (self.months[-1] + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)

    @property
    def last_partition(self) -> str:
        """The greatest key in the order account, then month."""
        return partition_key(self.accounts[-1], self.months[-1])

    def covers(self, months: Iterable[dt.date]) -> bool:
        return set(months) <= set(self.months)

    def extended(self, *, before: int = 0, after: int = 0) -> PartitionRange:
        """With the months within ``before`` days before the range and ``after`` days after it."""
        first = (self.first_day - dt.timedelta(days=before)).replace(day=1)
        last = (self.last_day + dt.timedelta(days=after)).replace(day=1)
        if before == after == 0:
            return self
        return PartitionRange(self.accounts, tuple(pl.date_range(first, last, "1mo", eager=True)))

    def keys_frame(self) -> pl.DataFrame:
        """One row per partition: ``account``, ``month``."""
        accounts = pl.DataFrame({"account": self.accounts}, schema={"account": pl.String})
        return accounts.join(pl.DataFrame({"month": self.months}, schema={"month": pl.Date}), how="cross")

    def within(self, rows: RowsT, day: str = "date") -> RowsT:
        """The rows whose ``day`` lies in one of the partitions."""
        is_within = month_of(pl.col(day)).is_in(self.months) & pl.col("account").is_in(self.accounts)
        inside = rows.lazy().select(is_within).collect().to_series()
        if inside.all(ignore_nulls=False):
            return rows
        if isinstance(rows, pl.DataFrame):
            return cast("RowsT", rows.filter(inside))
        return cast("RowsT", gathered(piece.filter(is_within) for piece in pieces(rows)))

    def require(self, rows: RowsT, table: str) -> RowsT:
        """``rows`` with their ``month``; raises RowsOutsideRange where one belongs to another partition."""
        rows = cast("RowsT", rows.with_columns(month=month_of(pl.col("date"))))
        keys = rows.lazy().select("account", "month").unique().collect()
        if keys.join(self.keys_frame(), on=["account", "month"], how="anti").height:
            outside = rows.lazy().join(self.keys_frame().lazy(), on=["account", "month"], how="anti").collect()
            example = outside.select("account", "date").row(0)
            raise RowsOutsideRange(
                f"{table}: {outside.height} rows lie outside the partitions of this run, for example {example}. "
                "Nothing was stored. This is an error in the asset, not in the data."
            )
        return rows


def partition_range(keys: Iterable[str]) -> PartitionRange:
    """The rectangle of partition keys a run was asked for. Raises EmptyRange if there are none.

    Dagster runs a reversed range (``a|2026-03-01...a|2026-01-01``) as no partition at all and calls it a success.
    """
    accounts: set[str] = set()
    months: set[str] = set()
    for key in keys:
        account, _, month = key.rpartition("|")
        accounts.add(account)
        months.add(month)
    if not accounts:
        raise EmptyRange(
            "The run was asked for no partition. Is the range reversed? Give the earlier month first, "
            "as in pig1987|2026-01-01...pig1987|2026-03-01."
        )
    # Sorted: the keys of a rectangle come in the order of a set, and the rows of a table must not.
    return PartitionRange(tuple(sorted(accounts)), tuple(sorted(dt.date.fromisoformat(month) for month in months)))


def months_until(start: dt.date, today: dt.date) -> int:
    """How many months there are from that of ``start`` to that of ``today``, both included."""
    return (today.year - start.year) * 12 + today.month - start.month + 1


def advised_start(accounts: int, today: dt.date) -> dt.date | None:
    """The earliest first month with which the partitions stay below the limit for another year; None where that leaves
    less than two years to compare."""
    months = MOST_PARTITIONS // accounts - _ROOM
    if months < _FEWEST:
        return None
    ordinal = today.year * 12 + today.month - months
    return dt.date(ordinal // 12, ordinal % 12 + 1, 1)


def partitions_advice(accounts: int, start: dt.date, today: dt.date) -> str | None:
    """What to do where ``accounts`` times the months since ``start`` are too many partitions; None if they are not."""
    count = accounts * months_until(start, today)
    if count <= MOST_PARTITIONS:
        return None
    advised = advised_start(accounts, today)
    remedy = (
        f"Set TIKTOK_START_DATE={advised:%Y-%m}: earlier months are not processed any more, and landing stays as it is."
        if advised
        else "Split the accounts by client: docs/cluster.md, More than 2,500 accounts."
    )
    return (
        f"{accounts:,} accounts since {start:%Y-%m} are {count:,} partitions of each asset; Dagster works well with "
        f"{MOST_PARTITIONS:,} at most. {remedy}"
    )


def range_tags(accounts: Sequence[str], months: Sequence[dt.date]) -> dict[str, str]:
    """Run tags that ask for one run over a rectangle of partitions."""
    return {
        RANGE_START: partition_key(accounts[0], min(months)),
        RANGE_END: partition_key(accounts[-1], max(months)),
    }


def month_tags(months: Sequence[dt.date]) -> dict[str, str]:
    """Run tags that ask for one run over all months from the first to the last of these, of no account."""
    return {RANGE_START: min(months).isoformat(), RANGE_END: max(months).isoformat()}


def accounts_of(tags: Mapping[str, str], roster: Sequence[str]) -> tuple[str, ...]:
    """The accounts of a run by its ``tags``: those from the first to the last one of its range, in the roster's order.

    None for a run without partitions, and for one of accounts that are not in the roster any more.
    """
    first = tags.get(RANGE_START) or tags.get(_PARTITION)
    if first is None:
        return ()
    ends = [key.rpartition("|")[0] for key in (first, tags.get(RANGE_END, first))]
    if not all(end in roster for end in ends):
        return ()
    return tuple(roster[roster.index(ends[0]) : roster.index(ends[1]) + 1])
