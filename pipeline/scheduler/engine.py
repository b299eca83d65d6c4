"""Run every task that is due, at most once per period.

Whether a task is due follows from the stored runs alone, never from a scheduler's memory, so a daemon, a crontab line
and any mixture of both behave alike. A temporary error is retried with growing delays until the next period begins; an
interrupted run is claimed by the next process that ticks. A task that takes too long is ended like one with a temporary
error, and those after it run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Protocol

from pipeline.model.errors import PipelineError
from pipeline.model.run import Run, RunStatus, claim, claimable_at, finish, is_claimable, retry_delay
from pipeline.model.schedule import Clock

if TYPE_CHECKING:  # leases are renewed by a thread, and this module is pure
    from pipeline.scheduler.lease import RunLeases

MAX_CLOCK_SKEW = timedelta(minutes=10)
"""How far the clocks of two machines may differ."""
MAX_TASK_SECONDS = 600.0
"""How long a task may take unless it says otherwise; what it waits for has shorter limits of its own."""


class TaskSchedule(Protocol):
    """Divides time into periods: a ``model.schedule.Schedule``, or one that depends on the store."""

    @property
    def never_repeats(self) -> bool:
        """Whether a period key never comes again, even if the clock is set back."""
        ...

    def period(self, now: datetime, zone: tzinfo) -> str:
        """Return the key of the newest period that has begun; empty if there is none."""
        ...

    def next_at(self, now: datetime, zone: tzinfo) -> datetime | None:
        """Return when the next period begins; None if that is unknown."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The work of a task, done."""

    message: str
    """One sentence; empty if there is nothing to report."""
    week: str = ""
    """The week it was done for, if any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """The work of a task, put off until somebody else has acted. Not an error."""

    reason: str
    """The reason, in a sentence."""
    until: datetime
    """When to try again at the latest."""
    week: str = ""
    """The week it is for, if any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Work to be done once per period of a schedule."""

    id: str
    schedule: TaskSchedule
    run: Callable[[str, datetime], str | Done | Deferred]
    """Does the work of a period (its key) at a time; raises PipelineError if it fails. A string is short for Done."""
    is_ready: Callable[[Run], bool] = lambda _: False
    """Checks at each tick whether a deferred run can go on. Must be cheap."""
    max_seconds: float = MAX_TASK_SECONDS
    """How long a run may take before it is ended."""


Supervise = Callable[[Task], AbstractContextManager[object]]
"""Returns the context in which a task runs; it may raise TaskTimeoutError in the middle of the task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """How the run of one task ended."""

    task_id: str
    period: str
    message: str
    """The message of ``Done``, the reason of ``Deferred``, or the message of ``error``."""
    error: PipelineError | None = None
    retry_at: datetime | None = None
    """When it is tried again; None for not before its next period."""
    week: str = field(default="", compare=False)
    status: RunStatus = field(default="succeeded", compare=False)
    duration_seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NextRun:
    """When a task runs next."""

    task_id: str
    at: datetime


def run_due(
    tasks: Sequence[Task], leases: RunLeases, clock: Clock, zone: tzinfo, supervise: Supervise = nullcontext
) -> Iterator[TaskResult]:
    """Run every task that is due, in order, and yield each result as soon as there is one.

    Each runs in the context that ``supervise`` returns for it. A PipelineError ends its task only. A bug or an
    interruption propagates, after the run was made claimable again.
    """
    newest: Mapping[str, Run] | None = None
    for task in tasks:
        newest = leases.newest() if newest is None else newest
        previous, now = newest.get(task.id), clock()
        if period := _due_period(task, previous, now, zone):
            newest = None  # another process may run the following tasks while this one works
            run = claim(task.id, period, previous, claimed_by=leases.owner, now=now)
            if leases.claim(previous, run, task.max_seconds, never_repeats=task.schedule.never_repeats):
                yield from _execute(task, run, previous, leases, clock, supervise)


def next_runs(tasks: Sequence[Task], newest: Mapping[str, Run], now: datetime, zone: tzinfo) -> tuple[NextRun, ...]:
    """Return when each task runs next, in the order of ``tasks``, without those for which that is unknown."""
    times = ((task.id, _next_at(task, newest.get(task.id), now, zone)) for task in tasks)
    return tuple(NextRun(task_id=task_id, at=at) for task_id, at in times if at)


def _due_period(task: Task, previous: Run | None, now: datetime, zone: tzinfo) -> str:
    """Return the key of the period to run now; empty if there is none."""
    period = task.schedule.period(now, zone)
    if not period or previous is None:
        return period
    if previous.status == "running" and not is_claimable(previous, now):
        return ""  # another process is working, though perhaps on an earlier period
    if period == previous.period_key:
        may_run = is_claimable(previous, now) or (previous.status == "deferred" and task.is_ready(previous))
        return period if may_run else ""
    if not task.schedule.never_repeats and period < previous.period_key and previous.claimed_at < now + MAX_CLOCK_SKEW:
        return ""  # a machine whose clock is a little ahead has already run a later period
    return period


def _next_at(task: Task, previous: Run | None, now: datetime, zone: tzinfo) -> datetime | None:
    if _due_period(task, previous, now, zone):
        return now
    times = (task.schedule.next_at(now, zone), previous and claimable_at(previous))
    return min((at for at in times if at), default=None)


def _execute(
    task: Task, run: Run, previous: Run | None, leases: RunLeases, clock: Clock, supervise: Supervise
) -> Iterator[TaskResult]:
    try:
        outcome = _call(task, run, clock(), supervise)
    except BaseException as interruption:
        delay = retry_delay(run.attempts) if isinstance(interruption, Exception) else timedelta()
        leases.finish(finish(run, "interrupted", type(interruption).__name__, clock(), clock() + delay))
        raise
    ended = _ended(run, outcome, clock())
    leases.finish(ended)
    if not (isinstance(outcome, Deferred) and previous and previous.message == outcome.reason):
        error = outcome if isinstance(outcome, PipelineError) else None
        yield TaskResult(
            task_id=task.id,
            period=run.period_key,
            message=ended.message,
            error=error,
            retry_at=ended.retry_at,
            week="" if isinstance(outcome, PipelineError) else outcome.week,
            status=ended.status,
            duration_seconds=((ended.finished_at or ended.claimed_at) - ended.claimed_at).total_seconds(),
        )


def _call(task: Task, run: Run, now: datetime, supervise: Supervise) -> Done | Deferred | PipelineError:
    try:
        with supervise(task):
            outcome = task.run(run.period_key, now)
    except PipelineError as error:
        return error
    return Done(message=outcome) if isinstance(outcome, str) else outcome


def _ended(run: Run, outcome: Done | Deferred | PipelineError, now: datetime) -> Run:
    retry_at = now + retry_delay(run.attempts)
    if isinstance(outcome, Deferred):
        return finish(run, "deferred", outcome.reason, now, min(retry_at, max(outcome.until, now)))
    if isinstance(outcome, Done):
        return finish(run, "succeeded", outcome.message, now)
    if outcome.retry:
        return finish(run, "retrying", str(outcome), now, retry_at)
    return finish(run, "failed", str(outcome), now)
