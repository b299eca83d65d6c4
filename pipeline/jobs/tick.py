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
from pipeline.model.run import Run, concluded, free_from, is_free, pause, taken_on

SKEW = timedelta(minutes=10)
"""So much may the clocks of two machines differ."""
Clock = Callable[[], datetime]
"""Shows the moment a beat was asked for, and goes on from there."""


class Rhythm(Protocol):
    """What a task goes by: a ``model.schedule.Schedule``, or whatever else gives its occasions names."""

    @property
    def once(self) -> bool:
        """True when no period may ever come twice, whatever the clock does."""
        ...

    def period(self, now: datetime, zone: tzinfo) -> str:
        """Name the newest period that has begun; empty when there is none."""
        ...

    def next_at(self, now: datetime, zone: tzinfo) -> datetime | None:
        """Say when the next period begins; None when nobody can know."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """A task could not be done yet because somebody else must do something first. No trouble."""

    line: str
    """Who, and what."""
    until: datetime
    """When it is looked at again in any case."""


def _never(run: Run) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something to do at certain times."""

    id: str
    schedule: Rhythm
    run: Callable[[str, datetime], str | Waits]
    """Does it for a period, at an instant; returns a line that says what was done, or raises PipelineError."""
    wakes: Callable[[Run], bool] = _never
    """Asked at each beat while a run waits: whether what it waits for may have come. Costs next to nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """One task that was due and was run."""

    task_id: str
    period: str
    line: str
    """What was done, or the sentence of ``trouble``."""
    trouble: PipelineError | None = None
    again_at: datetime | None = None
    """When it is tried again; None: not before its next period."""
    outcome: str = field(default="done", compare=False)
    """``model.run.Outcome``, and how long it took: for the log."""
    seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """When a task is done next."""

    task_id: str
    at: datetime


class Ledger(Protocol):
    """The runs, as one process sees and writes them."""

    @property
    def by(self) -> str:
        """In whose name."""
        ...

    def newest(self) -> Mapping[str, Run]:
        """Give the run of each schedule that was taken on last."""
        ...

    def take(self, seen: Run | None, run: Run, *, once: bool) -> bool:
        """Take a run on and keep renewing it; False when another process was quicker."""
        ...

    def end(self, run: Run) -> None:
        """Write down what became of a run that was taken on."""
        ...


def tick(tasks: Sequence[Task], ledger: Ledger, clock: Clock, zone: tzinfo) -> Iterator[Beat]:
    """Run every task that is due, and tell of each as soon as it is done.

    Trouble ends a task, not the tick; a bug propagates, and so does an interruption: its run is free again.
    """
    newest: Mapping[str, Run] | None = None
    for task in tasks:
        newest = ledger.newest() if newest is None else newest
        seen, now = newest.get(task.id), clock()
        if period := _due(task, seen, now, zone):
            newest = None  # work takes time, in which others may have been at the next task
            run = taken_on(task.id, period, seen, by=ledger.by, now=now)
            if ledger.take(seen, run, once=task.schedule.once):
                yield from _work(task, run, seen, ledger, clock)


def coming(tasks: Sequence[Task], newest: Mapping[str, Run], now: datetime, zone: tzinfo) -> tuple[Coming, ...]:
    """Say when each task is done next, in their order; left out are those of which nobody can know."""
    moments = ((task.id, _next(task, newest.get(task.id), now, zone)) for task in tasks)
    return tuple(Coming(task_id=task_id, at=at) for task_id, at in moments if at)


def _due(task: Task, seen: Run | None, now: datetime, zone: tzinfo) -> str:
    """Name the period to run now; empty when there is none."""
    period = task.schedule.period(now, zone)
    if not period or seen is None:
        return period
    if seen.outcome == "underway" and not is_free(seen, now):
        return ""  # somebody is at it, though it may be an earlier period
    if period == seen.period_key:
        return period if is_free(seen, now) or (seen.outcome == "waiting" and task.wakes(seen)) else ""
    if not task.schedule.once and period < seen.period_key and seen.claimed_at < now + SKEW:
        return ""  # of two machines whose clocks differ a little the later one has been at it
    return period


def _next(task: Task, seen: Run | None, now: datetime, zone: tzinfo) -> datetime | None:
    if _due(task, seen, now, zone):
        return now
    moments = (task.schedule.next_at(now, zone), seen and free_from(seen))
    return min((moment for moment in moments if moment), default=None)


def _work(task: Task, run: Run, seen: Run | None, ledger: Ledger, clock: Clock) -> Iterator[Beat]:
    try:
        came = _came(task, run, clock())
    except BaseException as cut_short:
        wait = pause(run.attempts) if isinstance(cut_short, Exception) else timedelta()
        ledger.end(concluded(run, "interrupted", type(cut_short).__name__, clock(), clock() + wait))
        raise
    ended = _ended(run, came, clock())
    ledger.end(ended)
    if not (isinstance(came, Waits) and seen and seen.line == came.line):
        trouble = came if isinstance(came, PipelineError) else None
        yield Beat(
            task_id=task.id,
            period=run.period_key,
            line=ended.line,
            trouble=trouble,
            again_at=ended.free_at,
            outcome=ended.outcome,
            seconds=((ended.finished_at or ended.claimed_at) - ended.claimed_at).total_seconds(),
        )


def _came(task: Task, run: Run, now: datetime) -> str | Waits | PipelineError:
    try:
        return task.run(run.period_key, now)
    except PipelineError as trouble:
        return trouble


def _ended(run: Run, came: str | Waits | PipelineError, now: datetime) -> Run:
    again_at = now + pause(run.attempts)
    if isinstance(came, Waits):
        return concluded(run, "waiting", came.line, now, min(again_at, max(came.until, now)))
    if isinstance(came, PipelineError):
        outcome, free_at = ("again", again_at) if came.retry else ("failed", None)
        return concluded(run, outcome, str(came), now, free_at)  # type: ignore[arg-type]
    return concluded(run, "done", came, now)
