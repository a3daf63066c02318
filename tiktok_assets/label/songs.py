"""The songs this installation looks after: ``songs.toml``, read into ``Song``; adding an entry.

Does not belong here: which videos are a song's (``curated.songs``).
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from upath import UPath

from tiktok_assets.accounts import load_roster
from tiktok_assets.curated.songs.song import Song
from tiktok_assets.settings import Settings
from tiktok_assets.storage.lock_names import EDITING
from tiktok_assets.storage.state import locks_of
from tiktok_assets.storage.toml_files import UnusableToml, edit, read_text, tables_of, with_table

_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
_KEY_RULE = "at most 64 letters, digits, '-' and '_', first a letter, digit or '_'"
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
_VIDEO_ID = re.compile(r"[0-9]{17,19}")
RECOGNISED_BY = ("hashtags", "captions", "video_ids")
"""The fields of which a song has at least one."""


class InvalidSongs(ValueError):
    """The list of songs cannot be used: names the file, the song, the field and what to write instead."""


def load_songs(settings: Settings) -> tuple[Song, ...]:
    """The songs of the songs file, in the order they were written; none where there is no such file.

    Raises ``InvalidSongs`` if it cannot be used. Accounts that are gone are no reason: ``unknown_accounts`` names them.
    """
    path = settings.songs_file
    return _parse(_read(path) or "", path)


def unknown_accounts(settings: Settings, songs: Iterable[Song]) -> list[str]:
    """A sentence per song that names accounts which the accounts file lacks: it has no videos of these.

    Raises ``InvalidAccounts`` if the accounts cannot be read.
    """
    # The accounts in use, and those of the accounts file that TIKTOK_ACCOUNTS leaves out.
    rosters = (load_roster(settings), load_roster(settings.model_copy(update={"accounts": ()})))
    known = sorted({account for roster in rosters for account in roster})
    return [
        f"{settings.songs_file}: song '{song.key}': accounts: no account is called {', '.join(map(repr, unknown))}. "
        f"Write the names in brackets of accounts.toml: {', '.join(known) or 'there are none'}."
        for song in songs
        if (unknown := [account for account in song.accounts if account not in known])
    ]


def add_song(settings: Settings, key: str, **fields: Any) -> Song:
    """Writes a new entry at the end of the songs file, creating it if missing. Everything else stays as it was.

    ``fields``: those of ``Song``, as TOML has them; None is not given. Raises ``InvalidSongs`` if the key, the title or
    an ISRC is taken, an account is unknown or a value cannot be used; the file is then untouched.
    """
    path = settings.songs_file
    given = {name: value for name, value in fields.items() if value not in (None, (), [])}
    song = _checked(key, given, path)
    if unknown := unknown_accounts(settings, [song]):
        raise InvalidSongs(unknown[0])
    entry = {name: getattr(song, name) for name in _FIELDS if name in given}

    def added(text: str) -> str:
        _refuse_twins((*_parse(text, path), song), path)
        return with_table(text, "songs", key, entry)

    with locks_of(settings).hold(EDITING) as held:
        try:
            edit(path, added, held)
        except UnusableToml as error:
            raise InvalidSongs(f"{path}: {error}") from error
    return song


def _read(path: Path | UPath) -> str | None:
    try:
        return read_text(path)
    except UnusableToml as error:
        raise InvalidSongs(f"{path}: {error}") from error


def _parse(text: str, path: Path | UPath) -> tuple[Song, ...]:
    try:
        entries = tables_of(text, "songs")
    except UnusableToml as error:
        raise InvalidSongs(f"{path}: {error}") from error
    songs = tuple(_checked(key, entry, path) for key, entry in entries.items())
    _refuse_twins(songs, path)
    return songs


def _checked(key: str, entry: object, path: Path | UPath) -> Song:
    """One entry as a ``Song``, or an error that names where it stands and what to write."""

    def invalid(text: str) -> InvalidSongs:
        return InvalidSongs(f"{path}: song '{key}': {text}")

    if not _KEY.fullmatch(key):
        raise invalid(f"this name cannot be used. A name is {_KEY_RULE}; the title may be anything.")
    if not isinstance(entry, Mapping):
        raise invalid(f"{entry!r} cannot be used. Write a table: [songs.{key}], and its fields below.")
    fields: dict[str, Any] = {}
    for name, value in entry.items():
        if name not in _FIELDS:
            raise invalid(f"{name} = {value!r}: there is no such field. Valid: {', '.join(_FIELDS)}.")
        read, remedy = _FIELDS[name]
        try:
            fields[name] = read(value)
        except ValueError:
            raise invalid(f"{name} = {value!r} cannot be used. {remedy}") from None
    if missing := [name for name in _REQUIRED if name not in fields]:
        raise invalid(f"{' and '.join(missing)} missing. Every song has {', '.join(_REQUIRED)}.")
    if not any(fields.get(name) for name in RECOGNISED_BY):
        raise invalid(f"nothing says which videos are its own. Write at least one of {', '.join(RECOGNISED_BY)}.")
    return Song(key=key, **fields)


def _refuse_twins(songs: Iterable[Song], path: Path | UPath) -> None:
    """Two songs of one key, title or ISRC: streams name a song by these, and could be either's."""
    owners: dict[tuple[str, str], Song] = {}
    for song in songs:
        names = [("name", song.key), ("title", song.title), *(("isrc", code) for code in song.isrc)]
        for kind, name in names:
            other = owners.setdefault((kind, name.casefold()), song)
            if other is not song:
                raise InvalidSongs(
                    f"{path}: songs '{other.key}' and '{song.key}' have the same {kind} '{name}' (case does not "
                    "matter), so that a stream could be of either. Remove one, or correct it."
                )


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(value)
    return unicodedata.normalize("NFC", value.strip())


