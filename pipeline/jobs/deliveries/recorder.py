"""Records what happens to deliveries, for all threads that send: a single transaction for all that is waiting.

A durable transaction takes a fraction of a millisecond to many, whatever is in it. While one is written, the requests
of other threads wait and become the next one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from queue import Empty, Queue
from threading import Event, Thread
from typing import Self

from pipeline.jobs.deliveries.limits import local_day
from pipeline.model.delivery import Copy, Settlement
from pipeline.model.errors import StoreError
from pipeline.model.schedule import Clock
from pipeline.store import Store

MAX_ROWS = 500
"""How many rows one transaction changes at most."""
OUTCOME_SECONDS = 0.02
"""How long an outcome waits for a transaction to be part of, if nobody waits for it."""
RETRY_SECONDS, MAX_RETRIES = 1.0, 60
"""A database that is full or busy is tried again for a minute: forgotten outcomes would become uncertain."""
log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Request:
    finals: Sequence[Copy] = ()
    settlements: Sequence[Settlement] = ()
    is_awaited: bool = True
    done: Event = field(default_factory=Event)
    confirmed: set[int] = field(default_factory=set)
    error: Exception | None = None

    def result(self) -> set[int]:
        """Wait until it is recorded, and return the numbers of the deliveries that are ``final``."""
        self.done.wait()
        if self.error:
            raise self.error
        return self.confirmed


class DeliveryRecorder:
    """A thread that writes to the store until its context ends."""

    def __init__(self, store: Store, owner: str, clock: Clock, zone: tzinfo, sleep: Callable[[float], object]) -> None:
        self._store = store
        self._owner = owner
        self._clock = clock
        self._zone = zone
        self._sleep = sleep
        self._requests: Queue[_Request | None] = Queue()
        self._thread = Thread(target=self._work, name="deliveries", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._requests.put(None)
        self._thread.join()

    def commit(self, copies: Sequence[Copy]) -> Sequence[Copy]:
        """Record copies as ``final`` and return those that may be completed; StoreError if that is impossible."""
        request = _Request(finals=copies)
        self._requests.put(request)
        confirmed = request.result()
        return [copy for copy in copies if copy.delivery_id in confirmed]

    def record(self, settlements: Sequence[Settlement]) -> None:
        """Record outcomes soon."""
        self._requests.put(_Request(settlements=settlements, is_awaited=False))

    def flush(self) -> None:
        """Wait until everything given so far is recorded; StoreError if something could not be."""
        request = _Request()
        self._requests.put(request)
        request.result()

    def _work(self) -> None:
        failure: Exception | None = None
        is_ending = False
        while not is_ending:
            requests, is_ending = self._next()
            try:
                if requests and not failure:
                    self._write(requests)
            except Exception as error:
                log.exception("deliveries cannot be recorded")
                failure = error  # an outcome is missing: nothing may be recorded as if all were well
            for request in requests:
                request.error = failure
                request.done.set()

    def _next(self) -> tuple[list[_Request], bool]:
        """Return the requests that are waiting, at least one but at the end, and whether there will be no more."""
        requests: list[_Request] = []
        rows = 0
        ends = 0.0
        while True:
            try:
                request = self._requests.get(timeout=None if not requests else max(ends - time.monotonic(), 0))
            except Empty:
                return requests, False
            if request is None:
                return requests, True
            if not requests:
                ends = time.monotonic() + OUTCOME_SECONDS
            if request.is_awaited:
                ends = 0.0
            requests.append(request)
            rows += len(request.finals) + len(request.settlements)
            if rows >= MAX_ROWS:
                return requests, False

    def _write(self, requests: Sequence[_Request]) -> None:
        finals = [(copy.delivery_id, copy.attempt) for request in requests for copy in request.finals]
        settlements = [settlement for request in requests for settlement in request.settlements]
        if not finals and not settlements:
            return
        for tries in range(MAX_RETRIES + 1):
            now = self._clock()
            try:
                confirmed = self._store.deliveries.record(
                    self._owner, finals, settlements, now, day=local_day(now, self._zone)
                )
                break
            except StoreError as error:
                if tries == MAX_RETRIES or not error.retry:
                    raise
                log.warning("deliveries cannot be recorded yet: %s", error)
                self._sleep(RETRY_SECONDS)
        for request in requests:
            request.confirmed = {copy.delivery_id for copy in request.finals} & confirmed
