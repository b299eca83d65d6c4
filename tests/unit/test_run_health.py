"""Health results of tasks, as ``status`` and ``doctor`` show them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.jobs.monitoring.run_health import run_health_results
from pipeline.model.health import HealthResult
from pipeline.model.run import Run, RunStatus
from pipeline.model.schedule import parse_schedule
from pipeline.scheduler.engine import Task

MONDAY = datetime(2026, 2, 16, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


def task(name: str, words: str) -> Task:
    return Task(id=name, schedule=parse_schedule(words), run=lambda period, now: "")


TASKS = (task("fetch", "every 30 minutes"), task("draft", "mon 06:00"))


def ran(name: str, at: datetime, status: RunStatus = "succeeded", message: str = "no room.", **more: object) -> Run:
    schedule = next((known.schedule for known in TASKS if known.id == name), TASKS[0].schedule)
    period = schedule.period(at, UTC)
    values = {"task_id": name, "period_key": period, "claimed_at": at, "status": status, "message": message}
    return Run(**(values | more))  # type: ignore[arg-type]


def results(*runs: Run, now: datetime = MONDAY) -> list[HealthResult]:
    return list(run_health_results(TASKS, {run.task_id: run for run in runs}, now, UTC))


def test_successful_runs_yield_no_result() -> None:
    """A draft is not overdue a minute after its time, nor a fetch that was missed once."""
    runs = ran("fetch", MONDAY - HOUR), ran("draft", MONDAY - 7 * 24 * HOUR)
    assert results(*runs, now=MONDAY + timedelta(minutes=1)) == []


@pytest.mark.parametrize(
    ("late", "now"), [("fetch", MONDAY + 3 * HOUR), ("fetch, draft", MONDAY + 4 * HOUR), ("draft", MONDAY + 2 * HOUR)]
)
def test_overdue_tasks_are_an_error(late: str, now: datetime) -> None:
    """After three missed fetches, or an hour after the time of a draft."""
    last = now - HOUR if late == "draft" else MONDAY
    drafted = MONDAY if late == "fetch" else MONDAY - 7 * 24 * HOUR
    (result,) = results(ran("fetch", last), ran("draft", drafted), now=now)
    assert result.level == "error"
    assert result.message.startswith(f"{late} should have run, but nothing has run since")


@pytest.mark.parametrize(
    ("run", "message", "fix"),
    [
        (ran("draft", MONDAY, "failed"), "failed: no room", "fix the cause before its next run"),
        (ran("draft", MONDAY, "retrying", retry_at=MONDAY + HOUR), "failed for now: no room", "tried again"),
        (
            ran("fetch", MONDAY, "interrupted", "ValueError", retry_at=MONDAY),
            "was interrupted: ValueError",
            "tried again",
        ),
    ],
)
def test_a_failed_run_is_an_error(run: Run, message: str, fix: str) -> None:
    """The fix says whether the run is tried again automatically."""
    others = [ran(other.id, MONDAY) for other in TASKS if other.id != run.task_id]
    (result,) = results(run, *others)
    assert (result.name, result.level, result.message) == (run.task_id, "error", message)
    assert fix in result.fix


@pytest.mark.parametrize(
    "run",
    [
        ran("fetch", MONDAY, "failed"),
        ran("fetch", MONDAY, "retrying", retry_at=MONDAY + HOUR),
        ran("draft", MONDAY, "interrupted", "KeyboardInterrupt", retry_at=MONDAY),
        ran("draft", MONDAY, "deferred", "2026-W07 is not approved", retry_at=MONDAY + HOUR),
        ran("draft", MONDAY, "running", ""),
    ],
)
def test_other_runs_yield_no_result(run: Run) -> None:
    """Failed fetches are reported by the feeds; a stopped program, deferred and running tasks are fine."""
    others = [ran(other.id, MONDAY) for other in TASKS if other.id != run.task_id]
    assert results(run, *others) == []


def test_without_any_run_the_fix_says_how_to_start() -> None:
    """That is fine if every edition is sent by hand, and a warning if sending or proofs are scheduled."""
    (by_hand,) = results()
    (timed,) = run_health_results((*TASKS, task("send", "mon 12:00")), {}, MONDAY, UTC)
    assert [(result.level, "pipeline tick" in result.fix) for result in (by_hand, timed)] == [
        ("ok", True),
        ("warning", True),
    ]