def _day(value: object) -> dt.date:
    if type(value) is not dt.date:
        raise ValueError(value)
    return value


def _texts(read: Callable[[object], str]) -> Callable[[object], tuple[str, ...]]:
    def read_all(value: object) -> tuple[str, ...]:
        if not isinstance(value, list | tuple):
            raise ValueError(value)
        return tuple(dict.fromkeys(read(one) for one in value))

    return read_all


def _isrc(value: object) -> str:
    return _matching(_ISRC, _text(value).upper().replace("-", ""))


def _video_id(value: object) -> str:
    return _matching(_VIDEO_ID, _text(value))


def _matching(form: re.Pattern[str], text: str) -> str:
    if not form.fullmatch(text):
        raise ValueError(text)
    return text


def _hashtag(value: object) -> str:
    hashtag = _text(value).removeprefix("#")
    if not hashtag or not all(one.isalnum() or one == "_" or unicodedata.category(one)[0] in "MN" for one in hashtag):
        raise ValueError(value)
    return hashtag


def _caption(value: object) -> str:
    caption = " ".join(_text(value).split())
    if not any(one.isalnum() for one in caption):
        raise ValueError(value)
    return caption


_REQUIRED = ("title", "artist", "release_date")
_FIELDS: Mapping[str, tuple[Callable[[object], Any], str]] = {
    "title": (_text, "Write it in quotes."),
    "artist": (_text, "Write it in quotes."),
    "release_date": (_day, "Write a day without quotes: 2026-06-12."),
    "isrc": (_texts(_isrc), 'Write a list of codes of 12 letters and digits: ["DEXX12600001"].'),
    "campaign": (_text, "Write it in quotes."),
    "hashtags": (_texts(_hashtag), 'Write a list of whole hashtags, without #: ["summernights"].'),
    "captions": (_texts(_caption), 'Write a list of words as they stand in captions: ["summer nights"].'),
    "video_ids": (_texts(_video_id), 'Write a list of ids of 17 to 19 digits, in quotes: ["7231000000000000000"].'),
    "accounts": (_texts(_text), 'Write a list of accounts, by their names in brackets of accounts.toml: ["pig1987"].'),
}
