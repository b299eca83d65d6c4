"""The scheduler runs every due task once per period, however often it ticks, and retries temporary errors."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Event
from zoneinfo import ZoneInfo

import pytest

from pipeline.model.errors import DeliveryFailedError, NothingToPublishError, PipelineError, StoreError
from pipeline.model.run import LEASE_TTL, MAX_PLAUSIBLE_DELAY, Run, claim, is_claimable, renew
from pipeline.model.schedule import parse_schedule
from pipeline.scheduler.engine import Deferred, Done, NextRun, Task, TaskResult, next_runs, run_due
from pipeline.scheduler.lease import RunLeases

WEDNESDAY = datetime(2026, 2, 11, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass
class MemoryRuns:
    """Runs kept in memory, with the compare-and-set of the store."""

    last: dict[str, Run] = field(default_factory=dict)
    begun: set[tuple[str, str]] = field(default_factory=set)

    def newest(self) -> dict[str, Run]:
        return dict(self.last)

    def advance(self, expected: Run | None, run: Run, *, never_repeats: bool = True) -> bool:
        known = expected is not None and expected.period_key == run.period_key
        key = (run.task_id, run.period_key)
        if self.last.get(run.task_id) != expected or (never_repeats and key in self.begun and not known):
            return False
        self.begun.add(key)
        self.last[run.task_id] = run
        return True


class Work:
    """The work of a task: records its periods and returns or raises the outcomes given, the last one for ever."""

    def __init__(self, *outcomes: str | Done | Deferred | Exception) -> None:
        self.periods: list[str] = []
        self.times: list[datetime] = []
        self.outcomes = list(outcomes)

    def __call__(self, period: str, now: datetime) -> str | Done | Deferred:
        self.periods.append(period)
        self.times.append(now)
        outcomes = self.outcomes or [f"did {period}"]
        outcome = outcomes.pop(0) if len(outcomes) > 1 else outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    @property
    def minutes(self) -> list[float]:
        """When the work was done, in minutes after the first time."""
        return [(at - self.times[0]) / MINUTE for at in self.times]


def task(name: str, schedule: str, work: Work, is_ready: Callable[[Run], bool] = lambda run: False) -> Task:
    return Task(id=name, schedule=parse_schedule(schedule), run=work, is_ready=is_ready)


def tick(tasks: list[Task], runs: MemoryRuns, now: datetime = WEDNESDAY) -> list[TaskResult]:
    return list(run_due(tasks, RunLeases(runs, "here", lambda: now), lambda: now, UTC))


def tick_for(tasks: list[Task], runs: MemoryRuns, hours: float, start: datetime = WEDNESDAY) -> list[TaskResult]:
    """Tick each minute for some hours."""
    return [result for minute in range(int(hours * 60)) for result in tick(tasks, runs, start + minute * MINUTE)]


def test_due_tasks_run_in_order() -> None:
    """The first tick runs the newest past period of every task."""
    tasks = [task("fetch", "every 30 minutes", Work()), task("draft", "mon 07:00", Work())]
    assert tick(tasks, MemoryRuns()) == [
        TaskResult(task_id="fetch", period="2026-02-11T09:00Z", message="did 2026-02-11T09:00Z"),
        TaskResult(task_id="draft", period="2026-02-09", message="did 2026-02-09"),
    ]


def test_a_second_tick_in_the_same_period_does_nothing() -> None:
    """A crontab line that ticks each minute runs a weekly task once a week."""
    work, runs = Work(), MemoryRuns()
    tick_for([task("draft", "mon 07:00", work)], runs, hours=24 * 14)
    assert work.periods == ["2026-02-09", "2026-02-16", "2026-02-23"]


def test_a_tick_with_nothing_due_reads_the_runs_once() -> None:
    """Most ticks of a daemon have nothing to do, so they cost one query however many tasks there are."""

    @dataclass
    class CountingRuns(MemoryRuns):
        """Counts how often the runs are read."""

        reads: int = 0

        def newest(self) -> dict[str, Run]:
            self.reads += 1
            return super().newest()

    runs = CountingRuns()
    tasks = [task(name, "mon 07:00", Work()) for name in "abc"]
    tick(tasks, runs)
    assert runs.reads == 3  # another process may run the next task while one works
    tick(tasks, runs)
    assert runs.reads == 4


def test_one_run_makes_up_for_downtime() -> None:
    """A daemon that was stopped for a month drafts the newest week, not four."""
    work, runs = Work(), MemoryRuns()
    draft = [task("draft", "mon 07:00", work)]
    tick(draft, runs, WEDNESDAY - timedelta(weeks=4))
    tick(draft, runs)
    assert work.periods == ["2026-01-12", "2026-02-09"]


def test_of_two_simultaneous_ticks_one_does_the_work() -> None:
    """The claim decides, not the run that each process read last."""
    work, runs = Work(), MemoryRuns()

    @dataclass
    class StaleRuns(MemoryRuns):
        """Was read before the other process claimed the run."""

        def newest(self) -> dict[str, Run]:
            return {}

    tasks = [task("draft", "mon 07:00", work)]
    assert len(tick(tasks, runs)) == 1
    assert len(tick(tasks, StaleRuns(last=runs.last, begun=runs.begun))) == 0
    assert work.periods == ["2026-02-09"]


def test_a_running_task_is_not_started_again_when_its_next_period_begins() -> None:
    """No task runs twice at once: after the slow run ends, the newest period runs."""
    runs, inner = MemoryRuns(), Work()
    fetch = task("fetch", "every 30 minutes", inner)

    class SlowWork(Work):
        def __call__(self, period: str, now: datetime) -> str | Deferred:
            assert tick([fetch], runs, now + MINUTE) == []
            assert tick([fetch], runs, now + LEASE_TTL - timedelta(seconds=1)) == []
            return super().__call__(period, now)

    late = WEDNESDAY + 29 * MINUTE
    tick([task("fetch", "every 30 minutes", SlowWork())], runs, late)
    tick([fetch], runs, late + MINUTE)
    assert inner.periods == ["2026-02-11T09:30Z"]


def test_a_lease_is_renewed_until_its_run_ends() -> None:
    """Again and again, each time on top of the last renewal, also after a store that was busy for a moment."""
    renewed = Event()

    class BusyRuns(MemoryRuns):
        renewals = 0

        def advance(self, expected: Run | None, run: Run, *, never_repeats: bool = True) -> bool:
            self.renewals += run.status == "running"
            if self.renewals == 3:
                raise StoreError("busy")
            if self.renewals == 6:
                renewed.set()
            return super().advance(expected, run, never_repeats=never_repeats)

    def work(period: str, now: datetime) -> str:
        assert renewed.wait(20), "the lease was not renewed"
        return "done"

    times = count()
    now = lambda: WEDNESDAY + next(times) * timedelta(seconds=1)  # noqa: E731
    leases = RunLeases(runs := BusyRuns(), "here", now, renewal_seconds=0.005)
    fetch = Task(id="fetch", schedule=parse_schedule("every 10 minutes"), run=work)
    (result,) = run_due([fetch], leases, lambda: WEDNESDAY, UTC)
    assert (result.message, runs.last["fetch"].status) == ("done", "succeeded")


def test_a_run_that_another_process_took_over_is_left_to_it() -> None:
    """Its end is not written over the other's claim."""
    leases = RunLeases(runs := MemoryRuns(), "here", lambda: WEDNESDAY)

    def work(period: str, now: datetime) -> str:
        runs.last["fetch"] = replace(runs.last["fetch"], claimed_by="elsewhere")
        return "done"

    list(
        run_due(
            [Task(id="fetch", schedule=parse_schedule("every 10 minutes"), run=work)], leases, lambda: WEDNESDAY, UTC
        )
    )
    assert (runs.last["fetch"].claimed_by, runs.last["fetch"].status) == ("elsewhere", "running")


