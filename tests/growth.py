"""Whether the CPU time of a function grows in proportion to its input.

Seconds are never compared with a limit: a function fails if sixteen times the input takes more than forty times as
long, at two sizes, the smallest of several measurements each. A slow or busy machine is slow at all of them.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

FACTOR = 16
MAX_RATIO = 40.0
MIN_SECONDS = 0.005
"""An input that takes less than this is not measured further: a quadratic function takes longer at these sizes."""
HOPELESS_SECONDS = 5.0
"""A call that takes a thousand times as long as that is interrupted: it may never end."""
_ATTEMPTS = 3


class SuperlinearError(AssertionError):
    """The time of a function grew faster than its input."""


def assert_linear(
    work: Callable[[int], object], length: int, *, floor: float = MIN_SECONDS, hopeless: float = HOPELESS_SECONDS
) -> None:
    """Raise SuperlinearError if ``work`` takes more than ``MAX_RATIO`` times as long for ``FACTOR`` times the length.

    ``work`` gets the length of the input. If it takes less than ``floor`` seconds at ``FACTOR * length`` it is linear
    for all practical purposes; from ``hopeless`` seconds on, it is not.
    """
    for size in (length, 4 * length):  # a function whose steps are bounded looks quadratic up to that bound
        large = _seconds(work, FACTOR * size, hopeless)
        if large < floor:
            return
        if large >= hopeless:
            raise SuperlinearError(f"{FACTOR * size} characters do not end")
        small = min(_seconds(work, size, hopeless) for _ in range(_ATTEMPTS))
        large = min(large, *(_seconds(work, FACTOR * size, hopeless) for _ in range(_ATTEMPTS if large < 1 else 1)))
        ratio = large / small
        if ratio <= MAX_RATIO:
            return
    raise SuperlinearError(f"{FACTOR} times the input takes {ratio:.0f} times as long")


def _seconds(work: Callable[[int], object], length: int, hopeless: float) -> float:
    with _interrupted_after(hopeless):
        started = time.thread_time()
        try:
            work(length)
        except TimeoutError:
            return hopeless
        return max(time.thread_time() - started, 1e-5)


@contextmanager
def _interrupted_after(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in this thread, the main one, after some seconds of CPU time; ``re`` can be interrupted."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise TimeoutError

    previous = signal.signal(signal.SIGVTALRM, interrupt)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, previous)
