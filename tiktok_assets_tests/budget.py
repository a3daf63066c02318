"""How many examples a property test tries: few in the quick run, twenty times as many by `make test-long`."""

from __future__ import annotations

import os

from hypothesis import settings

FACTOR = int(os.environ.get("TEST_BUDGET", "1"))

PROFILE = "budget"
settings.register_profile(PROFILE, deadline=None, max_examples=100 * FACTOR)  # no deadline: a machine may be busy


def examples(number: int) -> settings:
    """Decorates a property test whose examples are dear: ``number`` of them in the quick run."""
    return settings(max_examples=number * FACTOR)
