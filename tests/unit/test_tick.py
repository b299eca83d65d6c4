"""The beat: what is due runs once, whoever asks and however often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.jobs.tick import Beat, Task, tick
from pipeline.model.errors import NothingToPublish, PipelineError
from pipeline.model.schedule import parse_schedule

WEDNESDAY = datetime(2026, 2, 11, 9, tzinfo=UTC)


class Rows:
    """The store's part: rows that are unique, and the last of each task."""

    def __init__(self) -> None:
        self.claimed: set[tuple[str, str]] = set()
        self.last: dict[str, str] = {}

    def claim(self, task_id: str, period: str) -> bool:
        if (task_id, period) in self.claimed:
            return False
        self.claimed.add((task_id, period))
        self.last[task_id] = period
        return True


class Work:
    """A task's work: remembers its periods, and fails where told to."""

    def __init__(self, trouble: Exception | None = None) -> None:
        self.periods: list[str] = []
        self.trouble = trouble

    def __call__(self, period: str, now: datetime) -> str:
        self.periods.append(period)
        if self.trouble:
            raise self.trouble
        return f"did {period} at {now:%H:%M}"


def task(name: str, words: str, work: Work) -> Task:
    return Task(id=name, schedule=parse_schedule(words), run=work)


def beat(tasks: list[Task], rows: Rows, now: datetime = WEDNESDAY) -> list[Beat]:
    return list(tick(tasks, rows.claim, dict(rows.last), now, UTC))


def test_what_is_due_runs_and_is_told_of_in_the_order_of_the_tasks() -> None:
    """On the very first tick everything that has a past period runs, with its newest."""
    tasks = [task("fetch", "every 30 minutes", Work()), task("draft", "mon 07:00", Work())]
    assert beat(tasks, Rows()) == [
        Beat(task_id="fetch", period="2026-02-11T09:00Z", line="did 2026-02-11T09:00Z at 09:00"),
        Beat(task_id="draft", period="2026-W07", line="did 2026-W07 at 09:00"),
    ]


def test_a_second_tick_in_the_same_period_does_nothing() -> None:
    """Ticks are cheap: a crontab line each minute runs a weekly task once a week."""
    work, rows = Work(), Rows()
    for minute in range(0, 60 * 24 * 14, 60):
        beat([task("draft", "mon 07:00", work)], rows, WEDNESDAY + timedelta(minutes=minute))
    assert work.periods == ["2026-W07", "2026-W08", "2026-W09"]


def test_downtime_is_caught_up_with_by_one_run() -> None:
    """A daemon that was away for a month drafts the newest week, not four."""
    work, rows = Work(), Rows()
    rows.claim("draft", "2026-W03")
    beat([task("draft", "mon 07:00", work)], rows)
    assert work.periods == ["2026-W07"]


def test_of_two_that_tick_at_once_one_does_the_work() -> None:
    """The claim decides, not what each believed to have run last."""
    work, rows = Work(), Rows()
    tasks = [task("draft", "mon 07:00", work)]
    both_saw = dict(rows.last)
    first = list(tick(tasks, rows.claim, both_saw, WEDNESDAY, UTC))
    second = list(tick(tasks, rows.claim, both_saw, WEDNESDAY, UTC))
    assert (len(first), len(second), work.periods) == (1, 0, ["2026-W07"])


def test_trouble_with_one_task_is_reported_and_the_next_one_runs() -> None:
    """A refusal is a value in the report, with its sentence and its class."""
    refusal = NothingToPublish("the week 2026-W07 holds no entries")
    tasks = [task("draft", "mon 07:00", Work(refusal)), task("fetch", "every hour", Work())]
    troubled, done = beat(tasks, Rows())
    assert (troubled.trouble, troubled.line) == (refusal, str(refusal))
    assert done.trouble is None


def test_a_bug_propagates() -> None:
    """What is no PipelineError is not swallowed."""
    with pytest.raises(ZeroDivisionError):
        beat([task("fetch", "every hour", Work(ZeroDivisionError()))], Rows())


def test_what_is_done_is_told_before_the_next_task_begins() -> None:
    """A log line appears when its work is done, not when the whole tick is."""
    later = Work(PipelineError("later"))
    beats = tick(
        [task("one", "every hour", Work()), task("two", "every hour", later)], Rows().claim, {}, WEDNESDAY, UTC
    )
    assert next(iter(beats)).task_id == "one"
    assert later.periods == []
