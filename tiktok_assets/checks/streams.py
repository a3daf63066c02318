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
_TO_DECIDE = (
    "files of the same time report different streams. Delete the wrong file and run `tiktok-assets rebuild`, or "
    "download the right one again."
)
_TO_MATCH = "of no song in songs.toml. Write its ISRC, or the title where there is none, into its song there."
_TO_NAME_ALIKE = "named by ISRC in one row and by title alone in another. Those with an ISRC count."
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
    yield _result(STREAMS.key, "latest_file_is_known", undecided(rows), _tie, _TO_DECIDE)
    yield _result(SONG_STREAMS.key, "every_stream_has_a_song", unmatched(matched), _recording, _TO_MATCH)
    yield _result(SONG_STREAMS.key, "recordings_have_isrcs", named_twice(matched), _day, _TO_NAME_ALIKE)


def _result(
    key: str, name: str, cases: pl.DataFrame, named: Callable[[dict[str, Any]], str], what: str
) -> dg.AssetCheckResult:
    """The first of the ``cases`` by their names, then ``what`` they are and what to do."""
    shown = "; ".join(named(row) for row in cases.head(_SHOWN).iter_rows(named=True))
    more = f" and {cases.height - _SHOWN} more" if cases.height > _SHOWN else ""
    return dg.AssetCheckResult(
        asset_key=key.split("/"),
        check_name=name,
        passed=cases.is_empty(),
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{shown}{more}: {what}" if shown else None,
        metadata={"cases": cases.height},
    )


def _tie(row: dict[str, Any]) -> str:
    files = " and ".join(map(one_line, row["files"]))
    return f"{one_line(row['track'])}, {one_line(row['store'])}, {row['date']} ({files})"


def _recording(row: dict[str, Any]) -> str:
    title = f"'{one_line(row['song'])}'" if row["song"] else ""
    return " ".join(filter(None, (row["isrc"], title)))


def _day(row: dict[str, Any]) -> str:
    return f"{row['song_key']}, {one_line(row['store'])}, {row['date']}"
