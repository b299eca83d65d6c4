"""The threads that send: each has a connection of its own and takes batches of deliveries from a queue."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from queue import Empty, Queue
from threading import Thread
from typing import Self

from pipeline.jobs.deliveries.copies import CopyWriter
from pipeline.jobs.ports import CommitFinal, DeliveryBackend, DeliveryConnection
from pipeline.model.delivery import Copy, Delivery, DeliveryResult, FailureReason
from pipeline.model.errors import DeliveryFailedError
from pipeline.model.schedule import Clock
from pipeline.model.subscriber import Subscriber

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Batch:
    """Deliveries that one call of a connection sends, and then their results."""

    deliveries: Sequence[tuple[Delivery, Subscriber]]
    results: Sequence[DeliveryResult] = ()


class Workers:
    """Threads that send until their context ends: they finish what they have begun."""

    def __init__(
        self, backend: DeliveryBackend, copies: CopyWriter, commit: CommitFinal, clock: Clock, number: int
    ) -> None:
        self._backend = backend
        self._copies = copies
        self._commit = commit
        self._clock = clock
        self._inbox: Queue[Batch | None] = Queue()
        self._outbox: Queue[Batch] = Queue()
        self._failure: BaseException | None = None
        self._threads = [Thread(target=self._work, name=f"sender {index}", daemon=True) for index in range(number)]
        self.in_work = 0
        """The number of deliveries that were put and whose batch was not returned by ``finished``."""

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._unbegun = _drain(self._inbox)
        for _ in self._threads:
            self._inbox.put(None)
        for thread in self._threads:
            thread.join()

    def put(self, batch: Batch) -> None:
        """Have a batch sent."""
        self.in_work += len(batch.deliveries)
        self._inbox.put(batch)

    def wait(self, seconds: float) -> None:
        """Wait until a batch is finished, or for some seconds."""
        try:
            batch = self._outbox.get(timeout=seconds)
        except Empty:
            return
        self._outbox.put(batch)

    def finished(self) -> list[Batch]:
        """Return the batches that have results."""
        batches = _drain(self._outbox)
        self.in_work -= sum(len(batch.deliveries) for batch in batches)
        return batches

    def raise_failure(self) -> None:
        """Raise what made a thread end, if anything did."""
        if self._failure:
            raise self._failure

    def unbegun(self) -> list[Batch]:
        """Return the batches that no thread has taken, after the context has ended."""
        return self._unbegun

    def _work(self) -> None:
        connection = self._backend.open()
        try:
            while batch := self._inbox.get():
                self._send(connection, batch)
                self._outbox.put(batch)
        except BaseException as error:
            log.exception("a sending thread ended")
            self._failure = error
        finally:
            connection.close()

    def _send(self, connection: DeliveryConnection, batch: Batch) -> None:
        """Send a batch and keep its results, in its order; an address that is no good does not stop the others."""
        copies: list[Copy] = []
        results: list[DeliveryResult | None] = []
        now = self._clock()
        for delivery, subscriber in batch.deliveries:
            try:
                copies.append(self._copies.write(delivery, subscriber, now))
                results.append(None)
            except DeliveryFailedError as error:
                reason: FailureReason = "refused" if error.kind == "recipient" else "message"
                results.append(DeliveryResult(outcome="failed", reason=reason, reply=str(error)))
        sent = iter(connection.send(copies, self._commit) if copies else ())
        batch.results = [result or next(sent) for result in results]


def _drain(queue: Queue[Batch] | Queue[Batch | None]) -> list[Batch]:
    batches: list[Batch] = []
    try:
        while True:
            if batch := queue.get_nowait():
                batches.append(batch)
    except Empty:
        return batches
