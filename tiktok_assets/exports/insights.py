"""An insights file: the JSON that Studio's pages loaded during one visit, and the table of text it is read as.

Belongs here: writing and reading the envelope around the responses, and splitting a response into its leaves. Does not
belong here: what a number means (``reports.insights``), and how responses are captured (``studio.insights``).

    {"format": "tiktok-studio-insights", "version": 1, "handle": ..., "user_id": ..., "captured_at": ...,
     "missing": [...], "responses": [{"endpoint": ..., "at": ..., "requests": [...], "body": <as served>}]}

Beside its body, a response says what was asked: ``requests`` (insight), ``user_id`` (relation) or ``cursor`` (videos).
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from tiktok_assets.exports.problems import BrokenFile, ForeignFile


class _Damaged(ValueError):
    """What is wrong in an insights file, in our words."""


FORMAT, VERSION = "tiktok-studio-insights", 1
INSIGHT = "/aweme/v2/data/insight/"
RELATION = "/tiktokstudio/api/web/relation/multiGetFollowRelationCount"
ITEM_LIST = "/tiktok/creator/manage/item_list/v1/"
HEADER = ("Endpoint", "Answer", "Answered at", "Asked", "Path", "Item", "Status", "Type", "Value")
"""Of the table: a row is a leaf of a response. See ``Leaf``; ``Answer`` is the number of the response, from 1 on."""

MAX_LEAVES = 2_000_000
"""Of all responses of a visit; the pages of 200 videos have some 60,000."""

# The keys that identify an element of a list: shares, countries, videos.
_NAMES = ("key", "country_name", "item_id", "aweme_id")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One response of Studio. ``asked``: the known parts of the request; ``text``: the JSON as served."""

    endpoint: str
    at: dt.datetime
    asked: Mapping[str, Any]
    text: str


@dataclass(frozen=True, kw_only=True)
class InsightsTable:
    """An insights file as text. ``notes``: what the visit could not get, a sentence each."""

    handle: str
    captured_at: dt.datetime
    notes: tuple[str, ...]
    rows: list[list[str]] = field(repr=False)


class Number(str):
    """A number as it is written; parsing it would lose digits of the text."""

    __slots__ = ()


class Leaf(NamedTuple):
    """A value with nothing below it.

    ``path``: a JSON pointer into the body. ``item``: the key of the nearest list element above ("18-24", a video's id).
    ``status``: of the nearest object above that has one; 0 is a value, 2 is none. ``type``: number, text, boolean,
    null, or list and object, which are empty.
    """

    path: str
    item: str
    status: str
    type: str
    value: str


def read_json(text: str) -> Any:
    """JSON with its numbers as ``Number``. Raises ValueError, also for JSON that is nested too deeply."""
    try:
        return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=Number)
    except RecursionError as error:
        raise _Damaged("nested too deeply") from error


def leaves(value: Any, path: str = "", item: str = "", status: str = "") -> Iterator[Leaf]:
    """Every leaf of a value from ``read_json``, in its order."""
    inner: Iterable[tuple[str, Any]]
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        item = next((_text(members[name]) for name in _NAMES if _is_plain(members.get(name))), item)
        status = _text(members["status"]) if _is_plain(members.get("status")) else status
        inner = members.items()
    elif isinstance(value, list):
        inner = ((str(number), element) for number, element in enumerate(cast("list[Any]", value)))
    else:
        yield Leaf(
            _without_surrogates(path),
            _without_surrogates(item),
            _without_surrogates(status),
            _type(value),
            _without_surrogates(_text(value)),
        )
        return
    if not value:
        yield Leaf(
            _without_surrogates(path),
            _without_surrogates(item),
            _without_surrogates(status),
            "object" if isinstance(value, dict) else "list",
            "",
        )
    for name, element in inner:
        pointer = name.replace("~", "~0").replace("/", "~1")
        yield from leaves(element, f"{path}/{pointer}", item, status)


def _is_plain(value: Any) -> bool:
    return isinstance(value, str)  # numbers are texts here


