"""The time limit of a task: it ends whatever the task waits for, and the tasks after it run."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event, Lock, Thread

import pytest

from pipeline.model.errors import DeliveryInterrupted, PipelineError, TaskTimeoutError
from pipeline.model.run import LEASE_TTL, Run, finish
from pipeline.model.schedule import Every
from pipeline.scheduler.engine import Task, run_due
from pipeline.scheduler.lease import RunLeases
from pipeline.scheduler.time_limit import time_limit
from tests.unit.test_scheduler import MemoryRuns

NOW = datetime(2026, 2, 11, 9, tzinfo=UTC)
GIVE_UP_SECONDS = 60.0


def use_up_the_time() -> None:
    """Let the time limit expire almost at once: only when all that waits has been set up."""
    signal.setitimer(signal.ITIMER_REAL, 0.01)


def wait_for_an_event() -> None:
    use_up_the_time()
    Event().wait(GIVE_UP_SECONDS)


def wait_for_a_lock() -> None:
    lock = Lock()
    lock.acquire()
    use_up_the_time()
    lock.acquire(timeout=GIVE_UP_SECONDS)


def wait_for_a_peer() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(GIVE_UP_SECONDS)
        use_up_the_time()
        ours.recv(1)


def wait_for_a_loop() -> None:
    async def wait() -> None:
        use_up_the_time()
        await asyncio.sleep(GIVE_UP_SECONDS)

    asyncio.run(wait())


def backtrack() -> None:
    use_up_the_time()
    re.match(r"(?:a|aa)+$", "a" * 60 + "b")


def handle_every_error() -> None:
    """Swallow what a careless handler of errors would."""
    ends_at = time.monotonic() + GIVE_UP_SECONDS
    use_up_the_time()
    while time.monotonic() < ends_at:
        try:
            time.sleep(0.001)
        except Exception:
            continue


def be_interrupted_while_sending() -> None:
    try:
        use_up_the_time()
        time.sleep(GIVE_UP_SECONDS)
    except KeyboardInterrupt as error:
        raise DeliveryInterrupted from error


WAITS = [
    wait_for_an_event,
    wait_for_a_lock,
    wait_for_a_peer,
    wait_for_a_loop,
    backtrack,
    handle_every_error,
    be_interrupted_while_sending,
]


@pytest.mark.parametrize("wait", WAITS, ids=lambda wait: wait.__name__)
def test_a_task_that_hangs_is_ended_and_the_next_one_runs(wait: Callable[[], object]) -> None:
    """It is tried again later, like a task with a temporary error."""
    runs, done = MemoryRuns(), []

    def hang(period: str, now: datetime) -> str:
        wait()
        return "waited"

    def work(period: str, now: datetime) -> str:
        done.append(period)
        return "worked"

    schedule = Every(timedelta(minutes=30))
    tasks = [
        Task(id="hangs", schedule=schedule, run=hang, max_seconds=90),
        Task(id="next", schedule=schedule, run=work),
    ]
    leases = RunLeases(runs, "here", lambda: NOW)
    results = list(run_due(tasks, leases, lambda: NOW, UTC, lambda task: time_limit(task.id, task.max_seconds)))
    assert [(result.task_id, result.status) for result in results] == [("hangs", "retrying"), ("next", "succeeded")]
    assert isinstance(results[0].error, TaskTimeoutError)
    assert results[0].message.startswith("hangs was ended because it took more than 90 seconds")
    assert results[0].retry_at == NOW + timedelta(minutes=1)
    assert len(done) == 1


def test_a_block_that_ends_in_time_is_not_interrupted_later() -> None:
    """The timer and the handler are as they were."""
    handler = signal.getsignal(signal.SIGALRM)
    with time_limit("quick", 60):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    with pytest.raises(PipelineError, match="broken"), time_limit("broken", 60):
        raise PipelineError("broken")
    assert (signal.getitimer(signal.ITIMER_REAL), signal.getsignal(signal.SIGALRM)) == ((0.0, 0.0), handler)


def test_an_interruption_by_a_person_stays_one() -> None:
    """Ctrl+C is not reported as a timeout."""
    with pytest.raises(KeyboardInterrupt), time_limit("fetch", 60):
        raise KeyboardInterrupt


def test_other_threads_have_no_limit() -> None:
    """Python runs signal handlers in the main thread only; the block runs without one."""
    done = []

    def work() -> None:
        with time_limit("elsewhere", 0.001):
            time.sleep(0.01)
            done.append("worked")

    thread = Thread(target=work)
    thread.start()
    thread.join()
    assert done == ["worked"]


def test_a_claim_is_not_renewed_for_ever() -> None:
    """After the task's time the claim expires although its process lives, so that another may take over."""
    times = iter([NOW + timedelta(seconds=100), NOW + timedelta(seconds=200), NOW + timedelta(seconds=301)])
    runs, renewals, ended = MemoryRuns(), [], Event()

    class RecordingRuns(MemoryRuns):
        """Records how long each claim lasts."""

        def advance(self, expected: Run | None, run: Run, *, never_repeats: bool = True) -> bool:
            renewals.append(run.retry_at)
            return super().advance(expected, run, never_repeats=never_repeats)

    runs = RecordingRuns()

    def clock() -> datetime:
        try:
            return next(times)
        finally:
            if len(renewals) == 3:
                ended.set()

    leases = RunLeases(runs, "here", clock, renewal_seconds=0.001)
    claimed = Run(task_id="fetch", period_key="p", claimed_at=NOW, retry_at=NOW + LEASE_TTL)
    assert leases.claim(None, claimed, 300.0, never_repeats=True)
    assert ended.wait(GIVE_UP_SECONDS)
    leases.finish(finish(claimed, "succeeded", "", NOW))  # waits for the thread
    assert renewals == [NOW + LEASE_TTL, *(NOW + timedelta(seconds=s) + LEASE_TTL for s in (100, 200)), None]