def test_the_run_of_a_dead_process_is_claimed_after_its_lease() -> None:
    """Nobody repeats a run while its process may be alive; another process does soon after."""
    work, runs = Work(), MemoryRuns()
    draft = [task("draft", "mon 07:00", work)]
    with pytest.raises(SystemError):
        tick(draft, KilledRuns(last=runs.last, begun=runs.begun))
    tick_for(draft, runs, hours=1)
    assert work.periods == ["2026-02-09"]
    assert work.times == [WEDNESDAY + LEASE_TTL]
    assert runs.last["draft"].attempts == 2


def test_a_task_that_kills_its_process_is_retried_with_growing_delays() -> None:
    """A task that runs out of memory each time does not keep the machine busy."""
    runs = KilledRuns()
    died: list[int] = []
    for minute in range(60):
        try:
            tick([task("draft", "mon 07:00", Work())], runs, WEDNESDAY + minute * MINUTE)
        except SystemError:
            died.append(minute)
    assert died == [0, 2, 5, 10, 19, 36]


class KilledRuns(MemoryRuns):
    """The process is killed right after it has claimed a run."""

    def advance(self, expected: Run | None, run: Run, *, never_repeats: bool = True) -> bool:
        super().advance(expected, run, never_repeats=never_repeats)
        raise SystemError("killed")


