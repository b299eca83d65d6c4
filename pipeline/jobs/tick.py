"""The beat of the house: what is due is run, each period once.

In: tasks, what ran last, a way to claim a period, an instant. Out: a report, a line for each task that ran.
Whether something is due is decided from the store's rows alone, never from a scheduler's memory, so a daemon, a cron
line and any mixture of both do the same thing. Reads no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from pipeline.model.errors import PipelineError
from pipeline.model.schedule import Schedule, due_period

Claim = Callable[[str, str], bool]
"""Take a task's period for oneself: True for exactly one caller of all processes, ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something to do at certain times."""

    id: str
    schedule: Schedule
    run: Callable[[str, datetime], str]
    """Does it for a period, at an instant; returns a line that says what was done, or raises PipelineError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """One task that was due and was run."""

    task_id: str
    period: str
    line: str
    """What was done, or the sentence of ``trouble``."""
    trouble: PipelineError | None = None


def tick(tasks: Sequence[Task], claim: Claim, last: Mapping[str, str], now: datetime, zone: tzinfo) -> Iterator[Beat]:
    """Run every task whose newest period has not run, and tell of each as soon as it is done.

    ``last`` maps a task's id to the last period that ran. A period is claimed before its work begins: of two processes
    one does it, and work that fails is not repeated before its next period. Trouble ends a task, not the tick; a bug
    propagates.
    """
    for task in tasks:
        period = due_period(task.schedule, last.get(task.id), now, zone)
        if period and claim(task.id, period):
            yield _run(task, period, now)


def _run(task: Task, period: str, now: datetime) -> Beat:
    try:
        return Beat(task_id=task.id, period=period, line=task.run(period, now))
    except PipelineError as trouble:
        return Beat(task_id=task.id, period=period, line=str(trouble), trouble=trouble)
