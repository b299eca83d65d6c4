"""The beat: what is due runs once, whoever asks and however often; what fails in passing is tried again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.model.errors import DeliveryFailedError, NothingToPublishError, PipelineError, StoreError
from pipeline.model.run import LEASE_TTL, Run
from pipeline.model.schedule import parse_schedule
from pipeline.scheduler.engine import Deferred, NextRun, Task, TaskResult, next_runs, run_due

WEDNESDAY = datetime(2026, 2, 11, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass
class Rows:
    """The store's part: a step is written on top of what was seen, and a period begun once."""

    by: str = "here"
    last: dict[str, Run] = field(default_factory=dict)
    begun: set[tuple[str, str]] = field(default_factory=set)

    def newest(self) -> dict[str, Run]:
        return dict(self.last)

    def take(self, seen: Run | None, run: Run, *, once: bool) -> bool:
        known = seen is not None and seen.period_key == run.period_key
        key = (run.task_id, run.period_key)
        if self.last.get(run.task_id) != seen or (once and key in self.begun and not known):
            return False
        self.begun.add(key)
        self.last[run.task_id] = run
        return True

    def end(self, run: Run) -> None:
        self.last[run.task_id] = run


class Work:
    """A task's work: remembers its periods, and comes to what it is told, the last thing for ever."""

    def __init__(self, *comes_to: str | Deferred | Exception) -> None:
        self.periods: list[str] = []
        self.moments: list[datetime] = []
        self.comes_to = list(comes_to)

    def __call__(self, period: str, now: datetime) -> str | Deferred:
        self.periods.append(period)
        self.moments.append(now)
        came = self.comes_to.pop(0) if len(self.comes_to) > 1 else (self.comes_to or [f"did {period}"])[0]
        if isinstance(came, Exception):
            raise came
        return came

    @property
    def minutes(self) -> list[float]:
        """When it was asked, in minutes after the first time."""
        return [(moment - self.moments[0]) / MINUTE for moment in self.moments]


def task(name: str, words: str, work: Work, wakes: Callable[[Run], bool] = lambda run: False) -> Task:
    return Task(id=name, schedule=parse_schedule(words), run=work, is_ready=wakes)


def beat(tasks: list[Task], rows: Rows, now: datetime = WEDNESDAY) -> list[TaskResult]:
    return list(run_due(tasks, rows, lambda: now, UTC))


def beats(tasks: list[Task], rows: Rows, hours: float, start: datetime = WEDNESDAY) -> list[TaskResult]:
    """Beat each minute for some hours."""
    return [each for minute in range(int(hours * 60)) for each in beat(tasks, rows, start + minute * MINUTE)]


def test_what_is_due_runs_and_is_told_of_in_the_order_of_the_tasks() -> None:
    """On the very first tick everything that has a past period runs, with its newest."""
    tasks = [task("fetch", "every 30 minutes", Work()), task("draft", "mon 07:00", Work())]
    assert beat(tasks, Rows()) == [
        TaskResult(task_id="fetch", period="2026-02-11T09:00Z", message="did 2026-02-11T09:00Z"),
        TaskResult(task_id="draft", period="2026-02-09", message="did 2026-02-09"),
    ]


def test_a_second_tick_in_the_same_period_does_nothing() -> None:
    """Ticks are cheap: a crontab line each minute runs a weekly task once a week."""
    work, rows = Work(), Rows()
    beats([task("draft", "mon 07:00", work)], rows, hours=24 * 14)
    assert work.periods == ["2026-02-09", "2026-02-16", "2026-02-23"]


def test_a_beat_with_nothing_to_do_looks_once() -> None:
    """However many tasks there are: most beats of a daemon are like that."""

    @dataclass
    class Counted(Rows):
        """Counts how often it is looked at."""

        looks: int = 0

        def newest(self) -> dict[str, Run]:
            self.looks += 1
            return super().newest()

    rows = Counted()
    tasks = [task(name, "mon 07:00", Work()) for name in "abc"]
    beat(tasks, rows)
    assert rows.looks == 3  # each piece of work takes time, in which others may have been at the next
    beat(tasks, rows)
    assert rows.looks == 4


def test_downtime_is_caught_up_with_by_one_run() -> None:
    """A daemon that was away for a month drafts the newest week, not four."""
    work, rows = Work(), Rows()
    draft = [task("draft", "mon 07:00", work)]
    beat(draft, rows, WEDNESDAY - timedelta(weeks=4))
    beat(draft, rows)
    assert work.periods == ["2026-01-12", "2026-02-09"]


