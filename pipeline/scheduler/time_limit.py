"""A time limit for a block of code that holds even while it waits for a peer, a lock or a file."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from pipeline.model.errors import TaskTimeoutError

REPEAT_SECONDS = 30.0
"""The block is interrupted again after this time: code that may not raise, such as a finalizer, swallows the first."""


class _TimeIsUp(KeyboardInterrupt):
    """Raised in the block, so that it cleans up as it does after Ctrl+C. No handler of errors swallows it."""


@contextmanager
def time_limit(name: str, seconds: float) -> Iterator[None]:
    """Interrupt the block after ``seconds`` and raise TaskTimeoutError, with ``name`` in its message.

    It has no effect outside the main thread, and on systems without SIGALRM: Python interrupts by signals only.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    expired = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal expired
        expired = True
        raise _TimeIsUp

    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds, REPEAT_SECONDS)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt as interruption:  # perhaps one that the block raised in turn
        if not expired:
            raise
        message = (
            f"{name} was ended because it took more than {seconds:g} seconds: something it waits for does not answer"
        )
        raise TaskTimeoutError(message) from interruption
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)  # once more: the first may have been interrupted
        signal.signal(signal.SIGALRM, previous)
