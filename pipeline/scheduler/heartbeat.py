"""The pulse of the beat: whether the daemon is alive and getting on.

In: beats as they happen. Out: how long ago, and in a sentence why that is not well. Reads a clock that only measures
(``monotonic``), so setting the wall clock frightens nobody. One thread beats, others may ask.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from pipeline.scheduler.engine import TaskResult

MAX_MISSED_TICKS = 3
MAX_WORK_SECONDS = 900.0
"""A beat that does something may take so long: a fetch of many slow feeds does."""


class Heartbeat:
    """Feels the beat of one process."""

    def __init__(self, interval_seconds: float, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.interval_seconds = interval_seconds
        self._monotonic = monotonic
        self._felt_at = monotonic()
        self._working = False
        self._failures = 0
        self._last_failure = ""

    def watch(self, tick: Callable[[datetime], Iterable[TaskResult]]) -> Callable[[datetime], Iterator[TaskResult]]:
        """Give the same beat, felt whenever it begins, gets something done, and ends."""

        def beating(now: datetime) -> Iterator[TaskResult]:
            self._feel(working=True)
            try:
                for done in tick(now):
                    self._feel(working=True)
                    yield done
                self._failures = 0
            except Exception as trouble:
                self._failures, self._last_failure = self._failures + 1, str(trouble) or type(trouble).__name__
                raise
            finally:
                self._feel(working=False)

        return beating

    @property
    def age_seconds(self) -> float:
        """How long ago the daemon last showed that it lives."""
        return self._monotonic() - self._felt_at

    def problem(self) -> str:
        """Say what is wrong with the beat; nothing when it is fresh."""
        allowed = MAX_WORK_SECONDS if self._working else MAX_MISSED_TICKS * self.interval_seconds
        age = self.age_seconds
        if age > allowed:
            doing = "at work without getting on" if self._working else "without a beat"
            return f"the daemon is {doing} for {age:.0f} s, and {allowed:.0f} s are allowed: restart it"
        if self._failures >= MAX_MISSED_TICKS:
            return f"the last {self._failures} beats failed: {self._last_failure}"
        return ""

    def _feel(self, *, working: bool) -> None:
        self._felt_at, self._working = self._monotonic(), working