def test_a_temporary_error_is_retried_with_growing_delays() -> None:
    """After one minute, two, four and so on up to an hour, until it succeeds."""
    work = Work(*[StoreError("busy")] * 8, "made")
    results = tick_for([task("draft", "mon 07:00", work)], MemoryRuns(), hours=8)
    assert work.minutes == [0, 1, 3, 7, 15, 31, 63, 123, 183]
    assert [result.message for result in results] == ["busy"] * 8 + ["made"]
    assert [result.retry_at for result in results][:2] == [WEDNESDAY + MINUTE, WEDNESDAY + 3 * MINUTE]
    assert results[-1].retry_at is None


def test_retries_end_with_the_next_period() -> None:
    """The delays begin anew with the next period."""
    work = Work(DeliveryFailedError("the server is away", kind="unreachable"))
    tick_for([task("fetch", "every 10 minutes", work)], MemoryRuns(), hours=0.5)
    assert work.minutes == [0, 1, 3, 7, 10, 11, 13, 17, 20, 21, 23, 27]


def test_a_permanent_error_is_reported_once() -> None:
    """An error that a retry would not fix is final until the next period; the result holds it and its message."""
    refusal = NothingToPublishError("the week 2026-W07 holds no entries")
    tasks = [task("draft", "mon 07:00", Work(refusal)), task("fetch", "daily 01:00", Work())]
    failed, done = tick_for(tasks, MemoryRuns(), hours=12)
    assert (failed.error, failed.message, failed.retry_at, failed.status) == (refusal, str(refusal), None, "failed")
    assert done.error is None


def test_a_result_tells_the_week_the_status_and_the_duration() -> None:
    """``Done`` and ``Deferred`` name the week; a failed task has none. The task is called with its period."""
    until = WEDNESDAY + timedelta(hours=1)
    ends = [Done(message="sent", week="2026-W07"), Deferred(reason="held", until=until, week="2026-W07")]
    for end, status in zip([*ends, StoreError("busy")], ["succeeded", "deferred", "retrying"], strict=True):
        ticks = count()
        clock = lambda ticks=ticks: WEDNESDAY + next(ticks) * MINUTE  # noqa: E731
        leases = RunLeases(MemoryRuns(), "here", clock)
        (result,) = run_due([task("send", "wed 09:00", work := Work(end))], leases, clock, UTC)
        assert (result.task_id, result.period, result.status) == ("send", "2026-02-11", status)
        assert result.week == ("" if status == "retrying" else "2026-W07")
        assert result.duration_seconds > 0
        assert work.periods == ["2026-02-11"]


def test_a_deferred_task_is_reported_again_when_its_reason_changes() -> None:
    """Not approved yet, then held: two results."""
    until = WEDNESDAY + timedelta(hours=12)
    work = Work(Deferred(reason="not approved", until=until), Deferred(reason="held", until=until))
    results = tick_for([task("send", "wed 09:00", work)], MemoryRuns(), hours=1)
    assert [result.message for result in results] == ["not approved", "held"]


