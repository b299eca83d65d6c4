"""Read the mailbox for bounces as soon as something arrives in it, where its server reports that (IMAP IDLE)."""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, tzinfo
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Self

from pipeline.app.app import App
from pipeline.app.bounces import bounces_tasks, build_mailbox
from pipeline.jobs.run_log import log_result
from pipeline.model.errors import PipelineError
from pipeline.scheduler.engine import run_due

if TYPE_CHECKING:
    from pipeline.delivery.incoming.imap import OpenImap

WAIT_SECONDS = 540.0
"""How long one connection waits: some servers and routers forget it after ten minutes."""
RETRY_SECONDS = 300.0
"""How long a server is left alone that failed, or reports nothing."""
PAUSE_SECONDS = 5.0
"""How long to wait after messages were read: a server may report without end."""
STOP_SECONDS = 2.0

log = logging.getLogger(__name__)


class MailboxWatch:
    """A thread that waits for messages while its context is open; there is none without an IMAP server.

    It runs the same task as the schedule, under the same lease, so that no message is handled twice at a time. What
    arrives while it cannot wait is read by the schedule.
    """

    def __init__(self, app: App, clock: Callable[[], datetime]) -> None:
        self._path = app.config.path if app.config.bounces.imap_host else None
        self._clock = clock
        self._stopped = Event()
        self._opened: OpenImap | None = None
        self._thread: Thread | None = None

    def __enter__(self) -> Self:
        if self._path:
            self._thread = Thread(target=self._work, args=(self._path,), name="mailbox", daemon=True)
            # Signals are for the main thread, whose system calls they have to interrupt.
            mask = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
            self._thread.start()
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        if opened := self._opened:
            opened.interrupt()
        if self._thread:
            self._thread.join(STOP_SECONDS)

    def _work(self, path: Path) -> None:
        while not self._stopped.is_set():
            try:
                with App.load(path) as app:
                    if self._has_arrived(app):
                        self._read(app)
                        self._stopped.wait(PAUSE_SECONDS)
                        continue
            except PipelineError as error:  # the task of the schedule reports it
                log.debug("the mailbox for bounces cannot be watched: %s", error)
            except Exception:
                log.exception("the mailbox for bounces cannot be watched")
            self._stopped.wait(RETRY_SECONDS)

    def _has_arrived(self, app: App) -> bool:
        """Wait for a message, over several connections; return False if the server does not report any."""
        from pipeline.delivery.incoming.imap import ImapMailbox

        mailbox = build_mailbox(app)
        while isinstance(mailbox, ImapMailbox) and not self._stopped.is_set():
            with mailbox.open() as opened:
                if not opened.can_wait:
                    return False
                self._opened = opened
                try:
                    if not self._stopped.is_set() and opened.wait(WAIT_SECONDS):
                        return True
                finally:
                    self._opened = None
        return False

    def _read(self, app: App) -> None:
        from pipeline.scheduler.lease import RunLeases

        leases = RunLeases(app.store().runs, f"{socket.gethostname()}:{os.getpid()}:mailbox", self._clock)
        tasks = [replace(task, schedule=ArrivalSchedule()) for task in bounces_tasks(app)]
        for result in run_due(tasks, leases, self._clock, app.calendar.zone):
            log_result(result)


class ArrivalSchedule:
    """A schedule that is due whenever it is asked."""

    never_repeats: ClassVar[bool] = False

    def period(self, now: datetime, zone: tzinfo) -> str:
        """Return a key of this moment, in the order of those of ``Every``."""
        return f"{now:%Y-%m-%dT%H:%M:%S.%fZ}"

    def next_at(self, now: datetime, zone: tzinfo) -> None:
        """Return None: it is unknown when something arrives."""
        return
