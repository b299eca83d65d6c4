"""Check of time: what an approved edition tells is what its sources say today.

In: what has changed since. Out: Checks. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.digest.checks.proof import Spot
from pipeline.model.check import Check

_SINCE = Spot("", "changes")


def changed_since(changes: Iterable[str]) -> Iterator[Check]:
    """Name each change since the approval; the sealed bytes have not changed.

    >>> [check.message for check in changed_since(["“Bread” would be left out"])]
    ['Approve it again, or leave it as it is: made today, “Bread” would be left out.']
    """
    for change in changes:
        message = f"Approve it again, or leave it as it is: made today, {change}."
        yield _SINCE.check("changed-since", "warning", message)
