"""What was agreed for a month: ``targets.csv``, read into ``Target``.

Does not belong here: how much of it was reached (``curated.targets``).

    account,client,metric,month,target
    pig1987,,video_views,2026-11,500000
    ,Blue Note,followers_gained,2026-11,2500

A line that cannot be used is left out and reported; the others count.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass

from tiktok_assets.accounts import Roster
from tiktok_assets.curated.targets import METRICS, Target, progress_query
from tiktok_assets.settings import Settings
from tiktok_assets.storage.manifest import digest_of
from tiktok_assets.storage.state import documents_of
from tiktok_assets.storage.toml_files import read_bytes

HEADER = ("account", "client", "metric", "month", "target")
_PUBLISHED = "published-targets"
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_WHOLE = re.compile(r"[1-9]\d{0,14}")


@dataclass(frozen=True, kw_only=True)
class Targets:
    """The file's targets, and a sentence for each line that cannot be used."""

    targets: tuple[Target, ...] = ()
    problems: tuple[str, ...] = ()


def load_targets(settings: Settings, roster: Roster) -> Targets:
    """The targets of the targets file; none where there is no such file. Raises nothing about its content."""
    path = settings.targets_file
    try:
        if (content := read_bytes(path)) is None:
            return Targets()
        text = content.decode("utf-8-sig")
        separator = ";" if ";" in text.partition("\n")[0] else ","
        lines = iter([*csv.reader(io.StringIO(text, newline=None), delimiter=separator)])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        return Targets(problems=(f"{path}: cannot be read ({error}). Save it as CSV in UTF-8.",))
    header = tuple(name.strip().lower() for name in next(lines, ()))
    if {"metric", "month", "target"} - set(header) or set(header) - set(HEADER):
        return Targets(
            problems=(f"{path}: its first line must be {','.join(HEADER)} (account or client may be left out).",)
        )
    found: dict[tuple[str, str, str, dt.date], Target] = {}
    problems = []
    for number, line in enumerate(lines, 2):
        if not any(cell.strip() for cell in line):
            continue
        try:
            if len(line) > len(header):
                raise ValueError(f"it has {len(line)} cells, the first line {len(header)}. Write numbers as 1000.")
            cells = dict(zip(header, map(str.strip, line), strict=False))
            one = _target(dict.fromkeys(HEADER, "") | cells, roster)
        except ValueError as error:
            problems.append(f"{path}, line {number}: {error}")
            continue
        key = (one.scope, one.name, one.metric, one.month)
        if key in found:
            problems.append(
                f"{path}, line {number}: {one.name} has another {one.metric} for {one.month:%Y-%m} above it."
            )
        found.setdefault(key, one)
    return Targets(targets=tuple(found.values()), problems=tuple(problems))


def _target(cells: Mapping[str, str], roster: Roster) -> Target:
    """One line as a target. Raises ValueError, which says what to write instead."""
    if cells["metric"] not in METRICS:
        raise ValueError(f"metric {cells['metric']!r} cannot be used. Write one of {', '.join(METRICS)}.")
    if not _MONTH.fullmatch(cells["month"]):
        raise ValueError(f"month {cells['month']!r} cannot be used. Write year-month, for example 2026-11.")
    if not _WHOLE.fullmatch(cells["target"]):
        raise ValueError(
            f"target {cells['target']!r} cannot be used. Write a whole number above 0, without separators."
        )
    scope, name, accounts = _whose(cells["account"], cells["client"], roster)
    return Target(
        scope=scope,
        name=name,
        accounts=accounts,
        metric=cells["metric"],
        month=dt.date.fromisoformat(f"{cells['month']}-01"),
        target=int(cells["target"]),
    )


def _whose(account: str, client: str, roster: Roster) -> tuple[str, str, tuple[str, ...]]:
    if bool(account) == bool(client):
        raise ValueError("write either an account or a client.")
    if account:
        if (found := roster.resolve(account)) is None:
            raise ValueError(f"no account is called {account!r}. There are: {', '.join(roster)}.")
        return "account", found.key, (found.key,)
    of_client = [one for one in roster.values() if (one.client or "").casefold() == client.casefold()]
    if not of_client:
        known = ", ".join(sorted({one.client for one in roster.values() if one.client})) or "none in accounts.toml"
        raise ValueError(f"no account has the client {client!r}. There are: {known}.")
    return "client", of_client[0].client or client, tuple(one.key for one in of_client)


def note_published(settings: Settings, query: str) -> None:
    """Note that the warehouse was published with this query of ``target_progress``."""
    documents_of(settings).write(_PUBLISHED, digest_of(query).encode())


def is_published(settings: Settings, roster: Roster) -> bool:
    """Whether the published warehouse shows the targets as they are written today."""
    return published(settings) == digest_of(progress_query(load_targets(settings, roster).targets))


def published(settings: Settings) -> str:
    """A digest of the targets that the published warehouse shows."""
    noted = documents_of(settings).read(_PUBLISHED)
    return digest_of(progress_query([])) if noted is None else noted.decode()
