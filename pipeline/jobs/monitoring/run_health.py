"""Health of the scheduled tasks: which runs failed, and whether anything runs at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo

from pipeline.model.health import HealthLevel, HealthResult
from pipeline.model.run import Run
from pipeline.model.schedule import At, Every
from pipeline.scheduler.engine import Task
from pipeline.text.format import format_datetime

OVERDUE_AFTER = timedelta(hours=1)
"""A task that should have run this long ago is overdue: neither a daemon nor cron runs it."""
MAX_MISSED_RUNS = 3
_FAILURES = {"failed": "failed", "retrying": "failed for now", "interrupted": "was interrupted"}
_REPORTED_BY_FEEDS = frozenset({"fetch", "first-fetch"})
"""Tasks whose failures are reported by the feeds themselves."""
_SENDING = frozenset({"send", "proof"})
"""Tasks that nobody but a daemon or cron does; everything else the editor can do at the desk."""
_STOPPED = frozenset({"KeyboardInterrupt", "SystemExit"})
"""Interruptions by somebody who stopped the program; the run is claimed again at the next start."""


def run_health_results(
    tasks: Sequence[Task], runs: Mapping[str, Run], now: datetime, zone: tzinfo
) -> Iterator[HealthResult]:
    """Yield which of the newest runs failed, and which tasks are overdue. ``runs`` maps task ids to runs."""
    for run in runs.values():
        if _has_failed(run):
            fix = "it is tried again automatically" if run.retry_at else "fix the cause before its next run"
            yield _result(run.task_id, "error", f"{_FAILURES[run.status]}: {run.message.rstrip('.')}", fix)
    overdue = [task.id for task in tasks if task.id in runs and _is_overdue(task, runs[task.id], now, zone)]
    if not runs:
        level: HealthLevel = "warning" if any(task.id in _SENDING for task in tasks) else "ok"
        fix = "start `pipeline run`, or run `pipeline tick` from cron"
        yield _result("schedule", level, "no task has run yet", fix)
    elif overdue:
        last = max(run.claimed_at for run in runs.values())
        message = f"{', '.join(overdue)} should have run, but nothing has run since {format_datetime(last, zone)}"
        fix = "check that `pipeline run` or the cron job with `pipeline tick` still runs"
        yield _result("schedule", "error", message, fix)


def _has_failed(run: Run) -> bool:
    if run.status == "interrupted":
        return run.message not in _STOPPED
    return run.status in _FAILURES and run.task_id not in _REPORTED_BY_FEEDS


def _is_overdue(task: Task, run: Run, now: datetime, zone: tzinfo) -> bool:
    if isinstance(task.schedule, Every):
        return now - run.claimed_at > MAX_MISSED_RUNS * task.schedule.interval + OVERDUE_AFTER / 6
    if isinstance(task.schedule, At) and run.period_key != task.schedule.period(now, zone):
        return now - task.schedule.began_at(now, zone) > OVERDUE_AFTER
    return False


def _result(name: str, level: HealthLevel, message: str, fix: str) -> HealthResult:
    return HealthResult(category="runs", name=name, level=level, message=message, fix=fix)
