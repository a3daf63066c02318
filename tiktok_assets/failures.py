"""Failures of runs, typed by one question: will a rerun help?

Belongs here: what Dagster shows in red. Does not belong here: why a file is no export (``exports.problems``).
"""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg


class PermanentFailure(dg.Failure):
    """A rerun cannot change the outcome; a person has to act. The message says what to do."""

    def __init__(self, description: str, metadata: Mapping[str, dg.MetadataValue] | None = None) -> None:
        super().__init__(description, metadata=metadata, allow_retries=False)


class EmptySlice(PermanentFailure):
    """The run was asked for no partition at all: a reversed or empty range, which Dagster itself lets succeed."""


class RowsOutsideSlice(PermanentFailure):
    """An asset returned rows of partitions that the run was not asked for; storing them would lose others."""
