"""A statement of a client as a page: a row per account, and sums that are never silently of fewer accounts.

Does not belong here: what the numbers are (``month``), one account's page (``page``).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tiktok_assets.reporting import sums, words
from tiktok_assets.reporting.facts import Headline
from tiktok_assets.reporting.rendering import rendered, text
from tiktok_assets.reporting.statements.month import TOP, last_of
from tiktok_assets.reporting.statements.page import correcting, correction, heading, short_ids, shown_post
from tiktok_assets.reporting.statements.statement import AccountMonth, Correction, Statement

_COLUMNS = ("Video views", "Engagements", "Engagement rate", "Followers", "Profile views", "Viewers a day")
_SUMMED = ("Video views", "Engagements", "Followers", "Profile views")
"""Viewers are not: somebody may watch two accounts."""
_RATE = "Engagement rate"
_ALL = "all accounts"

Figures = Mapping[str, Headline]
"""The numbers of an account's month, by name."""


def client_page(statement: Statement, corrected: Statement | None, corrections: Sequence[Correction]) -> str:
    """The page of a client's statement. ``corrected``: the one before it, and what differs from that.

    Corrections are of the figures that are shown; the days they are made of are kept with the statement.
    """
    last = last_of(statement.month)
    figures = [_figures(one) for one in statement.accounts]
    posts = [(post, one.handle) for one in statement.accounts for post in one.numbers.posts]
    posts.sort(key=lambda found: (-found[0].views, found[0].video_id))
    return rendered(
        "client_statement.html",
        scripts=[text("csv.js")],
        styles=["page.css", "statement.css"],
        made_at=statement.issued_at,
        **heading(statement),
        client=statement.client,
        columns=_COLUMNS,
        rows=[
            {"handle": one.handle, "cells": [_cell(of_account[name], last) for name in _COLUMNS]}
            for one, of_account in zip(statement.accounts, figures, strict=True)
        ],
        all=_ALL,
        sums=[_sum(name, figures, last) for name in _COLUMNS],
        state=[*_missing(statement.accounts, figures, last), *_provisional(statement.accounts)],
        posts=[{**shown_post(post), "handle": handle} for post, handle in posts[:TOP]],
        **correcting(corrected),
        corrections=[*_corrected(statement, corrected, corrections)] if corrected else [],
        exports=short_ids(sorted({export for one in statement.accounts for export in one.numbers.exports})),
    )


def _figures(one: AccountMonth) -> Figures:
    return {figure.name: Headline(**figure.model_dump()) for figure in one.numbers.figures}


def _is_whole(one: Headline, last: dt.date) -> bool:
    """Whether it is of every day of the month; followers, whether they are those of its last day."""
    return one.value is not None and (one.at == last if one.kind == "stock" else sums.is_whole(one))


def _known(one: Headline, last: dt.date) -> str:
    """Of what it is, where it is not whole: ``24 of 31 days``, ``on 29 Oct 2026``."""
    if one.value is None or _is_whole(one, last):
        return ""
    return f"on {words.short_day(one.at)}" if one.kind == "stock" else f"{one.days_known} of {one.days} days"


def _cell(one: Headline, last: dt.date) -> dict[str, str]:
    change = words.change_of(one) if one.change is not None else ""
    return {
        "value": words.value_of(one),
        "change": change,
        "direction": words.direction_of(change),
        "note": _known(one, last),
    }


def _sum(name: str, accounts: Sequence[Figures], last: dt.date) -> dict[str, str]:
    """The sum over all accounts; where one does not know every day, at least that of the others, without a change."""
    whole = [one for one in accounts if _is_whole(one[name], last)]
    is_of_all = len(whole) == len(accounts)
    nothing = {"value": words.UNKNOWN, "change": "", "direction": "", "note": ""}
    of = "" if is_of_all else f"{len(whole)} of {words.counted(len(accounts), 'account')}"
    if not whole or name not in (*_SUMMED, _RATE):
        return nothing
    if name == _RATE:
        return {**nothing, "value": words.percent(sums.engagement_rate(whole)), "note": of}
    total = sums.total(one[name] for one in whole)
    if not is_of_all:
        return {**nothing, "value": f"at least {words.count(total.value)}", "note": of}
    is_compared = all(one[name].before is not None for one in accounts)
    summed = dataclasses.replace(
        accounts[0][name],
        value=total.value,
        before=total.before if is_compared else None,
        change=total.change if is_compared else None,
    )
    return _cell(summed, last)


def _missing(accounts: Sequence[AccountMonth], figures: Sequence[Figures], last: dt.date) -> Iterator[str]:
    """Which accounts a sum lacks, and what is known of them, as sentences."""
    for name in _SUMMED:
        without = [
            f"@{account.handle} ({_known(one[name], last) or 'not known'})"
            for account, one in zip(accounts, figures, strict=True)
            if not _is_whole(one[name], last)
        ]
        if without:
            yield f"{name} of all accounts are without {', '.join(without)}: what these had in the month is not known."


def _provisional(accounts: Sequence[AccountMonth]) -> Iterator[str]:
    for one in accounts:
        if days := one.numbers.provisional:
            span = words.span(min(days), max(days))
            yield f"@{one.handle}: {words.counted(len(days), 'day')} ({span}) may still be changed by TikTok."


def _corrected(
    statement: Statement, corrected: Statement, corrections: Sequence[Correction]
) -> Iterator[dict[str, Any]]:
    """The sums that differ, then the figures of each account."""
    last = last_of(statement.month)
    was, now = ([_figures(one) for one in of.accounts] for of in (corrected, statement))
    for name in _COLUMNS:
        old, new = (_sum(name, accounts, last)["value"] for accounts in (was, now))
        if old != new:
            yield {"of": _ALL, "name": name, "was": old, "now": new}
    handles = {one.account: one.handle for one in (*corrected.accounts, *statement.accounts)}
    for one in corrections:
        if one.date is None:
            yield {"of": f"@{handles[one.account]}", **correction(one)}
