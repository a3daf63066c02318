"""Which accounts and months share a run: bounded, disjoint, complete, and never dearer than simpler ways."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tiktok_assets.batches import _COST_OF_A_RUN, Batch, batches
from tiktok_assets.partitions import RANGE_END, RANGE_START

ROSTER = [f"a{number:02}" for number in range(24)]
MONTHS = [dt.date(2025, month, 1) for month in range(1, 13)]

months_of_accounts = st.dictionaries(
    st.sampled_from(ROSTER), st.lists(st.sampled_from(MONTHS), min_size=1, max_size=4), max_size=24
)
sizes = st.integers(1, 60)
some_accounts = st.sets(st.sampled_from(ROSTER), max_size=6)


def cost(found: Sequence[Batch]) -> int:
    return sum(_COST_OF_A_RUN + batch.size for batch in found)


@given(months_of_accounts, sizes, some_accounts, some_accounts)
def test_every_account_is_in_one_run_with_all_its_months(
    months: dict[str, list[dt.date]], size: int, alone: set[str], barred: set[str]
) -> None:
    found = batches(months, ROSTER, size, alone=alone, barred=barred)
    assert [account for batch in found for account in batch.new] == [
        account for account in ROSTER if account in months and account not in barred
    ]
    for batch in found:
        for account in batch.new:
            assert batch.first_month <= min(months[account]) <= max(months[account]) <= batch.last_month
        begin = ROSTER.index(batch.accounts[0])
        assert list(batch.accounts) == ROSTER[begin : begin + len(batch.accounts)]
        assert (batch.accounts[0], batch.accounts[-1]) == (batch.new[0], batch.new[-1])


@given(months_of_accounts, sizes, some_accounts, some_accounts)
def test_no_run_is_too_large_or_touches_an_account_it_may_not(
    months: dict[str, list[dt.date]], size: int, alone: set[str], barred: set[str]
) -> None:
    found = batches(months, ROSTER, size, alone=alone, barred=barred)
    touched = [account for batch in found for account in batch.accounts]
    assert len(touched) == len(set(touched))
    assert not barred.intersection(touched)
    for batch in found:
        assert batch.size <= size or len(batch.accounts) == 1
        assert not alone.intersection(batch.accounts) or len(batch.accounts) == 1


@given(months_of_accounts, sizes)
def test_batches_never_cost_more_than_a_run_per_account_or_one_for_all(
    months: dict[str, list[dt.date]], size: int
) -> None:
    found = batches(months, ROSTER, size)
    assert cost(found) <= cost(batches(months, ROSTER, size, alone=ROSTER))
    whole = batches(months, ROSTER, 24 * 12)
    if len(whole) == 1 and whole[0].size <= size:
        assert found == whole


def test_a_gap_costs_less_than_another_run_and_a_long_history_runs_alone() -> None:
    may, june = dt.date(2025, 5, 1), dt.date(2025, 6, 1)
    (one,) = batches({"a01": [may, june], "a05": [may, june]}, ROSTER, 250)
    assert one.accounts == ("a01", "a02", "a03", "a04", "a05")
    assert one.new == ("a01", "a05")
    far = batches({"a01": [may, june], "a20": [may, june]}, ROSTER, 250)
    assert [batch.accounts for batch in far] == [("a01",), ("a20",)]
    years = [dt.date(2020, 1, 1), june]
    months = {**{account: [may, june] for account in ROSTER}, "a12": years}
    assert [(len(batch.accounts), batch.new[0]) for batch in batches(months, ROSTER, 250)] == [
        (12, "a00"),
        (1, "a12"),
        (11, "a13"),
    ]


def test_a_run_is_named_after_its_accounts_and_requests_its_rectangle() -> None:
    may, june = dt.date(2025, 5, 1), dt.date(2025, 6, 1)
    (batch,) = batches({"a01": [may], "a02": [june], "a04": [june]}, ROSTER, 250)
    assert batch.name == "a01 and 2 more"
    assert batch.size == 8
    assert (batch.tags[RANGE_START], batch.tags[RANGE_END]) == ("a01|2025-05-01", "a04|2025-06-01")
    assert batches({"a01": [may]}, ROSTER, 250)[0].tags["tiktok/account"] == "a01"


def test_a_thousand_accounts_are_a_handful_of_runs() -> None:
    roster = [f"a{number:04}" for number in range(1000)]
    two = [dt.date(2025, 5, 1), dt.date(2025, 6, 1)]
    found = batches(dict.fromkeys(roster, two), roster, 250)
    assert [batch.size for batch in found] == [250] * 8
