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
    schedule = next((each.schedule for each in TASKS if each.id == name), TASKS[0].schedule)
    period = schedule.period(at, UTC)
    values = {"task_id": name, "period_key": period, "claimed_at": at, "status": status, "message": message}
    return Run(**(values | more))  # type: ignore[arg-type]


def signs(*runs: Run, now: datetime = MONDAY) -> list[HealthResult]:
    return list(run_health_results(TASKS, {run.task_id: run for run in runs}, now, UTC))


def test_what_runs_and_goes_well_needs_no_word() -> None:
    """A minute after its time a draft is not late yet; nor is a fetch that missed one round."""
    runs = ran("fetch", MONDAY - HOUR), ran("draft", MONDAY - 7 * 24 * HOUR)
    assert signs(*runs, now=MONDAY + timedelta(minutes=1)) == []


@pytest.mark.parametrize(
    ("late", "now"), [("fetch", MONDAY + 3 * HOUR), ("fetch, draft", MONDAY + 4 * HOUR), ("draft", MONDAY + 2 * HOUR)]
)
def test_what_nobody_did_is_named_with_the_last_sign_of_life(late: str, now: datetime) -> None:
    """Three rounds missed, or an hour after its time."""
    last = now - HOUR if late == "draft" else MONDAY
    drafted = MONDAY if late == "fetch" else MONDAY - 7 * 24 * HOUR
    (sign,) = signs(ran("fetch", last), ran("draft", drafted), now=now)
    assert sign.level == "trouble"
    assert sign.message.startswith(f"{late} should have run, and nothing has since")


@pytest.mark.parametrize(
    ("run", "words", "mend"),
    [
        (ran("draft", MONDAY, "failed"), "failed: no room", "its next time comes by itself"),
        (ran("draft", MONDAY, "retrying", retry_at=MONDAY + HOUR), "failed for now: no room", "tried again"),
        (
            ran("fetch", MONDAY, "interrupted", "ValueError", retry_at=MONDAY),
            "was cut short: ValueError",
            "tried again",
        ),
    ],
)
def test_what_failed_is_trouble(run: Run, words: str, mend: str) -> None:
    """With whether it is tried again by itself."""
    others = [ran(each.id, MONDAY) for each in TASKS if each.id != run.task_id]
    (sign,) = signs(run, *others)
    assert (sign.name, sign.level, sign.message) == (run.task_id, "trouble", words)
    assert mend in sign.fix


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
def test_what_is_said_elsewhere_or_no_trouble_is_not_said_here(run: Run) -> None:
    """Feeds speak for themselves; who stops the program did so on purpose; waiting and working are no trouble."""
    others = [ran(each.id, MONDAY) for each in TASKS if each.id != run.task_id]
    assert signs(run, *others) == []


def test_when_nothing_ever_ran_it_is_said_how_to_begin() -> None:
    """Who makes every edition by hand is well; who has set a time of sending, or proofs, waits for them in vain."""
    (by_hand,) = signs()
    (timed,) = run_health_results((*TASKS, task("send", "mon 12:00")), {}, MONDAY, UTC)
    assert [(each.level, "pipeline tick" in each.fix) for each in (by_hand, timed)] == [
        ("well", True),
        ("warning", True),
    ]