def test_of_two_that_tick_at_once_one_does_the_work() -> None:
    """The claim decides, not what each believed to have run last."""
    work, rows = Work(), Rows()

    @dataclass
    class Stale(Rows):
        """Has looked before the other one took it on."""

        def newest(self) -> dict[str, Run]:
            return {}

    tasks = [task("draft", "mon 07:00", work)]
    assert len(beat(tasks, rows)) == 1
    assert len(beat(tasks, Stale(last=rows.last, begun=rows.begun))) == 0
    assert work.periods == ["2026-02-09"]


def test_a_task_that_is_underway_is_left_alone_though_its_next_period_has_begun() -> None:
    """No job runs twice at once: the slow one is waited for, and then the newest period runs."""
    rows, inner = Rows(), Work()
    fetch = task("fetch", "every 30 minutes", inner)

    class Slow(Work):
        def __call__(self, period: str, now: datetime) -> str | Deferred:
            assert beat([fetch], rows, now + MINUTE) == []
            assert beat([fetch], rows, now + LEASE_TTL - timedelta(seconds=1)) == []
            return super().__call__(period, now)

    late = WEDNESDAY + 29 * MINUTE
    beat([task("fetch", "every 30 minutes", Slow())], rows, late)
    beat([fetch], rows, late + MINUTE)
    assert inner.periods == ["2026-02-11T09:30Z"]


def test_a_period_whose_process_died_is_taken_over_after_its_lease() -> None:
    """Killed in the middle: nobody repeats it while it might be alive, somebody does soon after."""
    work, rows = Work(), Rows()
    draft = [task("draft", "mon 07:00", work)]
    with pytest.raises(SystemError):
        beat(draft, Dies(last=rows.last, begun=rows.begun))
    beats(draft, rows, hours=1)
    assert work.periods == ["2026-02-09"]
    assert work.moments == [WEDNESDAY + LEASE_TTL]
    assert rows.last["draft"].attempts == 2


def test_a_task_that_kills_its_process_is_tried_less_and_less_often() -> None:
    """Out of memory each time: the machine is not kept busy with dying."""
    rows = Dies()
    died: list[int] = []
    for minute in range(60):
        try:
            beat([task("draft", "mon 07:00", Work())], rows, WEDNESDAY + minute * MINUTE)
        except SystemError:
            died.append(minute)
    assert died == [0, 2, 5, 10, 19, 36]


class Dies(Rows):
    """Is killed as soon as it has taken something on."""

    def take(self, seen: Run | None, run: Run, *, once: bool) -> bool:
        super().take(seen, run, once=once)
        raise SystemError("killed")


def test_what_fails_in_passing_is_tried_again_after_growing_pauses() -> None:
    """A minute, two, four … an hour, and when it works that was the last time."""
    work = Work(*[StoreError("busy")] * 8, "made")
    told = beats([task("draft", "mon 07:00", work)], Rows(), hours=8)
    assert work.minutes == [0, 1, 3, 7, 15, 31, 63, 123, 183]
    assert [each.message for each in told] == ["busy"] * 8 + ["made"]
    assert [each.retry_at for each in told][:2] == [WEDNESDAY + MINUTE, WEDNESDAY + 3 * MINUTE]
    assert told[-1].retry_at is None


def test_trying_again_ends_with_the_next_period() -> None:
    """Then it is the successor's turn, and its pauses begin anew."""
    work = Work(DeliveryFailedError("the server is away", kind="unreachable"))
    beats([task("fetch", "every 10 minutes", work)], Rows(), hours=0.5)
    assert work.minutes == [0, 1, 3, 7, 10, 11, 13, 17, 20, 21, 23, 27]


def test_what_another_try_would_not_mend_is_told_once() -> None:
    """A refusal is final until the next period, and it is reported with its sentence and its class."""
    refusal = NothingToPublishError("the week 2026-W07 holds no entries")
    tasks = [task("draft", "mon 07:00", Work(refusal)), task("fetch", "daily 01:00", Work())]
    troubled, done = beats(tasks, Rows(), hours=12)
    assert (troubled.error, troubled.message, troubled.retry_at) == (refusal, str(refusal), None)
    assert done.error is None


