"""Claims on runs, renewed in the background while their work goes on.

A process that works on one long fetch keeps its claim. One that is killed, or hangs for longer than the task may take,
loses it when the lease expires.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from threading import Event, Thread
from typing import Protocol

from pipeline.model.errors import StoreError
from pipeline.model.run import LEASE_TTL, Run, renew
from pipeline.model.schedule import Clock

RENEWAL_INTERVAL = LEASE_TTL / 4
"""How often a lease is renewed: several times before it would expire, so that a busy store costs no claim."""

log = logging.getLogger(__name__)


class RunStore(Protocol):
    """The storage of runs. ``store.runs.RunRepository`` implements it."""

    def newest(self) -> Mapping[str, Run]:
        """Return the newest run of each task, by task id."""
        ...

    def advance(self, expected: Run | None, run: Run, *, never_repeats: bool = True) -> bool:
        """Write ``run`` if the task's newest run is still ``expected``; return False otherwise.

        With ``never_repeats`` a period that has ended is not begun again.
        """
        ...


class RunLeases:
    """The runs that one process claims, one at a time, under the name ``owner``."""

    def __init__(
        self, runs: RunStore, owner: str, clock: Clock, *, renewal_seconds: float = RENEWAL_INTERVAL.total_seconds()
    ) -> None:
        self._runs = runs
        self.owner = owner
        self._clock = clock
        self._renewal_seconds = renewal_seconds
        self._lease: _Lease | None = None

    def newest(self) -> Mapping[str, Run]:
        """Return the newest run of each task, by task id."""
        return self._runs.newest()

    def claim(self, previous: Run | None, run: Run, max_seconds: float, *, never_repeats: bool) -> bool:
        """Claim a run and renew the claim for ``max_seconds``; return False if another process was quicker."""
        if not self._runs.advance(previous, run, never_repeats=never_repeats):
            return False
        self._lease = _Lease(self._runs, run, self._clock, max_seconds, self._renewal_seconds)
        return True

    def finish(self, run: Run) -> None:
        """Stop renewing the claim and write how the run ended."""
        lease, self._lease = self._lease, None
        if lease and not self._runs.advance(lease.stop(), run):
            log.warning("another process has taken over %s %s", run.task_id, run.period_key)


class _Lease:
    """One claim, renewed by a thread until it is stopped or its run should long have ended."""

    def __init__(self, runs: RunStore, run: Run, clock: Clock, max_seconds: float, renewal_seconds: float) -> None:
        self._runs = runs
        self._run = run
        self._clock = clock
        self._renew_until = run.claimed_at + timedelta(seconds=max_seconds)
        self._renewal_seconds = renewal_seconds
        self._stopped = Event()
        self._thread = Thread(target=self._renew, name="lease renewal", daemon=True)
        self._thread.start()

    def stop(self) -> Run:
        """Stop renewing and return the run as last written."""
        self._stopped.set()
        self._thread.join()
        return self._run

    def _renew(self) -> None:
        while not self._stopped.wait(self._renewal_seconds):
            try:
                if (now := self._clock()) > self._renew_until:
                    log.warning("%s takes too long: its claim expires", self._run.task_id)
                    return
                renewed = renew(self._run, now)
                if not self._runs.advance(self._run, renewed):
                    return
                self._run = renewed
            except StoreError as error:
                log.warning("could not renew lease: %s", error)
