"""The thread that sends the mails to one person that are due."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Thread
from typing import Self

from pipeline.app import App
from pipeline.app.audience import build_person_mailer
from pipeline.jobs.audience.person_mailer import PersonMailer
from pipeline.model.errors import PipelineError
from pipeline.model.schedule import Clock
from pipeline.web.public.audience import LiveAudience

INTERVAL_SECONDS = 2.0
"""How often it checks whether a mail is due that another process has queued, or that is tried again."""
STOP_SECONDS = 5.0
PAUSE_SECONDS, MAX_PAUSES = 0.1, 10
"""How long a mail waits, and how often, while visitors wait for their answers."""
log = logging.getLogger(__name__)


class MailThread:
    """Sends mails until its context ends; at once when it is woken, and slowly while ``is_busy``."""

    def __init__(self, live: LiveAudience, clock: Clock, is_busy: Callable[[], bool] = lambda: False) -> None:
        self._live = live
        self._clock = clock
        self._is_busy = is_busy
        self._woken = Event()
        self._stopped = Event()
        self._last_error = ""
        self._mailer: tuple[App, PersonMailer] | None = None
        self._thread = Thread(target=self._work, name="mails to people", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stopped.set()
        self._woken.set()
        self._thread.join(STOP_SECONDS)  # a mail server may not answer; the mail's claim ends by itself

    def wake(self) -> None:
        """Check now whether a mail is due."""
        self._woken.set()

    def _work(self) -> None:
        while not self._stopped.is_set():
            self._woken.clear()
            try:
                self._send()
                self._last_error = ""
            except PipelineError as error:
                if str(error) != self._last_error:  # every two seconds would fill the log
                    log.warning("mails to subscribers wait: %s", error)
                self._last_error = str(error)
            except Exception:
                log.exception("mails to subscribers wait")
            self._woken.wait(INTERVAL_SECONDS)

    def _send(self) -> None:
        app, now = self._live.current().app, self._clock()
        due_at = app.store().person_mails.next_due_at()
        if due_at is None or due_at > now:
            return
        if self._mailer is None or self._mailer[0] is not app:
            self._mailer = app, build_person_mailer(app)
        self._mailer[1].send_due(now, is_stopping=self._wait_for_visitors)

    def _wait_for_visitors(self) -> bool:
        """Wait a little while visitors wait; return whether no more mails are to be sent."""
        for _ in range(MAX_PAUSES):
            if self._stopped.is_set() or not self._is_busy():
                break
            self._stopped.wait(PAUSE_SECONDS)
        return self._stopped.is_set()