def test_what_waits_says_so_once_and_is_asked_when_what_it_waits_for_comes() -> None:
    """An edition that nobody approved: one line, no trouble; it goes out at the beat after the approval."""
    approved: list[bool] = []
    until = WEDNESDAY + timedelta(hours=12)
    work = Work(Deferred(reason="not approved", until=until), Deferred(reason="not approved", until=until), "sent")
    send = [task("send", "wed 09:00", work, wakes=lambda run: bool(approved))]
    rows = Rows()
    assert [each.message for each in beat(send, rows)] == ["not approved"]
    assert beat(send, rows, WEDNESDAY + MINUTE) == []
    assert beat(send, rows, WEDNESDAY + 2 * MINUTE) == []
    approved.append(True)
    assert [each.message for each in beat(send, rows, WEDNESDAY + 2.2 * MINUTE)] == ["sent"]
    assert beat(send, rows, WEDNESDAY + timedelta(hours=13)) == []


def test_what_waits_is_looked_at_when_its_time_is_over() -> None:
    """At the very moment it says, whatever the pauses."""
    until = WEDNESDAY + timedelta(hours=2, minutes=7)
    work = Work(Deferred(reason="not approved", until=until))
    beats([task("send", "wed 09:00", work)], Rows(), hours=2.2)
    assert until in work.moments


def test_a_bug_propagates_and_is_tried_again_like_trouble() -> None:
    """What is no PipelineError is not swallowed; the next beat does the other tasks first."""
    work, other, rows = Work(ZeroDivisionError(), "done"), Work(), Rows()
    tasks = [task("fetch", "every hour", work), task("draft", "mon 07:00", other)]
    with pytest.raises(ZeroDivisionError):
        beat(tasks, rows)
    assert [each.task_id for each in beat(tasks, rows)] == ["draft"]
    assert [each.task_id for each in beat(tasks, rows, WEDNESDAY + MINUTE)] == ["fetch"]


def test_what_is_interrupted_is_free_for_whoever_comes_next() -> None:
    """A daemon that is told to stop in the middle of a fetch leaves it to the next start, at once."""
    rows, work = Rows(), Work()

    def stopped(period: str, now: datetime) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        beat([Task(id="draft", schedule=parse_schedule("mon 07:00"), run=stopped)], rows)
    assert rows.last["draft"].status == "interrupted"
    beat([task("draft", "mon 07:00", work)], rows)
    assert work.periods == ["2026-02-09"]


def test_what_is_done_is_told_before_the_next_task_begins() -> None:
    """A log line appears when its work is done, not when the whole tick is."""
    later = Work(PipelineError("later"))
    told = run_due(
        [task("one", "every hour", Work()), task("two", "every hour", later)], Rows(), lambda: WEDNESDAY, UTC
    )
    assert next(iter(told)).task_id == "one"
    assert later.periods == []


def test_a_clock_that_was_ahead_and_is_set_back_does_not_silence_the_feeds() -> None:
    """Half hours that come again are read again at once; a week that was drafted is not drafted again."""
    feeds, week, rows = Work(), Work(), Rows()
    tasks = [task("fetch", "every 30 minutes", feeds), task("draft", "mon 07:00", week)]
    beats(tasks, rows, hours=24)
    beats(tasks, rows, hours=2, start=WEDNESDAY)
    assert feeds.periods[-4:] == [f"2026-02-11T{time}Z" for time in ("09:00", "09:30", "10:00", "10:30")]
    assert week.periods == ["2026-02-09"]


def test_clocks_that_differ_by_minutes_read_no_slot_twice() -> None:
    """One machine is three minutes ahead of the other, on one store."""
    work, rows = Work(), Rows()
    fetch = [task("fetch", "every 30 minutes", work)]
    for minute in range(120):
        for ahead in (0, 3):
            beat(fetch, rows, WEDNESDAY + (minute + ahead) * MINUTE)
    assert work.periods == [f"2026-02-11T{time}Z" for time in ("09:00", "09:30", "10:00", "10:30", "11:00")]


def test_what_comes_next_is_known() -> None:
    """For each task the moment of its next period, of its next try, or now."""
    rows = Rows()
    tasks = [task("fetch", "every 30 minutes", Work()), task("draft", "mon 07:00", Work(StoreError("busy")))]
    assert [each.at for each in next_runs(tasks, rows.newest(), WEDNESDAY, UTC)] == [WEDNESDAY, WEDNESDAY]
    beat(tasks, rows)
    assert next_runs(tasks, rows.newest(), WEDNESDAY, UTC) == (
        NextRun(task_id="fetch", at=WEDNESDAY + 30 * MINUTE),
        NextRun(task_id="draft", at=WEDNESDAY + MINUTE),
    )
