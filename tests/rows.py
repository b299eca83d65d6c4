"""Tables of calls and their results: many rows of one test, which cost less than a test each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Row = tuple[Callable[..., object], tuple[Any, ...], object]
"""A function, its arguments, and what it returns."""
Rows = list[Row]


def differences(rows: Iterable[Row]) -> list[str]:
    """Return the calls that return something else than the rows say, with what they return.

    >>> differences([(len, ("abc",), 3), (len, ("ab",), 3)])
    ["len('ab') returns 2 instead of 3"]
    """
    return [
        f"{function.__name__}({', '.join(map(repr, arguments))}) returns {found!r} instead of {expected!r}"
        for function, arguments, expected in rows
        if (found := function(*arguments)) != expected
    ]


def shortened(value: object) -> str:
    """Return what stands for a value in the name of a test: its first forty characters."""
    return repr(value)[:40]
