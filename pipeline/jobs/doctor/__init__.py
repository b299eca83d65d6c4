"""The doctor: looks at everything a publication stands on, and says how to mend what is not well.

In: examinations, each a group of its own. Out: Signs, as each is found. One that fails is a sign itself and never stops
the others. Kinds do not know each other: one file each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from pipeline.model.errors import PipelineError
from pipeline.model.health import Sign, sign_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """One thing to look at."""

    group: str
    """What its signs are called together: ``store``, ``disk`` …"""
    look: Callable[[], Iterable[Sign]]


def examine(examinations: Iterable[Examination]) -> Iterator[Sign]:
    """Look at everything, one after the other."""
    for each in examinations:
        try:
            yield from each.look()
        except PipelineError as trouble:
            yield sign_of(str(trouble), group=each.group, name=each.group, level="trouble")
        except Exception as bug:
            finding = f"could not be looked at ({type(bug).__name__}: {bug})"
            mend = "this is a bug of the program: report it"
            yield Sign(group=each.group, name=each.group, level="trouble", finding=finding, mend=mend)
