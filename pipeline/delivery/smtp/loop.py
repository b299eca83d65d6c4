"""Sends copies over several connections in one thread.

Each copy is a generator, which is resumed when what it waits for has happened: its connection is ready, another thread
has done something that takes long, or it may be completed. Copies that are ready for that are committed together.
"""

from __future__ import annotations

import os
import socket
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from typing import TYPE_CHECKING, Any, Protocol, Self

from pipeline.delivery.smtp.session import SmtpSession
from pipeline.model.delivery import Copy, DeliveryResult

if TYPE_CHECKING:
    from pipeline.jobs.ports import DeliveryJobs

WRITERS = min(4, os.cpu_count() or 1)
"""Threads that write copies. A signature takes longer than all the rest, and does not hold the interpreter lock."""
_WRITTEN_AT_ONCE = 4
COMMIT = 0
"""Yielded by a copy that lacks nothing but its dot; it is resumed with whether it may be completed."""
_COMMIT_SHARE, _COMMIT_DELAY_SECONDS = 0.8, 0.005
"""Copies wait a moment for this share of all to be committed together."""
Awaited = int | Callable[[], Any]
"""``EVENT_READ``, ``EVENT_WRITE``, ``COMMIT``, or a function for another thread to call."""
Steps = Generator[Awaited, Any, DeliveryResult]


class Connection(Protocol):
    """A sender of copies, one after the other."""

    @property
    def session(self) -> SmtpSession | None:
        """Its session with the server, if it has one."""
        ...

    def send(self, copy: Copy) -> Steps:
        """Send a copy and return its result."""
        ...