def test_a_deferred_task_waits_no_longer_than_its_deadline() -> None:
    """Nor does it come back in the past, if the deadline has gone by."""
    runs = MemoryRuns()
    (result,) = tick([task("send", "wed 09:00", Work(Deferred(reason="held", until=WEDNESDAY - MINUTE)))], runs)
    assert result.retry_at == WEDNESDAY
    (result,) = tick([task("proof", "wed 09:00", Work(Deferred(reason="x", until=WEDNESDAY + MINUTE / 2)))], runs)
    assert result.retry_at == WEDNESDAY + MINUTE / 2


def test_a_deferred_task_is_reported_once_and_runs_when_it_is_ready() -> None:
    """An edition that waits for approval: one result without an error; it is sent at the tick after the approval."""
    approved: list[bool] = []
    until = WEDNESDAY + timedelta(hours=12)
    work = Work(Deferred(reason="not approved", until=until), Deferred(reason="not approved", until=until), "sent")
    send = [task("send", "wed 09:00", work, is_ready=lambda run: bool(approved))]
    runs = MemoryRuns()
    assert [result.message for result in tick(send, runs)] == ["not approved"]
    assert tick(send, runs, WEDNESDAY + MINUTE) == []
    assert tick(send, runs, WEDNESDAY + 2 * MINUTE) == []
    approved.append(True)
    assert [result.message for result in tick(send, runs, WEDNESDAY + 2.2 * MINUTE)] == ["sent"]
    assert tick(send, runs, WEDNESDAY + timedelta(hours=13)) == []


def test_a_deferred_task_is_tried_again_when_its_deadline_comes() -> None:
    """It runs at the time it named, whatever the retry delays."""
    until = WEDNESDAY + timedelta(hours=2, minutes=7)
    work = Work(Deferred(reason="not approved", until=until))
    tick_for([task("send", "wed 09:00", work)], MemoryRuns(), hours=2.2)
    assert until in work.times


def test_a_bug_propagates_and_is_retried_like_a_temporary_error() -> None:
    """An exception that is no PipelineError is not swallowed; the next tick runs the other tasks first."""
    work, other, runs = Work(ZeroDivisionError(), "done"), Work(), MemoryRuns()
    tasks = [task("fetch", "every hour", work), task("draft", "mon 07:00", other)]
    with pytest.raises(ZeroDivisionError):
        tick(tasks, runs)
    assert [result.task_id for result in tick(tasks, runs)] == ["draft"]
    assert [result.task_id for result in tick(tasks, runs, WEDNESDAY + MINUTE)] == ["fetch"]


def test_an_interrupted_run_is_claimable_at_once() -> None:
    """A daemon that is stopped in the middle of a fetch leaves the run to the next start."""
    runs, work = MemoryRuns(), Work()

    def stopped(period: str, now: datetime) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tick([Task(id="draft", schedule=parse_schedule("mon 07:00"), run=stopped)], runs)
    run = runs.last["draft"]
    assert (run.status, run.message) == ("interrupted", "KeyboardInterrupt")
    assert run.finished_at == run.retry_at == WEDNESDAY
    tick([task("draft", "mon 07:00", work)], runs)
    assert work.periods == ["2026-02-09"]


def test_a_result_is_yielded_before_the_next_task_begins() -> None:
    """The log line of a task appears when its work is done, not when the whole tick is."""
    later = Work(PipelineError("later"))
    results = run_due(
        [task("one", "every hour", Work()), task("two", "every hour", later)],
        RunLeases(MemoryRuns(), "here", lambda: WEDNESDAY),
        lambda: WEDNESDAY,
        UTC,
    )
    assert next(results).task_id == "one"
    assert later.periods == []


def test_a_clock_that_is_set_back_does_not_stop_the_fetches() -> None:
    """Half hours that come again are fetched again; a week that was drafted is not drafted again."""
    feeds, week, runs = Work(), Work(), MemoryRuns()
    tasks = [task("fetch", "every 30 minutes", feeds), task("draft", "mon 07:00", week)]
    tick_for(tasks, runs, hours=24)
    tick_for(tasks, runs, hours=2, start=WEDNESDAY)
    assert feeds.periods[-4:] == [f"2026-02-11T{time}Z" for time in ("09:00", "09:30", "10:00", "10:30")]
    assert week.periods == ["2026-02-09"]


