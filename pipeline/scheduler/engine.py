"""The beat of the house: what is due is run, each period once.

In: tasks, the ledger of runs, a clock. Out: a report, a line for each task that ran. Whether something is due is
decided from the ledger's rows alone, never from a scheduler's memory, so a daemon, a cron line and any mixture of both
do the same thing. What fails in passing is tried again after growing pauses, until its successor is due; what was cut
short is taken up by whoever comes next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Protocol

from pipeline.model.errors import PipelineError
from pipeline.model.run import Run, claim, claimable_at, finish, is_claimable, retry_delay
from pipeline.model.schedule import Clock

MAX_CLOCK_SKEW = timedelta(minutes=10)
"""So much may the clocks of two machines differ."""


class TaskSchedule(Protocol):
    """What a task goes by: a ``model.schedule.Schedule``, or whatever else gives its occasions names."""

    @property
    def never_repeats(self) -> bool:
        """True when no period may ever come twice, whatever the clock does."""
        ...

    def period(self, now: datetime, zone: tzinfo) -> str:
        """Name the newest period that has begun; empty when there is none."""
        ...

    def next_at(self, now: datetime, zone: tzinfo) -> datetime | None:
        """Say when the next period begins; None when nobody can know."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """A task could not be done yet because somebody else must do something first. No trouble."""

    reason: str
    """Who, and what."""
    until: datetime
    """When it is looked at again in any case."""


def _never(run: Run) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something to do at certain times."""

    id: str
    schedule: TaskSchedule
    run: Callable[[str, datetime], str | Deferred]
    """Does it for a period, at an instant; returns a line that says what was done, or raises PipelineError."""
    is_ready: Callable[[Run], bool] = _never
    """Asked at each beat while a run waits: whether what it waits for may have come. Costs next to nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """One task that was due and was run."""

    task_id: str
    period: str
    message: str
    """What was done, or the sentence of ``trouble``."""
    error: PipelineError | None = None
    retry_at: datetime | None = None
    """When it is tried again; None: not before its next period."""
    status: str = field(default="done", compare=False)
    """``model.run.Outcome``, and how long it took: for the log."""
    duration_seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NextRun:
    """When a task is done next."""

    task_id: str
    at: datetime


class Leases(Protocol):
    """The runs, as one process sees and writes them."""

    @property
    def owner(self) -> str:
        """In whose name."""
        ...

    def newest(self) -> Mapping[str, Run]:
        """Give the run of each schedule that was taken on last."""
        ...

    def claim(self, previous: Run | None, run: Run, *, never_repeats: bool) -> bool:
        """Take a run on and keep renewing it; False when another process was quicker."""
        ...

    def finish(self, run: Run) -> None:
        """Write down what became of a run that was taken on."""
        ...


def run_due(tasks: Sequence[Task], leases: Leases, clock: Clock, zone: tzinfo) -> Iterator[TaskResult]:
    """Run every task that is due, and tell of each as soon as it is done.

    Trouble ends a task, not the tick; a bug propagates, and so does an interruption: its run is free again.
    """
    newest: Mapping[str, Run] | None = None
    for task in tasks:
        newest = leases.newest() if newest is None else newest
        seen, now = newest.get(task.id), clock()
        if period := _due(task, seen, now, zone):
            newest = None  # work takes time, in which others may have been at the next task
            run = claim(task.id, period, seen, claimed_by=leases.owner, now=now)
            if leases.claim(seen, run, never_repeats=task.schedule.never_repeats):
                yield from _work(task, run, seen, leases, clock)


def next_runs(tasks: Sequence[Task], newest: Mapping[str, Run], now: datetime, zone: tzinfo) -> tuple[NextRun, ...]:
    """Say when each task is done next, in their order; left out are those of which nobody can know."""
    moments = ((task.id, _next(task, newest.get(task.id), now, zone)) for task in tasks)
    return tuple(NextRun(task_id=task_id, at=at) for task_id, at in moments if at)


def _due(task: Task, seen: Run | None, now: datetime, zone: tzinfo) -> str:
    """Name the period to run now; empty when there is none."""
    period = task.schedule.period(now, zone)
    if not period or seen is None:
        return period
    if seen.status == "underway" and not is_claimable(seen, now):
        return ""  # somebody is at it, though it may be an earlier period
    if period == seen.period_key:
        return period if is_claimable(seen, now) or (seen.status == "waiting" and task.is_ready(seen)) else ""
    if not task.schedule.never_repeats and period < seen.period_key and seen.claimed_at < now + MAX_CLOCK_SKEW:
        return ""  # of two machines whose clocks differ a little the later one has been at it
    return period


def _next(task: Task, seen: Run | None, now: datetime, zone: tzinfo) -> datetime | None:
    if _due(task, seen, now, zone):
        return now
    moments = (task.schedule.next_at(now, zone), seen and claimable_at(seen))
    return min((moment for moment in moments if moment), default=None)


def _work(task: Task, run: Run, seen: Run | None, ledger: Leases, clock: Clock) -> Iterator[TaskResult]:
    try:
        came = _came(task, run, clock())
    except BaseException as cut_short:
        wait = retry_delay(run.attempts) if isinstance(cut_short, Exception) else timedelta()
        ledger.finish(finish(run, "interrupted", type(cut_short).__name__, clock(), clock() + wait))
        raise
    ended = _ended(run, came, clock())
    ledger.finish(ended)
    if not (isinstance(came, Deferred) and seen and seen.message == came.reason):
        trouble = came if isinstance(came, PipelineError) else None
        yield TaskResult(
            task_id=task.id,
            period=run.period_key,
            message=ended.message,
            error=trouble,
            retry_at=ended.retry_at,
            status=ended.status,
            duration_seconds=((ended.finished_at or ended.claimed_at) - ended.claimed_at).total_seconds(),
        )


def _came(task: Task, run: Run, now: datetime) -> str | Deferred | PipelineError:
    try:
        return task.run(run.period_key, now)
    except PipelineError as trouble:
        return trouble


def _ended(run: Run, came: str | Deferred | PipelineError, now: datetime) -> Run:
    again_at = now + retry_delay(run.attempts)
    if isinstance(came, Deferred):
        return finish(run, "waiting", came.reason, now, min(again_at, max(came.until, now)))
    if isinstance(came, PipelineError):
        outcome, free_at = ("again", again_at) if came.retry else ("failed", None)
        return finish(run, outcome, str(came), now, free_at)  # type: ignore[arg-type]
    return finish(run, "done", came, now)
