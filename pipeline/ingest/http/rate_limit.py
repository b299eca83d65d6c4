"""Rate limiting: one request per host at a time, a pause between two, none before the host's Retry-After.

A host that exceeds the time limit again and again is given up, since all requests to it wait for each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import chain, zip_longest
from typing import TypeVar

_Request = TypeVar("_Request")
MAX_TIMEOUTS = 3
"""Number of timeouts in a row after which a host gets no further requests."""
_UNLIMITED_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


def interleave(requests: Iterable[_Request], host_of: Callable[[_Request], str]) -> Iterator[_Request]:
    """Yield requests in rounds: every host's first before any host's second.

    >>> list(interleave(["a1", "a2", "a3", "b1"], lambda name: name[0]))
    ['a1', 'b1', 'a2', 'a3']
    """
    by_host: dict[str, list[_Request]] = {}
    for request in requests:
        by_host.setdefault(host_of(request), []).append(request)
    rounds = zip_longest(*by_host.values(), fillvalue=None)
    return (request for request in chain.from_iterable(rounds) if request is not None)


class HostLimiter:
    """Grants each host one slot at a time. This machine itself is not limited."""

    def __init__(self, gap_seconds: float, blocked_hosts: Mapping[str, datetime]) -> None:
        self._gap_seconds = gap_seconds
        self._blocked_until = dict(blocked_hosts)
        self._locks: dict[str, asyncio.Lock] = {}
        self._free_at: dict[str, float] = {}
        """Seconds on the event loop's clock."""
        self._timeouts: dict[str, int] = {}
        """Requests to each host that ended with a timeout since the last that did not."""

    @asynccontextmanager
    async def slot(self, host: str, *, gap: bool = True) -> AsyncIterator[None]:
        """Wait for the host's slot and hold it. ``gap=False`` skips the pause, for a redirect within the host."""
        if host in _UNLIMITED_HOSTS or host.rpartition(":")[0] in _UNLIMITED_HOSTS:
            yield
            return
        loop = asyncio.get_running_loop()
        async with self._locks.setdefault(host, asyncio.Lock()):
            if gap and (wait_seconds := self._free_at.get(host, 0.0) - loop.time()) > 0:
                await asyncio.sleep(wait_seconds)
            try:
                yield
            finally:
                self._free_at[host] = loop.time() + self._gap_seconds

    def count(self, host: str, *, timed_out: bool) -> None:
        """Count a request that has ended."""
        self._timeouts[host] = self._timeouts.get(host, 0) + 1 if timed_out else 0

    def is_given_up(self, host: str) -> bool:
        """Check whether a host has exceeded the time limit too often to be asked again."""
        return self._timeouts.get(host, 0) >= MAX_TIMEOUTS

    def back_off(self, host: str, until: datetime) -> None:
        """Block a host until a time (aware UTC), or longer if it is blocked longer already."""
        self._blocked_until[host] = max(until, self._blocked_until.get(host, until))

    def blocked_until(self, host: str, now: datetime) -> datetime | None:
        """Return the time before which the host must not be contacted, or None if it may be."""
        until = self._blocked_until.get(host)
        return until if until and until > now else None
