"""Track whether the scheduler loop is alive and makes progress."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from pipeline.model.errors import TaskTimeoutError
from pipeline.scheduler.engine import Task, TaskResult

MAX_MISSED_TICKS = 3
MAX_INTERRUPTION_SECONDS = 60.0
"""How long after its time limit a task that does not react to it counts as stuck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentTask:
    """The task that runs now."""

    task_id: str
    max_seconds: float
    started_at: float
    """On the heartbeat's clock."""


class Heartbeat:
    """The proof that one scheduler loop makes progress. One thread ticks, others may ask.

    ``monotonic`` returns seconds from a clock that only measures, so that setting the wall clock changes nothing.
    """

    def __init__(self, interval_seconds: float, *, monotonic: Callable[[], float]) -> None:
        self.interval_seconds = interval_seconds
        self._monotonic = monotonic
        self._updated_at = monotonic()
        self._task: CurrentTask | None = None
        self._failures = 0
        self._last_failure = ""
        self._timeouts: dict[str, str] = {}
        """Messages of the tasks whose last run exceeded its time limit, by task id."""

    def watch(self, tick: Callable[[datetime], Iterable[TaskResult]]) -> Callable[[datetime], Iterator[TaskResult]]:
        """Return the same tick, wrapped so that its start, its end and every result update the heartbeat."""

        def watched(now: datetime) -> Iterator[TaskResult]:
            self._update()
            try:
                for result in tick(now):
                    self._update()
                    self._remember_timeout(result)
                    yield result
                self._failures = 0
            except Exception as error:
                self._failures, self._last_failure = self._failures + 1, str(error) or type(error).__name__
                raise
            finally:
                self._update()

        return watched

    @contextmanager
    def working(self, task: Task) -> Iterator[None]:
        """Know that a task runs in the block."""
        self._update()
        self._task = CurrentTask(task_id=task.id, max_seconds=task.max_seconds, started_at=self._updated_at)
        try:
            yield
        finally:
            self._task = None
            self._update()

    @property
    def age_seconds(self) -> float:
        """How long ago the loop last showed that it makes progress."""
        return self._monotonic() - self._updated_at

    @property
    def current_task(self) -> str:
        """The id of the task that runs now; empty between tasks."""
        task = self._task
        return task.task_id if task else ""

    def stuck_task(self) -> str:
        """Return the id of a task that cannot be ended although its time is up; empty if there is none."""
        task = self._task
        is_stuck = task and self._monotonic() > task.started_at + task.max_seconds + MAX_INTERRUPTION_SECONDS
        return task.task_id if task and is_stuck else ""

    def problem(self) -> str:
        """Return what is wrong with the loop, in a sentence; empty if it is healthy."""
        task, age = self._task, self.age_seconds
        allowed = task.max_seconds if task else MAX_MISSED_TICKS * self.interval_seconds
        if age > allowed:
            if task:
                return f"the task {task.task_id} has run for {age:.0f} s (limit: {allowed:.0f} s) and cannot be ended"
            return f"the daemon has not run its tasks for {age:.0f} s (limit: {allowed:.0f} s); restart it"
        if self._failures >= MAX_MISSED_TICKS:
            return f"the last {self._failures} ticks failed: {self._last_failure}"
        return "; ".join(self._timeouts.values())

    def _remember_timeout(self, result: TaskResult) -> None:
        if isinstance(result.error, TaskTimeoutError):
            self._timeouts[result.task_id] = str(result.error)
        else:
            self._timeouts.pop(result.task_id, None)

    def _update(self) -> None:
        self._updated_at = self._monotonic()
