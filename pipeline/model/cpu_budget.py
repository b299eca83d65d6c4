"""A limit on the CPU time that reading one document may take.

A document is read in steps, each of which takes time in proportion to a bounded text; `check_cpu_budget` is called
between them. Decision 0012 says why a document is not read in a process of its own or interrupted by a signal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

from pipeline.model.errors import ExpensiveDocumentError

MAX_CPU_SECONDS = 60.0
"""For one document. A feed of 15 MB with 5,000 entries takes 10 to 15 of them on a busy small server."""

CpuClock = Callable[[], float]
"""Returns the CPU seconds of the current thread, as ``time.thread_time`` does."""

_check: ContextVar[Callable[[], None] | None] = ContextVar("check", default=None)


@contextmanager
def cpu_budget(clock: CpuClock, seconds: float = MAX_CPU_SECONDS) -> Iterator[None]:
    """Limit the CPU seconds of the document that is read within this context, which must not await anything."""
    token = _check.set(partial(_raise_if_after, clock() + seconds, clock, seconds))
    try:
        yield
    finally:
        _check.reset(token)


def check_cpu_budget() -> None:
    """Raise ExpensiveDocumentError if the document has used up its CPU time; outside of a budget do nothing."""
    if check := _check.get():
        check()


def _raise_if_after(end: float, clock: CpuClock, seconds: float) -> None:
    if clock() > end:
        raise ExpensiveDocumentError(f"takes more than {seconds:g} seconds of CPU time to read")
