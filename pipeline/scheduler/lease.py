"""The ledger: runs taken on in one process's name, and kept while it works on them.

In: the store's runs, a name, a clock that goes on. Out: what ``tick`` asks for. A claim is renewed by a thread as long
as the work goes on, so that a process that hangs in one long fetch keeps it and one that is killed loses it soon.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from threading import Event, Thread
from typing import TYPE_CHECKING

from pipeline.model.errors import StoreError
from pipeline.model.run import LEASE_TTL, Run, renew
from pipeline.model.schedule import Clock

if TYPE_CHECKING:
    from pipeline.store.runs import RunRepository

RENEWALS_PER_LEASE = 4
"""So many fall into a lease: a store that is busy for a moment costs no claim."""

log = logging.getLogger(__name__)


class RunLeases:
    """The runs as one process sees and writes them."""

    def __init__(self, runs: RunRepository, owner: str, clock: Clock) -> None:
        self._runs = runs
        self.owner = owner
        self._clock = clock
        self._held: _Held | None = None

    def newest(self) -> Mapping[str, Run]:
        """Give the run of each schedule that was taken on last."""
        return self._runs.newest()

    def claim(self, previous: Run | None, run: Run, *, never_repeats: bool) -> bool:
        """Take a run on and keep renewing it; False when another process was quicker."""
        if not self._runs.advance(previous, run, never_repeats=never_repeats):
            return False
        self._held = _Held(self._runs, run, self._clock)
        return True

    def finish(self, run: Run) -> None:
        """Write down what became of a run that was taken on."""
        held, self._held = self._held, None
        if held and not self._runs.advance(held.let_go(), run):
            log.warning("%s %s was taken over by another process meanwhile", run.task_id, run.period_key)


class _Held:
    """One claim, renewed in the background until it is let go."""

    def __init__(self, runs: RunRepository, run: Run, clock: Clock) -> None:
        self._runs = runs
        self._run = run
        self._clock = clock
        self._over = Event()
        self._thread = Thread(target=self._renew, name="renews a claim", daemon=True)
        self._thread.start()

    def let_go(self) -> Run:
        """Stop renewing; give the claim as it was written last."""
        self._over.set()
        self._thread.join()
        return self._run

    def _renew(self) -> None:
        while not self._over.wait(LEASE_TTL.total_seconds() / RENEWALS_PER_LEASE):
            try:
                later = renew(self._run, self._clock())
                if not self._runs.advance(self._run, later):
                    return
                self._run = later
            except StoreError as trouble:
                log.warning("a claim could not be renewed: %s", trouble)
