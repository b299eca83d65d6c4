"""Opening connections: the one place where a name becomes an address.

In: a host name and a port. Out: a stream to an address that was looked up once, checked, and connected to as checked,
so that a name cannot point elsewhere between the check and the connection. TLS names are verified above this layer,
against the name, as always. Knows nothing of HTTP.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence

import httpcore

from pipeline.ingest.addresses import unsafe_reason
from pipeline.model.errors import FetchProblem

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host name and port to the IP addresses behind them; raises OSError when there are none."""

Refuse = Callable[[str], str]
"""Why an address may not be connected to; empty when it may."""

_MOST_ADDRESSES = 4
"""Tried one after the other; a host with more of them is not better reached by the fifth."""

_SocketOptions = Iterable[tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]]


def anything(address: str) -> str:
    """Refuse no address: for intranets and tests."""
    return ""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the operating system for the addresses of a host. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Dialler(httpcore.AsyncNetworkBackend):
    """Connects to the addresses that ``refuse`` has nothing against: by default those of the public internet."""

    def __init__(self, resolve: Resolve, *, refuse: Refuse = unsafe_reason) -> None:
        self._resolve = resolve
        self._refuse = refuse
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: _SocketOptions | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of a host that answers.

        Raises FetchProblem for an unknown host or an unsafe address, httpcore's errors when nothing answers.
        """
        trouble: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in (await self._addresses(host, port, timeout))[:_MOST_ADDRESSES]:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                trouble = error
        raise trouble

    async def _addresses(self, host: str, port: int, seconds: float | None) -> Sequence[str]:
        try:
            async with asyncio.timeout(seconds):
                addresses = await self._resolve(host, port)
        except TimeoutError as error:
            raise FetchProblem("timeout", f"no name server answered for {host} in time") from error
        except (OSError, UnicodeError) as error:
            raise FetchProblem("unreachable", f"there is no host named {host}") from error
        return self._safe(host, addresses)

    def _safe(self, host: str, addresses: Sequence[str]) -> Sequence[str]:
        """Keep the addresses that may be connected to; raise FetchProblem when none is left."""
        reasons = {address: self._refuse(address) for address in addresses}
        safe = [address for address in addresses if not reasons[address]]
        if addresses and not safe:
            raise FetchProblem("unsafe_address", f"{host} leads to {addresses[0]}, {reasons[addresses[0]]}")
        return safe
