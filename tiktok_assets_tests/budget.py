"""How many examples a property test tries, and how often chance decides: few times in the quick run.

`make test-long` and `make chaos` take twenty times as many.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

FACTOR = int(os.environ.get("TEST_BUDGET", "1"))

PROFILE = "budget"
settings.register_profile(PROFILE, deadline=None, max_examples=40 * FACTOR)  # no deadline: a machine may be busy


def examples(number: int) -> settings:
    """Decorates a property test whose examples are dear: ``number`` of them in the quick run."""
    return settings(max_examples=number * FACTOR)


def rounds(number: int, at_most: int) -> range:
    """How often a test is played in which chance decides: ``number`` times in the quick run, each time differently."""
    return range(min(number * FACTOR, at_most))


in_the_long_run = pytest.mark.skipif(FACTOR == 1, reason="takes long: in make test-long and make chaos")
"""Marks a test of which the quick run has a smaller one."""
