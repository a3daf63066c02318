"""What people read: an alert or a digest as a subject, plain text and HTML of the same sections.

Belongs here: words, and the one form of a message. Does not belong here: which facts it is about (``alerts``,
``digest``). Texts of strangers are in it: each is one line that no terminal obeys, and the template escapes it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources

from tiktok_assets.exports.safe_text import one_line
from tiktok_assets.notices.alerts import Alert
from tiktok_assets.notices.digest import DAYS, AccountWeek, Digest
from tiktok_assets.notices.ledger import Message
from tiktok_assets.reporting import ADDRESS, words
from tiktok_assets.reporting.facts import Headline
from tiktok_assets.reporting.front_page import RosterLine
from tiktok_assets.reporting.rendering import environment

SHOWN = 20
"""Accounts of a digest and alerts of a message; the front page has all."""
_LONGEST_SUBJECT = 150
_NUMBERS = ("Video views", "Engagement rate", "Followers", "Viewers a day")


@dataclass(frozen=True)
class Line:
    """A line of a section, and where it leads."""

    text: str
    link: str = ""


@dataclass(frozen=True)
class Section:
    """A heading with its lines."""

    title: str
    lines: Sequence[Line]


def message_of_alerts(found: Sequence[Alert], web_url: str, now: dt.datetime) -> Message:
    """One message of all alerts that were ``found`` at ``now``; there is at least one."""
    more = f", and {words.counted(len(found) - 1, 'more alert')}" if len(found) > 1 else ""
    return _message(f"alerts/{now.isoformat()}", f"{found[0].title}{more}", [*_alerts(found, web_url)])


def welcome(standing: Sequence[Alert], web_url: str, now: dt.datetime) -> Message:
    """The first message to a recipient: what it will get, and what needs somebody at the moment."""
    text = "tiktok-assets sends its alerts here, each once, and a digest of every week."
    state = f"At the moment {words.counted(len(standing), 'thing')} need{'s' if len(standing) == 1 else ''} somebody:"
    lines = [Line(text), Line(state if standing else "At the moment nothing needs anybody.")]
    sections = [Section("This address is set up", lines), *_alerts(standing, web_url)]
    return _message(f"welcome/{now.isoformat()}", "Alerts and digests arrive here", sections)


def message_of_digest(digest: Digest, web_url: str, *, id: str = "", scope: str = "") -> Message:
    """The digest of a week. ``id``: of the message; by default that of the week. ``scope``: whose, if not all's."""
    week = words.span(digest.week.monday, digest.week.sunday)
    whose = f", {scope}" if scope else ""
    subject = f"Week {digest.week}{whose}: views {_total(digest, 'Video views')}"
    sections = [
        Section(f"{week}{whose}: {words.counted(len(digest.accounts), 'account')}", [*_totals(digest)]),
        *(Section(f"@{one.handle}", [*_account(one)]) for one in digest.accounts[:SHOWN]),
    ]
    if digest.is_newest and (attention := [one.line for one in digest.accounts if _needs_somebody(one.line)]):
        sections.append(Section("Needs attention", [Line(_attention(line)) for line in attention[:SHOWN]]))
    left = len(digest.accounts) - SHOWN
    rest = f"{words.counted(left, 'more account')}, and " if left > 0 else ""
    sections.append(Section(f"{rest}all numbers".capitalize(), [Line("The front page", f"{web_url}{ADDRESS}")]))
    return _message(id or digest_id(digest), subject, sections)


def digest_id(digest: Digest) -> str:
    """The id of a week's message, by which it is sent once."""
    return f"digest/{digest.week}"


def _alerts(found: Sequence[Alert], web_url: str) -> Iterator[Section]:
    for alert in found[:SHOWN]:
        link = alert.link if alert.link.startswith("https://") else f"{web_url}{alert.link}"
        remedy = f"What to do: {alert.remedy}"
        yield Section(alert.title, [Line(alert.sentence), Line(remedy), Line("Look at it", link)])
    if len(found) > SHOWN:
        title = words.counted(len(found) - SHOWN, "more alert")
        yield Section(title, [Line("The front page", f"{web_url}{ADDRESS}")])


def _totals(digest: Digest) -> Iterator[Line]:
    for name in ("Video views", "Followers"):
        yield Line(f"{name}: {_total(digest, name)}")


def _total(digest: Digest, name: str) -> str:
    """``61,000, of 2 of 3 accounts, +12% against the week before``: of those that know every day."""
    total, accounts = digest.total(name), len(digest.accounts)
    parts = [words.count(total.value) if total.value is not None else f"{words.UNKNOWN} (not known yet)"]
    if total.accounts < accounts:
        parts.append(f"of {total.accounts} of {words.counted(accounts, 'account')}")
    if total.change is not None:
        of_them = "" if total.now == total.value else " (of those that know both)"
        parts.append(f"{words.growth(total.change)} against the week before{of_them}")
    return ", ".join(parts)


def _account(one: AccountWeek) -> Iterator[Line]:
    for name in _NUMBERS:
        yield Line(f"{name}: {_number(one.numbers[name])}")
    if one.best:
        title = one.best.title or "(no caption)"
        text = f"Best video of the week, of those known: “{title}”, {words.count(one.best.views)} views so far"
        yield Line(text, words.address(one.best.link))
    for row in one.viral:
        title = row["title"] or "(no caption)"
        yield Line(f"Viral: “{title}”, {words.why_viral(row)}", words.address(row["link"]))
    for day, sentence in one.unusual:
        yield Line(f"{words.short_day(day)}: {sentence}")


def _number(number: Headline) -> str:
    """``61,000, +12% (from 54,000)``; how many days are known where not all are."""
    if number.value is None:
        return words.UNKNOWN
    changed = f", {words.change_of(number)}" if number.change is not None else ""
    known = number.days_known < number.days and number.kind != "stock"
    note = f" ({number.days_known} of {DAYS} days known)" if known else f" ({words.before_of(number)})"
    return f"{words.value_of(number)}{changed}{note}"


def _needs_somebody(line: RosterLine) -> bool:
    return line.needs_attention or line.due > 0


def _attention(line: RosterLine) -> str:
    reasons = [*line.problems]
    if line.last is None:
        reasons.append("no numbers yet")
    elif line.is_late:
        reasons.append(f"the numbers end on {words.short_day(line.last)}, {line.days_late} days behind")
    if line.due:
        before = f", the first before {words.short_day(line.due_before)}" if line.due_before else ""
        reasons.append(f"{words.counted(line.due, 'export')} to make{before}")
    return f"@{line.handle}: {'; '.join(reasons)} (tiktok-assets status {line.key})"


def _message(id: str, subject: str, sections: Sequence[Section]) -> Message:
    sections = [
        Section(one_line(one.title), [Line(one_line(line.text), one_line(line.link)) for line in one.lines])
        for one in sections
    ]
    text = "\n\n".join("\n".join([one.title, *(_plain(line) for line in one.lines)]) for one in sections)
    subject = one_line(subject)[:_LONGEST_SUBJECT]
    html = environment(_file).get_template("message.html").render(subject=subject, sections=sections)
    return Message(id=id, subject=subject, text=f"{text}\n", html=html)


def _plain(line: Line) -> str:
    return f"  {line.text}: {line.link}" if line.link else f"  {line.text}"


def _file(name: str) -> str:
    return resources.files(__package__ or "").joinpath(name).read_text(encoding="utf-8")
