"""The daemon: a beat every few seconds until SIGTERM or Ctrl+C. The only door to APScheduler.

In: a beat, to which the instant is given. Out: a log line for each thing done. The clock is read here, and nothing is
decided here: what is due is known to the store (jobs/tick.py), so a beat too many or too late does no harm.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from threading import Thread, Timer
from types import FrameType

from apscheduler.events import EVENT_SCHEDULER_STARTED
from apscheduler.schedulers.blocking import BlockingScheduler

from pipeline.jobs.run_log import log_result
from pipeline.model.errors import PipelineError
from pipeline.scheduler.engine import TaskResult

TICK_INTERVAL_SECONDS = 15.0
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
SHUTDOWN_TIMEOUT_SECONDS = 8.0
"""A process that has not ended by itself so long after it was told to is ended: it hangs in a name server, say."""

log = logging.getLogger(__name__)


def run(
    tick: Callable[[datetime], Iterable[TaskResult]],
    *,
    on_sighup: Callable[[], None] = lambda: None,
    tick_seconds: float = TICK_INTERVAL_SECONDS,
    shutdown_timeout_seconds: float = SHUTDOWN_TIMEOUT_SECONDS,
) -> None:
    """Call ``beat`` now and every ``interval_seconds``, one at a time, until told to stop; then return within seconds.

    SIGTERM and SIGINT interrupt a beat wherever it stands with KeyboardInterrupt, as Ctrl+C does; the process ends
    ``long_poll_seconds`` later, come what may. SIGHUP calls ``on_hangup`` and beats at once. PipelineErrors are logged
    in a line, bugs with their traceback; neither ends the daemon. Only for the main thread.
    """
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    before = {number: signal.getsignal(number) for number in (*STOP_SIGNALS, signal.SIGHUP)}
    try:
        _Daemon(tick, on_sighup, tick_seconds, shutdown_timeout_seconds).start()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    log.info("stopped")


class _Daemon(BlockingScheduler):  # type: ignore[misc]
    """A scheduler with one job, the beat, that obeys signals and outlives a wall clock that is set."""

    def __init__(
        self,
        beat: Callable[[datetime], Iterable[TaskResult]],
        on_hangup: Callable[[], None],
        beat_seconds: float,
        patience_seconds: float,
    ) -> None:
        # "debug" is APScheduler's word for: in the scheduler's own thread, where a signal can interrupt the work.
        super().__init__(timezone=UTC, executors={"default": {"type": "debug"}})
        self._beat = beat
        self._on_hangup = on_hangup
        self._beat_seconds = beat_seconds
        self._patience_seconds = patience_seconds
        self._beating = self._stopping = False
        self.add_listener(self._obey_signals, EVENT_SCHEDULER_STARTED)
        self.add_job(
            self._once,
            "interval",
            seconds=beat_seconds,
            next_run_time=datetime.now(UTC),
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
        )

    def _once(self) -> None:
        self._beating = True
        try:
            for done in self._beat(datetime.now(UTC)):
                log_result(done)
        except PipelineError as trouble:
            log.warning("%s", trouble)
        except KeyboardInterrupt:
            log.info("interrupted in the middle of a task")
        finally:
            self._beating = False

    def _obey_signals(self, event: object) -> None:
        # Not before there is something to stop: until then a signal ends the process as usual.
        for number in STOP_SIGNALS:
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._hang_up)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if self._stopping:
            return
        self._stopping = True
        patience = Timer(self._patience_seconds, _end)
        patience.daemon = True
        patience.start()
        # From another thread, since this one may hold the very locks that shutting down needs.
        Thread(target=self.shutdown, kwargs={"wait": False}).start()
        if self._beating:
            raise KeyboardInterrupt

    def _hang_up(self, number: int, frame: FrameType | None) -> None:
        self._on_hangup()
        if not self._stopping:
            Thread(target=self._hurry, daemon=True).start()

    def _hurry(self) -> None:
        for job in self.get_jobs():
            job.modify(next_run_time=datetime.now(UTC))

    def _process_jobs(self) -> float | None:
        """Go on when the wall clock is set.

        Set back, the next beat would wait until the old time comes round again; set far ahead, every beat that was
        missed would be counted.
        """
        now = datetime.now(UTC)
        for job in () if self._stopping else self.get_jobs():
            if abs(job.next_run_time - now) > 2 * timedelta(seconds=self._beat_seconds):
                job.modify(next_run_time=now)
        wait_seconds: float | None = super()._process_jobs()
        return wait_seconds and min(wait_seconds, self._beat_seconds)


def _end() -> None:
    log.warning("ended in the middle of something that could not be interrupted")
    os._exit(0)
