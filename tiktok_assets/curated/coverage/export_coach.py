"""Which export to make next: of which account and window, and until when it can still be made.

Belongs here: advice out of what is covered and a moment. Does not belong here: what is covered (``coverage``), how many
videos a list holds (``content_coach``), whether somebody is logged in, making exports.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence

from tiktok_assets.curated.coverage.advice import Advice, by_urgency, listed, shown
from tiktok_assets.curated.coverage.content_coach import VideoLists, between_lists, since_last_list
from tiktok_assets.curated.coverage.coverage import FINAL_AFTER, WEEK, ReportCoverage
from tiktok_assets.exports.names import SECTIONS
from tiktok_assets.exports.windows import DAY, Window, last_day_with_data, windows

# An account that is exported daily lacks up to this many of the newest days. That is no reason for advice.
ROUTINE = 2 * DAY
# A first list of videos comes from Studio's usual range.
_FIRST_LIST = 28


def advise(
    account: str,
    coverage: Sequence[ReportCoverage],
    lists: VideoLists | None,
    *,
    now: dt.datetime,
    max_days: int,
    final_after: int = FINAL_AFTER,
) -> list[Advice]:
    """What to export, most urgent first, and then what is lost for good. Empty if nothing is missing.

    ``lists``: of the account's content exports, None without any; ``now`` is aware; ``max_days``: how many days one
    export may span.
    """
    newest, today = last_day_with_data(now), now.astimezone(dt.UTC).date()
    if not any(one.covered for one in coverage):
        first = newest - DAY * (max_days - 1)
        reason = "There is no export of this account yet. Studio shows the last year; this is its newest part."
        return [Advice(account=account, sections=SECTIONS, first=first, last=newest, reason=reason)]
    content = list(since_last_list(account, lists, now=now, max_days=max_days))
    comes_along = not content and (lists.last if lists else dt.date.min) < today - ROUTINE
    content += between_lists(account, lists, now=now, max_days=max_days)
    requested = {one.report: _worth_exporting(one, today, newest, final_after) for one in coverage if one.counted.reach}
    days = list(_visits(account, coverage, requested, comes_along, now=now, max_days=max_days))
    if lists is None and not any("content" in one.sections for one in days):
        first = newest - DAY * (min(max_days, _FIRST_LIST) - 1)
        reason = "There is no content export yet. A video's totals of a day can be exported on that day only."
        content = [Advice(account=account, sections=("content",), first=first, last=newest, reason=reason)]
    return [*by_urgency([*days, *content]), *_lost(account, coverage, today)]


def _worth_exporting(one: ReportCoverage, today: dt.date, newest: dt.date, final_after: int) -> frozenset[dt.date]:
    """The days of a report worth an export now; none where only the newest are missing, as between daily exports."""
    oldest = today - DAY * (one.counted.reach or 0)
    missing = {day for day in one.missing - one.without_number if oldest <= day <= newest}
    final = {day for day in one.unsettled if day >= oldest and day + DAY * (1 + final_after) <= today}
    if newest - ROUTINE in missing:
        return frozenset(missing | final)
    late = {day for day in missing if day <= newest - ROUTINE}
    return frozenset(late | {day for day in final if day <= newest - ROUTINE - DAY * final_after})


def _visits(
    account: str,
    coverage: Sequence[ReportCoverage],
    requested: Mapping[str, Collection[dt.date]],
    comes_along: bool,
    *,
    now: dt.datetime,
    max_days: int,
) -> Iterator[Advice]:
    """One advice per visit: the fewest windows that hold every ``requested`` day of a report.

    ``comes_along``: whether the visit of the newest days makes a content export as well.
    """
    days = frozenset[dt.date]().union(*requested.values())
    if not days:
        return
    newest, every = last_day_with_data(now), Window(first=min(days), last=max(days))
    others = frozenset(every.days()) - days
    for window in windows(every.first, every.last, now=now, max_days=max_days, final=others):
        inside = {
            report: days for report in requested if (days := frozenset(window.days()).intersection(requested[report]))
        }
        concerned = [one for one in coverage if one.report in inside]
        sections = {one.counted.section for one in concerned}
        if comes_along and window.last >= newest - ROUTINE:
            sections.add("content")
        yield Advice(
            account=account,
            sections=tuple(section for section in SECTIONS if section in sections),
            first=window.first,
            last=window.last,
            reason=" ".join(_sentences(concerned, inside)),
            before=min(min(inside[one.report]) + DAY * (one.counted.reach or 0) for one in concerned),
        )


def _sentences(concerned: Sequence[ReportCoverage], inside: Mapping[str, frozenset[dt.date]]) -> Iterator[str]:
    """The reasons: which days are missing in which reports, grouped by equal days."""
    missing = {one.report: inside[one.report] & one.missing for one in concerned}
    for days in dict.fromkeys(days for days in missing.values() if days):
        reports = [_title(report) for report, lacking in missing.items() if lacking == days]
        yield f"{_capital(listed(reports))} {'lacks' if len(reports) == 1 else 'lack'} {shown(days)}."
    if any(one.counted.reach == WEEK and missing[one.report] for one in concerned):
        yield f"Follower activity is only ever exported for the last {WEEK} days."
    early = frozenset[dt.date]().union(*(inside[one.report] & one.unsettled for one in concerned))
    if early:
        yield f"Numbers of {shown(early)} were exported before they were final."


def _lost(account: str, coverage: Sequence[ReportCoverage], today: dt.date) -> Iterator[Advice]:
    """What no export can fill any more, once for each report."""
    for one in coverage:
        reach = one.counted.reach
        if not reach or not (lost := [day for day in one.missing - one.without_number if day < today - DAY * reach]):
            continue
        shows = f"the last {reach} days" if reach == WEEK else "the last year"
        yield Advice(
            account=account,
            sections=(one.counted.section,),
            first=min(lost),
            last=max(lost),
            reason=f"{_capital(_title(one.report))} of {shown(lost)}: lost for good, Studio exports only {shows}.",
            is_permanent=True,
        )


def _title(report: str) -> str:
    return report.replace("_", " ")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