def test_machines_whose_clocks_differ_run_no_period_twice() -> None:
    """Two machines share a store, and the clock of one is three minutes ahead."""
    work, runs = Work(), MemoryRuns()
    fetch = [task("fetch", "every 30 minutes", work)]
    for minute in range(120):
        for ahead in (0, 3):
            tick(fetch, runs, WEDNESDAY + (minute + ahead) * MINUTE)
    assert work.periods == [f"2026-02-11T{time}Z" for time in ("09:00", "09:30", "10:00", "10:30", "11:00")]


@pytest.mark.parametrize(("ahead", "runs_again"), [(10, True), (9.9, False)])
def test_clocks_differ_by_less_than_ten_minutes(ahead: float, runs_again: bool) -> None:
    """A period that was claimed further in the future comes from a clock that was wrong."""
    work, runs = Work(), MemoryRuns()
    fetch = [task("fetch", "every 5 minutes", work)]
    tick(fetch, runs, WEDNESDAY + ahead * MINUTE)
    tick(fetch, runs, WEDNESDAY)
    assert (len(work.periods) == 2) is runs_again


def test_a_claim_that_lies_far_ahead_is_ignored() -> None:
    """Two hours is the most that a clock may be wrong before a retry; a renewed lease lasts as long as a new one."""
    run = claim("draft", "2026-02-09", None, claimed_by="a", now=WEDNESDAY)
    failed = replace(run, status="retrying", retry_at=WEDNESDAY + MAX_PLAUSIBLE_DELAY)
    assert is_claimable(failed, WEDNESDAY)
    assert not is_claimable(failed, WEDNESDAY + timedelta(seconds=1))
    assert renew(run, WEDNESDAY + MINUTE) == replace(run, retry_at=WEDNESDAY + MINUTE + LEASE_TTL)


def test_a_task_is_asked_and_supervised_by_itself() -> None:
    """``is_ready`` gets its run, ``supervise`` the task, and both are called in the zone of the publication."""
    asked: list[Run] = []
    supervised: list[str] = []
    held = Work(Deferred(reason="held", until=WEDNESDAY + timedelta(hours=9)))
    send = task("send", "wed 10:00", held, is_ready=lambda run: bool(asked.append(run)))
    runs, berlin = MemoryRuns(), ZoneInfo("Europe/Berlin")

    def supervise(one: Task) -> AbstractContextManager[object]:
        supervised.append(one.id)
        return nullcontext()

    for minute in range(2):
        now = WEDNESDAY + minute * timedelta(seconds=10)
        list(run_due([send], RunLeases(runs, "here", lambda now=now: now), lambda now=now: now, berlin, supervise))
    assert supervised == ["send"]
    assert [run.task_id for run in asked] == ["send"]
    assert next_runs([send], {}, WEDNESDAY - MINUTE, berlin) == (NextRun(task_id="send", at=WEDNESDAY - MINUTE),)
    done = {"send": replace(runs.last["send"], status="succeeded", retry_at=None)}
    week_later = WEDNESDAY + timedelta(weeks=1)
    assert next_runs([send], done, WEDNESDAY + MINUTE, berlin) == (NextRun(task_id="send", at=week_later),)


def test_next_runs_are_known() -> None:
    """For each task, the time of its next period or its next retry, or now."""
    runs = MemoryRuns()
    tasks = [task("fetch", "every 30 minutes", Work()), task("draft", "mon 07:00", Work(StoreError("busy")))]
    assert [run.at for run in next_runs(tasks, runs.newest(), WEDNESDAY, UTC)] == [WEDNESDAY, WEDNESDAY]
    tick(tasks, runs)
    assert next_runs(tasks, runs.newest(), WEDNESDAY, UTC) == (
        NextRun(task_id="fetch", at=WEDNESDAY + 30 * MINUTE),
        NextRun(task_id="draft", at=WEDNESDAY + MINUTE),
    )
