"""Host names to addresses, as the operating system resolves them, with a time limit.

The system's call cannot be cancelled: with a broken name server it returns minutes later, or never. So it runs in
threads that nobody waits for, neither asyncio when a loop ends nor Python when the process ends.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Lock, Thread

MAX_LOOKUPS = 64
"""Maximum number of threads. Lookups beyond it wait for their turn within their own time limit."""
IDLE_SECONDS = 5.0
"""How long a thread waits for its next lookup before it ends; starting one costs more than most lookups."""

GetAddresses = Callable[[str, int], Sequence[str]]
"""Return the IP addresses of a host name and port, blocking; raise OSError if there are none."""


def system_addresses(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host from the operating system, in its order. Raise OSError or UnicodeError."""
    results = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(result[4][0]) for result in results))


class Lookups:
    """Lookups in daemon threads, which are started when needed and end when they are idle.

    All that ask for one name share its lookup, so a name that hangs occupies one thread however often it is asked for.
    """

    def __init__(self, get_addresses: GetAddresses = system_addresses, *, max_threads: int = MAX_LOOKUPS) -> None:
        self._get_addresses = get_addresses
        self._max_threads = max_threads
        self._lock = Lock()
        self._lookups: dict[tuple[str, int], Future[Sequence[str]]] = {}
        """All that have no result yet: waiting or in a thread."""
        self._waiting: SimpleQueue[tuple[str, int]] = SimpleQueue()
        self._threads = 0
        self._free_threads = 0
        """Idle threads less waiting lookups."""

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses of a host; OSError if there are none. Cancelling it abandons the lookup."""
        return await asyncio.wrap_future(self._submit(host, port))

    def resolve_within(self, host: str, port: int, seconds: float) -> Sequence[str]:
        """Return the addresses of a host; OSError if there are none, TimeoutError if no answer came in time."""
        return self._submit(host, port).result(seconds)

    def _submit(self, host: str, port: int) -> Future[Sequence[str]]:
        with self._lock:
            if lookup := self._lookups.get((host, port)):
                return lookup
            lookup = self._lookups[host, port] = Future()
            lookup.set_running_or_notify_cancel()  # one that gives up must not cancel it for the others
            self._waiting.put((host, port))
            self._free_threads -= 1
            if self._free_threads < 0 and self._threads < self._max_threads:
                Thread(target=self._work, name="lookup", daemon=True).start()
                self._free_threads += 1
                self._threads += 1
        return lookup

    def _work(self) -> None:
        while name := self._take():
            addresses: Sequence[str] = ()
            failure: Exception | None = None
            try:
                addresses = self._get_addresses(*name)
            except Exception as error:
                failure = error
            with self._lock:
                lookup = self._lookups.pop(name)
                self._free_threads += 1
            if failure:
                lookup.set_exception(failure)
            else:
                lookup.set_result(addresses)

    def _take(self) -> tuple[str, int] | None:
        """Return the next name; None if none comes for a while, which ends a thread."""
        while True:
            try:
                return self._waiting.get(timeout=IDLE_SECONDS)
            except Empty:
                with self._lock:
                    if self._waiting.empty():  # else one came just now
                        self._free_threads -= 1
                        self._threads -= 1
                        return None


lookups = Lookups()
"""The lookups of this process: however many fetchers it opens, no more than ``MAX_LOOKUPS`` hang."""
