"""Track whether the scheduler loop is alive and makes progress."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from pipeline.scheduler.engine import TaskResult

MAX_MISSED_TICKS = 3
MAX_WORK_SECONDS = 900.0
"""How long one task may take, as a fetch of many slow feeds does."""


class Heartbeat:
    """The proof of life of one scheduler loop. One thread ticks, others may ask.

    ``monotonic`` returns seconds from a clock that only measures, so that setting the wall clock changes nothing.
    """

    def __init__(self, interval_seconds: float, *, monotonic: Callable[[], float]) -> None:
        self.interval_seconds = interval_seconds
        self._monotonic = monotonic
        self._updated_at = monotonic()
        self._working = False
        self._failures = 0
        self._last_failure = ""

    def watch(self, tick: Callable[[datetime], Iterable[TaskResult]]) -> Callable[[datetime], Iterator[TaskResult]]:
        """Return the same tick, wrapped so that its start, its end and every result update the heartbeat."""

        def watched(now: datetime) -> Iterator[TaskResult]:
            self._update(working=True)
            try:
                for result in tick(now):
                    self._update(working=True)
                    yield result
                self._failures = 0
            except Exception as error:
                self._failures, self._last_failure = self._failures + 1, str(error) or type(error).__name__
                raise
            finally:
                self._update(working=False)

        return watched

    @property
    def age_seconds(self) -> float:
        """How long ago the loop last showed that it is alive."""
        return self._monotonic() - self._updated_at

    def problem(self) -> str:
        """Return what is wrong with the loop, in a sentence; empty if it is healthy."""
        allowed = MAX_WORK_SECONDS if self._working else MAX_MISSED_TICKS * self.interval_seconds
        age = self.age_seconds
        if age > allowed:
            state = "has worked on one task" if self._working else "has not run its tasks"
            return f"the daemon {state} for {age:.0f} s (limit: {allowed:.0f} s); restart it"
        if self._failures >= MAX_MISSED_TICKS:
            return f"the last {self._failures} ticks failed: {self._last_failure}"
        return ""

    def _update(self, *, working: bool) -> None:
        self._updated_at, self._working = self._monotonic(), working
