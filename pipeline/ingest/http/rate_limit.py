"""Taking turns: one request per host at a time, a gap between two, nobody before the host's Retry-After.

In: hosts, and the moments before which they asked not to be asked. Out: a turn to hold while asking. Sleeps, and asks
nobody itself. This machine has nobody on it to annoy: ``localhost`` and 127.0.0.1 are asked without waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import chain, zip_longest
from typing import TypeVar

_Request = TypeVar("_Request")
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


def interleave(requests: Iterable[_Request], host_of: Callable[[_Request], str]) -> Iterator[_Request]:
    """Order requests so that each host's first comes before any host's second.

    >>> list(interleave(["a1", "a2", "a3", "b1"], lambda name: name[0]))
    ['a1', 'b1', 'a2', 'a3']
    """
    lanes: dict[str, list[_Request]] = {}
    for request in requests:
        lanes.setdefault(host_of(request), []).append(request)
    rounds = zip_longest(*lanes.values(), fillvalue=None)
    return (request for request in chain.from_iterable(rounds) if request is not None)


class HostLimiter:
    """Lets one request at a time through to each host."""

    def __init__(self, gap_seconds: float, blocked_hosts: Mapping[str, datetime]) -> None:
        self._gap_seconds = gap_seconds
        self._holds = dict(blocked_hosts)
        self._locks: dict[str, asyncio.Lock] = {}
        self._free_at: dict[str, float] = {}
        """Seconds on the event loop's clock."""

    @asynccontextmanager
    async def slot(self, host: str, *, gap: bool = True) -> AsyncIterator[None]:
        """Wait for the host to be free, and keep others away from it meanwhile.

        ``gap=False`` for what belongs to the request before: a redirect within the host.
        """
        if host in _THIS_MACHINE or host.rpartition(":")[0] in _THIS_MACHINE:
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

    def back_off(self, host: str, until: datetime) -> None:
        """Remember that the host asked not to be asked before a moment."""
        self._holds[host] = max(until, self._holds.get(host, until))

    def blocked_until(self, host: str, now: datetime) -> datetime | None:
        """Return the moment before which the host may not be asked; None when it may."""
        until = self._holds.get(host)
        return until if until and until > now else None
