"""Promises about streams of songs. A broken one warns; only the schema stops a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import polars as pl

from tiktok_assets.checks.schema import violations
from tiktok_assets.exports.safe_text import one_line
from tiktok_assets.streams.latest import undecided
from tiktok_assets.streams.songs import named_twice, unmatched
from tiktok_assets.streams.tables import SONG_STREAMS, STREAMS, Streams

_SHOWN = 5
_DESCRIPTIONS = {
    (STREAMS.key, "keeps_schema"): (
        "Columns, types, bounds and keys are as described. If this is broken, nothing downstream is made."
    ),
    (STREAMS.key, "latest_file_is_known"): (
        "Of files that report different numbers for the same recording, store and day, one is later than the others."
    ),
    (SONG_STREAMS.key, "every_stream_has_a_song"): "Every recording in staging/streams is of a song in songs.toml.",
    (SONG_STREAMS.key, "recordings_have_isrcs"): "No song has rows by ISRC and by title alone on one day in a store.",
}


def stream_check_specs() -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(name, asset=key.split("/"), description=text, blocking=name == "keeps_schema")
        for (key, name), text in _DESCRIPTIONS.items()
    ]


def schema_check(staged: pl.DataFrame) -> dg.AssetCheckResult:
    """Whether the rows of staging/streams keep their schema."""
    broken = violations(Streams, staged)
    return dg.AssetCheckResult(
        asset_key=STREAMS.key.split("/"),
        check_name="keeps_schema",
        passed=not broken,
        severity=dg.AssetCheckSeverity.ERROR,
        description="; ".join(broken[:_SHOWN]) or None,
    )


def stream_checks(rows: pl.DataFrame, matched: pl.DataFrame) -> Iterator[dg.AssetCheckResult]:
    """The results on the ``rows`` of all files, and on the latest ones ``matched`` with songs."""
    yield _result(STREAMS.key, "latest_file_is_known", undecided(rows), _of_tie)
    yield _result(SONG_STREAMS.key, "every_stream_has_a_song", unmatched(matched), _of_recording)
    yield _result(SONG_STREAMS.key, "recordings_have_isrcs", named_twice(matched), _of_day)


def _result(key: str, name: str, cases: pl.DataFrame, sentence: Callable[[dict[str, Any]], str]) -> dg.AssetCheckResult:
    shown = [sentence(row) for row in cases.head(_SHOWN).iter_rows(named=True)]
    more = f" And {cases.height - _SHOWN} more." if cases.height > _SHOWN else ""
    return dg.AssetCheckResult(
        asset_key=key.split("/"),
        check_name=name,
        passed=cases.is_empty(),
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{' '.join(shown)}{more}" if shown else None,
        metadata={"cases": cases.height},
    )


def _of_tie(row: dict[str, Any]) -> str:
    return (
        f"{' and '.join(map(one_line, row['files']))} have the same time and report different streams of "
        f"{one_line(row['track'])}, {one_line(row['store'])}, {row['date']}: delete the wrong one, or download the "
        "right one again."
    )


def _of_recording(row: dict[str, Any]) -> str:
    title = f"'{one_line(row['song'])}'" if row["song"] else ""
    if row["isrc"]:
        named = f"{row['isrc']} ({title})" if title else row["isrc"]
        return f"{named} is of no song: write {row['isrc']} into isrc of its song in songs.toml."
    return f"{title} is of no song: write this title into songs.toml, or add a column isrc to the file."


def _of_day(row: dict[str, Any]) -> str:
    return (
        f"{row['song_key']}, {one_line(row['store'])}, {row['date']}: one row names it by ISRC, another by title "
        "alone; those with an ISRC count."
    )
