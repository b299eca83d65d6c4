"""The threads that send: they take copies from a queue and report what became of each."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from threading import Condition, Thread
from typing import Self

from pipeline.jobs.deliveries.copies import CopyWriter
from pipeline.jobs.deliveries.outcomes import settlement
from pipeline.jobs.ports import CommitFinal, DeliveryBackend, DeliveryWorker
from pipeline.model.delivery import Copy, Delivery, DeliveryResult, FailureReason, Settlement
from pipeline.model.errors import DeliveryFailedError
from pipeline.model.schedule import Clock
from pipeline.model.subscriber import Subscriber

log = logging.getLogger(__name__)


class Workers:
    """The threads of a backend, until their context ends: then they finish what they have begun.

    Copies that were accepted are recorded at once, by ``record``; ``finished`` returns all results.
    """

    def __init__(
        self,
        backend: DeliveryBackend,
        copies: CopyWriter,
        clock: Clock,
        connections: int,
        *,
        commit: CommitFinal,
        record: Callable[[Sequence[Settlement]], object],
    ) -> None:
        self.commit = commit
        self._record = record
        self._copies = copies
        self._clock = clock
        self._changed = Condition()
        self._queue: deque[tuple[Delivery, Subscriber]] = deque()
        self._begun: dict[int, Delivery] = {}
        self._finished: list[tuple[Delivery, DeliveryResult]] = []
        self._is_closed = False
        self._failure: BaseException | None = None
        workers = backend.open_workers(connections)
        self._threads = [Thread(target=self._work, args=[worker], name="sender", daemon=True) for worker in workers]
        self.in_work = 0
        """The number of deliveries that were put and that ``finished`` has not returned."""

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        with self._changed:
            self._unbegun = [delivery for delivery, _ in self._queue]
            self._queue.clear()
            self._is_closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def put(self, deliveries: Sequence[tuple[Delivery, Subscriber]]) -> None:
        """Have deliveries sent."""
        self.in_work += len(deliveries)
        with self._changed:
            self._queue.extend(deliveries)
            self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait until a thread reports something, or for some seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._finished or self._failure, seconds)

    def finished(self) -> list[tuple[Delivery, DeliveryResult]]:
        """Return the deliveries that have got a result."""
        with self._changed:
            finished, self._finished = self._finished, []
        self.in_work -= len(finished)
        return finished

    def raise_failure(self) -> None:
        """Raise what made a thread end, if anything did."""
        if self._failure:
            raise self._failure

    def unbegun(self) -> list[Delivery]:
        """Return the deliveries that no thread has taken, after the context has ended."""
        return self._unbegun

    def take(self, most: int) -> Sequence[Copy]:
        """Wait for copies to send and return them, at most ``most``; none if there will be no more.

        A copy that cannot be written has failed, and does not stop the others.
        """
        copies: list[Copy] = []
        while not copies:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._is_closed)
                taken = [self._queue.popleft() for _ in range(min(most, len(self._queue)))]
                self._begun |= {delivery.id: delivery for delivery, _ in taken}
            if not taken:
                break
            now = self._clock()
            for delivery, subscriber in taken:
                try:
                    copies.append(self._copies.write(delivery, subscriber, now))
                except DeliveryFailedError as error:
                    reason: FailureReason = "refused" if error.kind == "recipient" else "message"
                    self._report(delivery.id, DeliveryResult(outcome="failed", reason=reason, reply=str(error)))
        return copies

    def finish(self, copy: Copy, result: DeliveryResult) -> None:
        """Report the result of a copy."""
        if result.outcome == "sent":
            delivery, now = self._begun[copy.delivery_id], self._clock()
            accepted = settlement(delivery, "sent", now, reply=result.reply, provider_id=result.provider_id)
            self._record([accepted])
        self._report(copy.delivery_id, result)

    def _report(self, delivery_id: int, result: DeliveryResult) -> None:
        with self._changed:
            self._finished.append((self._begun.pop(delivery_id), result))
            self._changed.notify_all()

    def _work(self, worker: DeliveryWorker) -> None:
        try:
            worker.run(self)
        except BaseException as error:
            log.exception("a sending thread ended")
            with self._changed:
                self._failure = error
                self._changed.notify_all()
        finally:
            worker.close()
