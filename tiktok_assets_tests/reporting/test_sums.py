"""Numbers of several accounts, computed manually."""

from __future__ import annotations

import dataclasses

import pytest

from tiktok_assets.reporting.facts import Headline
from tiktok_assets.reporting.sums import engagement_rate, total

VIEWS = Headline(name="Video views", kind="sum", value=100, before=50, change=1.0, days=7, days_known=7)


def views(value: float | None, before: float | None = None, days_known: int = 7) -> Headline:
    return dataclasses.replace(VIEWS, value=value, before=before, days_known=days_known)


def test_a_sum_is_over_the_accounts_that_know_every_day() -> None:
    one = total([views(100), views(200, days_known=6), None, views(None), views(7)])
    assert (one.value, one.accounts) == (107, 2)


def test_the_change_is_over_the_accounts_that_know_both_windows() -> None:
    one = total([views(100, 50), views(1000), views(80, 130)])
    assert (one.value, one.now, one.before, one.change) == (1180, 180, 180, 0)
    assert total([views(100, 0)]).change is None  # growth from 0 is no number
    assert total([views(100)]).change is None


def test_of_nothing_known_the_sum_is_unknown_and_not_0() -> None:
    assert (total([]).value, total([None]).value, total([views(None)]).value) == (None, None, None)


def test_a_stock_needs_no_more_than_its_day() -> None:
    followers = dataclasses.replace(views(5, 4), name="Followers", kind="stock", days_known=1)
    assert total([followers]).value == 5


def test_a_rate_of_several_accounts_is_of_their_sums_and_no_mean_of_rates() -> None:
    def account(engagements: Headline, of: Headline) -> dict[str, Headline]:
        return {"Engagements": dataclasses.replace(engagements, name="Engagements"), "Video views": of}

    small, large = account(views(9), views(10)), account(views(10), views(1000))
    assert engagement_rate([small, large]) == pytest.approx(19 / 1010)
    assert engagement_rate([small, account(views(500, days_known=3), views(1000))]) == 0.9
    assert engagement_rate([{}, account(views(None), views(10))]) is None
    assert engagement_rate([account(views(0), views(0))]) is None
