"""The thread of the daemon that sends editions to subscribers, while all other tasks go on."""

from __future__ import annotations

import logging
from pathlib import Path
from threading import Event, Thread
from typing import Self

from pipeline.app.deliveries import deliver_running
from pipeline.app.reload import ReloadingApp
from pipeline.model.errors import PipelineError
from pipeline.model.schedule import Clock

INTERVAL_SECONDS = 5.0
"""How often it checks whether something is to be sent."""
STOP_SECONDS = 5.0
log = logging.getLogger(__name__)


class DeliveryThread:
    """Sends until its context ends. It finishes messages that were begun, if the server is quick enough."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._stopped = Event()
        self._last_error = ""
        self._thread = Thread(target=self._work, name="deliveries of editions", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stopped.set()
        self._thread.join(STOP_SECONDS)  # of messages whose end is not confirmed by then, the next start says so

    def _work(self) -> None:
        with ReloadingApp(self._path, unattended=False) as reloading:
            while not self._stopped.wait(INTERVAL_SECONDS):
                try:
                    self._deliver(reloading)
                    self._last_error = ""
                except PipelineError as error:
                    if str(error) != self._last_error:  # every few seconds would fill the log
                        log.warning("editions wait to be sent: %s", error)
                    self._last_error = str(error)
                except Exception:
                    log.exception("editions wait to be sent")

    def _deliver(self, reloading: ReloadingApp) -> None:
        stopped = self._stopped
        for dispatch, result in deliver_running(
            reloading.current(), self._clock, wait=stopped.wait, is_stopping=stopped.is_set
        ):
            if result.state != "waiting":
                log.info("sending %s: %s", dispatch.week, result.state)