class _Slot:
    """A connection, and the copy that is sent over it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.copy: Copy | None = None
        self.steps: Steps | None = None
        self.awaits: Awaited = COMMIT
        self.ready_at = 0.0
        """When it began to wait for a commit."""
        self.watched: tuple[socket.socket, int] | None = None
        """The socket and the events that the selector knows."""

    @property
    def deadline(self) -> float | None:
        """When its connection has to be ready, if it waits for that."""
        is_waiting = self.steps is not None and self.awaits in (EVENT_READ, EVENT_WRITE)
        return self.connection.session.deadline if is_waiting and self.connection.session else None


class SendingLoop:
    """Resumes each copy when what it waits for has happened."""

    def __init__(self, connections: Sequence[Connection], jobs: DeliveryJobs) -> None:
        self._slots, self._jobs = [_Slot(connection) for connection in connections], jobs
        self._active: list[_Slot] = []
        self._selector = DefaultSelector()
        self._pool = ThreadPoolExecutor(len(connections), thread_name_prefix="smtp")
        self._calls: dict[_Slot, Future[Any]] = {}
        self._writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="copies")
        self._writing: set[Future[Sequence[Copy]]] = set()
        self._written: deque[Copy] = deque()
        """Copies that no connection was free for; together with those in ``_writing`` about one for each."""
        self._is_ended = False
        self._failure: BaseException | None = None
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._is_waiting = False

    def __enter__(self) -> Self:
        self._wake_receiver.setblocking(False)
        self._wake_sender.setblocking(False)
        self._selector.register(self._wake_receiver, EVENT_READ)
        return self

    def __exit__(self, *exc: object) -> None:
        self._writers.shutdown(wait=False, cancel_futures=True)
        for slot in self._active:  # after an error: what was begun is abandoned
            if slot.steps:
                slot.steps.close()
            if slot.connection.session:
                slot.connection.session.close()
        self._pool.shutdown()
        self._selector.close()
        self._wake_receiver.close()
        self._wake_sender.close()

    def run(self) -> None:
        """Send copies until there are no more; after an error, finish those that were begun and raise it."""
        while self._begin():
            if not self._commit():
                self._wait()
        if self._failure:
            raise self._failure

    def _begin(self) -> bool:
        """Begin to send copies over connections that are free; return False at the end."""
        for written in [call for call in self._writing if call.done()]:  # each may wait longer than those after it
            self._writing.discard(written)
            if error := written.exception():
                self._fail(error)
            elif not self._failure:
                self._written.extend(written.result())
                self._is_ended = self._is_ended or not written.result()
        for slot in self._slots:
            while self._written and not slot.steps:
                slot.copy = self._written.popleft()
                slot.steps = slot.connection.send(slot.copy)
                self._active.append(slot)
                self._resume(slot)
        while not self._is_ended and len(self._written) + len(self._writing) * _WRITTEN_AT_ONCE < len(self._slots):
            call = self._writers.submit(self._jobs.take, _WRITTEN_AT_ONCE)
            self._writing.add(call)
            call.add_done_callback(self._wake)
        return bool(self._active or self._written or self._writing)

    def _commit(self) -> bool:
        """Commit copies that are complete but for their dots, unless more will be soon; return whether it did."""
        ready = [slot for slot in self._active if slot.awaits == COMMIT]
        if not ready:
            return False
        oldest = min(slot.ready_at for slot in ready)
        if len(ready) < _COMMIT_SHARE * len(self._active) and time.monotonic() < oldest + _COMMIT_DELAY_SECONDS:
            return False
        allowed: set[int] = set()
        failure: Exception | None = None
        try:
            allowed = {copy.delivery_id for copy in self._jobs.commit([slot.copy for slot in ready if slot.copy])}
        except Exception as error:
            failure = error
        for slot in ready:
            self._resume(slot, slot.copy is not None and slot.copy.delivery_id in allowed, error=failure)
        return True

    def _wait(self) -> None:
        """Wait for sockets, other threads and deadlines, and resume the copies that waited for them."""
        ends = [slot.deadline for slot in self._active if slot.deadline is not None]
        ends += [slot.ready_at + _COMMIT_DELAY_SECONDS for slot in self._active if slot.awaits == COMMIT]
        seconds = max(min(ends) - time.monotonic(), 0) if ends else None
        self._is_waiting = True  # from now on it is woken up; what was done before is looked for
        is_done = any(call.done() for call in (*self._calls.values(), *self._writing))
        events = self._selector.select(0 if is_done else seconds)
        self._is_waiting = False
        for key, _ in events:
            slot = key.data
            if slot is None:
                with suppress(BlockingIOError):
                    self._wake_receiver.recv(4096)
            elif slot.deadline is not None:
                self._resume(slot)
            else:
                self._watch(slot, None)  # the server answers too early or disconnects, which is found out later
        for slot, call in [*self._calls.items()]:
            if call.done():
                del self._calls[slot]
                self._resume(slot, call=call)
        now = time.monotonic()
        for slot in [*self._active]:
            if slot.deadline is not None and slot.deadline <= now:
                self._resume(slot, error=TimeoutError("timed out"))

    def _resume(
        self, slot: _Slot, value: object = None, *, call: Future[Any] | None = None, error: BaseException | None = None
    ) -> None:
        """Resume a copy until it has to wait again; report its result at its end, or keep the error of a bug."""
        assert slot.steps  # noqa: S101 - it is active
        error = call.exception() if call else error
        try:
            awaits = slot.steps.throw(error) if error else slot.steps.send(call.result() if call else value)
        except StopIteration as end:
            self._end(slot, end.value)
            return
        except Exception as bug:
            self._fail(bug)
            if slot.connection.session:
                slot.connection.session.close()
            self._end(slot, DeliveryResult(outcome="lost"))
            return
        slot.awaits = awaits
        if callable(awaits):
            self._watch(slot, None)
            self._calls[slot] = self._pool.submit(awaits)
            self._calls[slot].add_done_callback(self._wake)
        elif awaits == COMMIT:
            slot.ready_at = time.monotonic()
        elif slot.connection.session:
            self._watch(slot, (slot.connection.session.socket, awaits))

    def _end(self, slot: _Slot, result: DeliveryResult) -> None:
        copy, slot.copy, slot.steps, slot.awaits = slot.copy, None, None, COMMIT
        assert copy  # noqa: S101 - it was sent
        self._active.remove(slot)
        if not slot.connection.session or slot.connection.session.is_closed:
            self._watch(slot, None)
        self._jobs.finish(copy, result)

    def _fail(self, error: BaseException) -> None:
        """Begin no more copies; those under way are finished, as they would become uncertain otherwise."""
        self._failure = self._failure or error
        self._is_ended = True
        self._written.clear()
        self._writing.clear()

    def _watch(self, slot: _Slot, watched: tuple[socket.socket, int] | None) -> None:
        """Have the selector watch a socket, or none."""
        if slot.watched == watched:
            return
        if slot.watched and (not watched or watched[0] is not slot.watched[0]):
            self._selector.unregister(slot.watched[0])
            slot.watched = None
        if watched and slot.watched:
            self._selector.modify(*watched, slot)
        elif watched:
            self._selector.register(*watched, slot)
        slot.watched = watched

    def _wake(self, call: Future[Any]) -> None:
        if self._is_waiting:
            with suppress(OSError):  # the buffer is full: it will wake up anyway
                self._wake_sender.send(b".")