def _type(value: Any) -> str:
    if value is None:
        return "null"
    return "boolean" if isinstance(value, bool) else "number" if isinstance(value, Number) else "text"


def _text(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _without_surrogates(text: str) -> str:
    """``text`` without lone surrogates, which JSON can contain and a table cannot."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def serialize_insights(
    *, handle: str, user_id: str, captured_at: dt.datetime, missing: Iterable[str], answers: Iterable[Answer]
) -> bytes:
    """The bytes of an insights file, with every body as it was served."""
    about = {
        "format": FORMAT,
        "version": VERSION,
        "handle": handle,
        "user_id": user_id,
        "captured_at": captured_at.isoformat(timespec="seconds"),
        "missing": list(missing),
    }
    responses = ",\n".join(
        f"{_opened({'endpoint': one.endpoint, 'at': one.at.isoformat(timespec='seconds'), **one.asked})}, "
        f'"body": {one.text}}}'
        for one in answers
    )
    return f'{_opened(about)},\n"responses": [\n{responses}\n]}}\n'.encode()


def _opened(members: Mapping[str, Any]) -> str:
    return json.dumps(members, ensure_ascii=False)[:-1]


def is_envelope(head: bytes) -> bool:
    """Whether JSON that begins with ``head`` says it is an insights file; other JSON can be very large."""
    return b'"format"' in head and f'"{FORMAT}"'.encode() in head


def read_insights(name: str, content: bytes) -> InsightsTable:
    """The table in an insights file. Raises BrokenFile if it is damaged, ForeignFile for a newer version of it."""
    try:
        envelope = read_json(content.decode("utf-8-sig"))
        if str(envelope["version"]) != str(VERSION):
            raise ForeignFile(
                f"{name}: is an insights file of version {envelope['version']}; this program reads {VERSION}. Update "
                "the program."
            )
        captured_at = dt.datetime.fromisoformat(envelope["captured_at"])
        if captured_at.tzinfo is None:
            raise _Damaged("captured_at names no time zone")
        about = {key: value for key, value in envelope.items() if key != "responses"}
        rows = [["", "", "", "", *leaf] for leaf in leaves(about)]
        for number, response in enumerate(envelope["responses"], start=1):
            rows += itertools.islice(_rows(number, response), MAX_LEAVES - len(rows) + 1)
            if len(rows) > MAX_LEAVES:
                raise _Damaged(f"more than {MAX_LEAVES:,} values")
        return InsightsTable(
            handle=_required(envelope["handle"]),
            captured_at=captured_at.astimezone(dt.UTC),
            notes=tuple(map(_required, envelope["missing"])),
            rows=rows,
        )
    except ForeignFile:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BrokenFile(
            f"{name}: is a damaged insights file{_damage(error)}. Delete it; the next visit to Studio lands another "
            "one."
        ) from error


def _damage(error: Exception) -> str:
    """Where the damage is, as the end of a clause, for what has a place or words of our own."""
    if isinstance(error, json.JSONDecodeError):
        return f", wrong in line {error.lineno}, character {error.colno}"
    if isinstance(error, KeyError):
        return f" without {error.args[0]!r}"
    return f" ({error})" if isinstance(error, _Damaged) else ""


def _required(value: Any) -> str:
    if not isinstance(value, str) or isinstance(value, Number) or not value.strip():
        raise _Damaged(f"{value!r} is not text")
    return value


def _rows(number: int, response: Mapping[str, Any]) -> Iterator[list[str]]:
    endpoint, at = _required(response["endpoint"]), _required(response["at"])
    known = {key: value for key, value in response.items() if key not in ("endpoint", "at", "body", "requests")}
    requests: dict[str, list[Any]] = {}
    for request in response.get("requests", ()):
        requests.setdefault(request["insigh_type"], []).append(request)

    @functools.cache
    def asked(kind: str | None) -> str:
        return json.dumps(known if kind is None else requests.get(kind, []), separators=(",", ":"))

    for leaf in leaves(response["body"]):
        yield [endpoint, str(number), at, asked(leaf.path.split("/")[1] if requests and leaf.path else None), *leaf]
