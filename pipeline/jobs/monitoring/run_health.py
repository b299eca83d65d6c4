"""How the tasks are doing, in words for who looks after them.

In: tasks, the newest run of each, the moment. Out: Signs. Touches nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo

from pipeline.model.health import HealthLevel, HealthResult
from pipeline.model.run import Run
from pipeline.model.schedule import At, Every
from pipeline.scheduler.engine import Task
from pipeline.text.format import format_datetime

OVERDUE_AFTER = timedelta(hours=1)
"""A task that should have begun so long ago has nobody who does it."""
MAX_MISSED_RUNS = 3
_UNWELL = {"failed": "failed", "retrying": "failed for now", "interrupted": "was cut short"}
_SAID_BY_FEEDS = frozenset({"fetch", "new feeds"})
"""What fails there, each feed says itself."""
_MEANT_TO_LEAVE = frozenset({"send", "proof"})
"""Who has set these up waits for mails; all else the desk does as well, for who never starts a daemon."""
_ON_PURPOSE = frozenset({"KeyboardInterrupt", "SystemExit"})
"""Who stops the program cuts its work short; it is taken up again at the next start."""


def run_health_results(
    tasks: Sequence[Task], runs: Mapping[str, Run], now: datetime, zone: tzinfo
) -> Iterator[HealthResult]:
    """Say which runs failed, and whether anybody does what is due: a daemon, or a cron line."""
    for run in runs.values():
        if _is_unwell(run):
            mend = (
                "it is tried again by itself" if run.retry_at else "its next time comes by itself; mend what it names"
            )
            yield _sign(run.task_id, "trouble", f"{_UNWELL[run.status]}: {run.message.rstrip('.')}", mend)
    late = [task.id for task in tasks if task.id in runs and _overdue(task, runs[task.id], now, zone)]
    if not runs:
        mend = "start `pipeline run`, or put `pipeline tick` into cron"
        meant = any(task.id in _MEANT_TO_LEAVE for task in tasks)
        yield _sign("schedule", "warning" if meant else "well", "nothing has run by itself yet", mend)
    elif late:
        last = max(run.claimed_at for run in runs.values())
        finding = f"{', '.join(late)} should have run, and nothing has since {format_datetime(last, zone)}"
        mend = "see whether `pipeline run` or the cron line with `pipeline tick` still runs"
        yield _sign("schedule", "trouble", finding, mend)


def _is_unwell(run: Run) -> bool:
    if run.status == "interrupted":
        return run.message not in _ON_PURPOSE
    return run.status in _UNWELL and run.task_id not in _SAID_BY_FEEDS


def _overdue(task: Task, run: Run, now: datetime, zone: tzinfo) -> bool:
    if isinstance(task.schedule, Every):
        return now - run.claimed_at > MAX_MISSED_RUNS * task.schedule.interval + OVERDUE_AFTER / 6
    if isinstance(task.schedule, At) and run.period_key != task.schedule.period(now, zone):
        return now - task.schedule.began_at(now, zone) > OVERDUE_AFTER
    return False


def _sign(name: str, level: HealthLevel, finding: str, mend: str) -> HealthResult:
    return HealthResult(category="runs", name=name, level=level, message=finding, fix=mend)
