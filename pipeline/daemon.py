"""The daemon: a tick every few seconds until SIGTERM, SIGINT or Ctrl+C.

Nothing is decided here. What is due follows from the stored runs, so an extra or late tick does no harm.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from threading import Event, Thread, Timer
from types import FrameType

from apscheduler.events import EVENT_SCHEDULER_STARTED
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.base import BaseTrigger

from pipeline.jobs.run_log import log_result
from pipeline.model.errors import PipelineError
from pipeline.scheduler.engine import TaskResult

TICK_INTERVAL_SECONDS = 15.0
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
SHUTDOWN_TIMEOUT_SECONDS = 8.0
"""After this the process is ended even if a task cannot be interrupted, for example while a name server hangs."""

log = logging.getLogger(__name__)


def run(
    tick: Callable[[datetime], Iterable[TaskResult]],
    *,
    after_tick: Callable[[], None] = lambda: None,
    on_sighup: Callable[[], None] = lambda: None,
    stuck_task: Callable[[], str] = lambda: "",
    tick_seconds: float = TICK_INTERVAL_SECONDS,
    shutdown_timeout_seconds: float = SHUTDOWN_TIMEOUT_SECONDS,
) -> None:
    """Call ``tick`` now and every ``tick_seconds``, never twice at once, until a signal stops the daemon.

    SIGTERM and SIGINT raise KeyboardInterrupt in a running tick, as Ctrl+C does; ``shutdown_timeout_seconds`` later the
    process ends in any case. ``after_tick`` is never interrupted. SIGHUP calls ``on_sighup`` and ticks at once. A
    PipelineError is logged as one line, a bug with its traceback; neither ends the daemon. Once ``stuck_task`` names a
    task, which then can neither end nor be interrupted, the process starts its command again, since all other tasks
    wait for that one. Call it from the main thread only.
    """
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    handlers = {number: signal.getsignal(number) for number in (*STOP_SIGNALS, signal.SIGHUP)}
    try:
        _Daemon(
            tick, after_tick, on_sighup, stuck_task, timedelta(seconds=tick_seconds), shutdown_timeout_seconds
        ).scheduler.start()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    log.info("stopped")


def wait_for_stop() -> None:
    """Wait until SIGTERM or SIGINT arrives; SIGHUP is ignored. Call it from the main thread only."""
    stopped = Event()
    handlers = {number: signal.signal(number, lambda number, frame: stopped.set()) for number in STOP_SIGNALS}
    handlers[signal.SIGHUP] = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        while not stopped.wait(3600):
            pass
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


class TickTrigger(BaseTrigger):  # type: ignore[misc]
    """A trigger that fires one interval from now: ticks missed while the machine slept are not made up for."""

    def __init__(self, interval: timedelta) -> None:
        self.interval = interval

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Return when to fire next; at once the first time."""
        return now if previous_fire_time is None else now + self.interval


class _Daemon:
    """A scheduler with one job, the tick, that reacts to signals."""

    def __init__(
        self,
        tick: Callable[[datetime], Iterable[TaskResult]],
        after_tick: Callable[[], None],
        on_sighup: Callable[[], None],
        stuck_task: Callable[[], str],
        interval: timedelta,
        shutdown_timeout_seconds: float,
    ) -> None:
        self._tick = tick
        self._after_tick = after_tick
        self._on_sighup = on_sighup
        self._stuck_task = stuck_task
        self._interval = interval
        self._shutdown_timeout_seconds = shutdown_timeout_seconds
        self._ticking = self._stopping = False
        self._stopped = Event()
        # APScheduler's "debug" executor works in the scheduler's own thread, where a signal can interrupt the work.
        self.scheduler = BlockingScheduler(timezone=UTC, executors={"default": {"type": "debug"}})
        self.scheduler.add_listener(self._on_started, EVENT_SCHEDULER_STARTED)
        self._job = self.scheduler.add_job(self._run_tick, TickTrigger(interval), misfire_grace_time=None)

    def _run_tick(self) -> None:
        self._ticking = True
        try:
            for result in self._tick(datetime.now(UTC)):
                log_result(result)
            self._ticking = False
            self._after_tick()
        except PipelineError as error:
            log.warning("%s", error)
        except KeyboardInterrupt:
            log.info("interrupted in the middle of a task")
        finally:
            self._ticking = False

    def _follow_clock(self) -> None:
        """Tick soon after the wall clock was set back; the next tick would be as late as the clock was ahead.

        Also begin anew if a task is stuck.
        """
        while not self._stopped.wait(self._interval.total_seconds()):
            if task_id := self._stuck_task():
                _restart_process(task_id)
            if self._job.next_run_time - datetime.now(UTC) > 2 * self._interval:
                self._run_now()

    def _run_now(self) -> None:
        self._job.modify(next_run_time=datetime.now(UTC))

    def _on_started(self, event: object) -> None:
        # A signal that the kernel delivered to the clock's thread would not interrupt a system call of this one.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, (*STOP_SIGNALS, signal.SIGHUP))
        Thread(target=self._follow_clock, name="clock", daemon=True).start()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        # Only now is there something to stop: until here a signal ends the process as usual.
        for number in STOP_SIGNALS:
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._hang_up)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if self._stopping:
            return
        self._stopping = True
        timer = Timer(self._shutdown_timeout_seconds, _end_process)
        timer.daemon = True
        timer.start()
        # In another thread: the interrupted code may hold the locks that shutting down needs, and so may a handler that
        # a second signal interrupts.
        Thread(target=self._shut_down).start()
        if self._ticking:
            raise KeyboardInterrupt

    def _shut_down(self) -> None:
        self._stopped.set()
        self.scheduler.shutdown(wait=False)

    def _hang_up(self, number: int, frame: FrameType | None) -> None:
        self._on_sighup()
        if not self._stopping:
            Thread(target=self._run_now, daemon=True).start()


def _restart_process(task_id: str) -> None:
    """Replace this process by a new one with the same command; its files and connections are closed."""
    log.error("the task %s hangs and cannot be interrupted; the daemon starts again", task_id)
    # What a new program inherits: this thread's mask, and a timer whose signal would end it.
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (*STOP_SIGNALS, signal.SIGHUP))
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - our own command line


def _end_process() -> None:
    log.warning("a task could not be interrupted; the process ends")
    os._exit(0)
