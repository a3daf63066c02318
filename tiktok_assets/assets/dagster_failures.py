"""The one place where a failure of ours becomes one that Dagster understands.

Belongs here: the translation, and what it wraps: the functions of assets and ops, and IO managers. Does not
belong here: which failures there are (``failures``). A test finds every asset, op and IO manager without it.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar, cast

import dagster as dg

from tiktok_assets.failures import Failure
from tiktok_assets.storage.faults import sentence_of

P = ParamSpec("P")
R = TypeVar("R")
Manager = TypeVar("Manager", bound=dg.IOManager)


@contextlib.contextmanager
def dagster_failures() -> Iterator[None]:
    """Raise a Failure of the block as Dagster's, with its sentence, its metadata, and whether a retry may help.

    What the operating system or a database refuses is a sentence as well.
    """
    try:
        yield
    except Failure as failure:
        metadata = cast(Any, failure.metadata)  # numbers, texts and paths, as Dagster takes them
        raise dg.Failure(failure.description, metadata, allow_retries=failure.allow_retries) from failure
    except Exception as error:
        if (sentence := sentence_of(error)) is None:
            raise
        raise dg.Failure(sentence) from error


def reports_failures(function: Callable[P, R]) -> Callable[P, R]:
    """``function`` of an asset or op, also one that yields, whose failures reach Dagster as its own."""

    @functools.wraps(function)
    def reporting(*args: P.args, **kwargs: P.kwargs) -> R:
        with dagster_failures():
            return function(*args, **kwargs)

    @functools.wraps(function)
    def reporting_each(*args: P.args, **kwargs: P.kwargs) -> Iterator[Any]:
        with dagster_failures():
            yield from cast(Iterator[Any], function(*args, **kwargs))

    chosen = cast(Callable[P, R], reporting_each) if inspect.isgeneratorfunction(function) else reporting
    cast(Any, chosen).reports_failures = True
    return chosen


def manager_reports_failures(manager: Manager) -> Manager:
    """The same IO ``manager``, whose failures reach Dagster as its own."""
    manager.handle_output = reports_failures(manager.handle_output)
    manager.load_input = reports_failures(manager.load_input)
    return manager
