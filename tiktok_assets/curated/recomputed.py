"""Which months of a table a run makes again: those whose rows depend on the days it changed.

It follows from what the tables declare (``Table.inputs``, days of look-back), through all tables in between.
"""

from __future__ import annotations

import functools

from tiktok_assets.curated.registry import TABLES

_REST_OF_A_MONTH = 30
"""Most days from a day to the last one of its month."""


@functools.cache
def downstream_days(key: str) -> int:
    """How many days after the last day of a run the months end whose rows in the table ``key`` may change.

    The run makes these months of the table again. 0: only its own months.
    """
    changes = [
        _last_changed_day(source.key) + source.look_back if source.look_back else downstream_days(source.key)
        for source in TABLES[key].inputs.values()
        if source.key in TABLES
    ]
    return max(changes, default=0)


def _last_changed_day(key: str) -> int:
    """How many days after the last day of a run the last row may lie that changes."""
    table = TABLES[key]
    if table.is_by_day:
        inputs = [source for source in table.inputs.values() if source.key in TABLES]
        return max((_last_changed_day(source.key) + source.look_back for source in inputs), default=0)
    days = downstream_days(key)
    return days + _REST_OF_A_MONTH if days else 0
