"""Which columns of the tables before is each column of a table made of?

A column comes from those of its name in the inputs, or of the name it has there, and from those that ``made_of`` of its
schema names. Does not belong here: Dagster's form of it (``assets``).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tiktok_assets.curated.table import Input, Table


class Origin(NamedTuple):
    """A column of the table ``key``."""

    key: str
    column: str


def lineage(table: Table, tables: Mapping[str, Table]) -> dict[str, list[Origin]]:
    """By column of ``table``, those of its inputs that it is made of; without columns that are made of none.

    ``tables``: all there are, by key.
    """
    inputs = [(source, tables[source.key]) for source in table.inputs.values() if source.key in tables]

    @functools.cache
    def origins(column: str) -> tuple[Origin, ...]:
        own = [
            (Origin(before.key, name), before.computed.get(name))
            for source, before in inputs
            if (name := source.source_of(column)) in before.columns
        ]
        found = [origin for origin, _ in own]
        needed = table.computed.get(column)
        if needed is None or (needed and any(before == needed for _, before in own)):  # it is computed there already
            return tuple(found)
        if not needed:
            return ()
        computed = [one for part in needed if part != column for one in of_part(part)]
        return tuple(dict.fromkeys([*found, *computed]))

    def of_part(column: str) -> Iterator[Origin]:
        if column in table.columns and (found := origins(column)):
            yield from found
        else:
            yield from (
                Origin(before.key, column)
                for source, before in inputs
                if source.pivoted is None and _is_read(source, column) and column in before.columns
            )

    return {column: sorted(found) for column in table.columns if (found := origins(column))}


def _is_read(source: Input, column: str) -> bool:
    return not source.columns or column in source.columns


def staged_origins(table: Table, tables: Mapping[str, Table]) -> dict[str, list[Origin]]:
    """By column of ``table``, the columns it comes from of tables that no ``make`` makes: those of staging."""

    @functools.cache
    def of(key: str) -> dict[str, list[Origin]]:
        return {
            column: list(dict.fromkeys(one for origin in origins for one in further(origin)))
            for column, origins in lineage(tables[key], tables).items()
        }

    def further(origin: Origin) -> list[Origin]:
        return [origin] if tables[origin.key].make is None else of(origin.key).get(origin.column, [])

    return of(table.key)
