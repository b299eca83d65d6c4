"""Opening connections: the one place where a name becomes an address.

In: a host name and a port. Out: a stream to an address that was looked up once, checked, and connected to as checked,
so that a name cannot point elsewhere between the check and the connection. TLS is verified against the name, as
always. Knows nothing of HTTP. Trouble while connecting is a FetchProblem; later it is httpcore's.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpcore

from pipeline.ingest.http.ip_filter import unsafe_reason
from pipeline.model.errors import FetchError

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host name and port to the IP addresses behind them; raises OSError when there are none."""

AddressFilter = Callable[[str], str]
"""Why an address may not be connected to; empty when it may."""

_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}")
_MOST_ADDRESSES = 4
"""Tried one after the other; a host with more of them is not better reached by the fifth."""


def allow_all(address: str) -> str:
    """Refuse no address: for intranets and tests."""
    return ""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the operating system for the addresses of a host. Raises OSError."""
    if _IPV4.fullmatch(host):
        return [host]  # nothing to look up, so no thread is asked
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class SafeConnector:
    """Connects to the addresses that ``refuse`` has nothing against: by default those of the public internet."""

    def __init__(self, resolve: Resolve, *, address_filter: AddressFilter = unsafe_reason) -> None:
        self._resolve = resolve
        self._refuse = address_filter

    async def connect(
        self, host: str, port: int, *, tls: ssl.SSLContext | None, timeout_seconds: float
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of a host that answers, all tries within the time. Raises FetchProblem."""
        trouble = FetchError("unreachable", f"there is no host named {host}")
        addresses = (await self._addresses(host, port, timeout_seconds))[:_MOST_ADDRESSES]
        for address in addresses:
            try:
                async with asyncio.timeout(timeout_seconds / len(addresses)):
                    name = host if tls else None
                    return Stream(*await asyncio.open_connection(address, port, ssl=tls, server_hostname=name))
            except TimeoutError:
                trouble = FetchError("timeout", f"could not be connected to within {timeout_seconds:g} seconds")
            except ssl.SSLError as error:
                raise FetchError("tls_error", f"could not prove who it is ({_reason(error)})") from error
            except OSError as error:
                trouble = FetchError("unreachable", f"could not be connected to ({error.strerror or 'no answer'})")
        raise trouble

    async def _addresses(self, host: str, port: int, timeout_seconds: float) -> Sequence[str]:
        try:
            async with asyncio.timeout(timeout_seconds):
                return self._safe(host, await self._resolve(host, port))
        except TimeoutError as error:
            raise FetchError("timeout", f"no name server answered for {host} in time") from error
        except (OSError, UnicodeError) as error:
            raise FetchError("unreachable", f"there is no host named {host}") from error

    def _safe(self, host: str, addresses: Sequence[str]) -> Sequence[str]:
        """Keep the addresses that may be connected to; raise FetchProblem when none is left."""
        reasons = {address: self._refuse(address) for address in addresses}
        safe = [address for address in addresses if not reasons[address]]
        if addresses and not safe:
            raise FetchError("unsafe_address", f"{host} leads to {addresses[0]}, {reasons[addresses[0]]}")
        return safe


class Stream(httpcore.AsyncNetworkStream):
    """A connection as httpcore wants one. Raises its ReadTimeout, ReadError, WriteTimeout and WriteError."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Wait for bytes, ``timeout`` seconds at most; none at the end."""
        with _as_httpcores(httpcore.ReadTimeout, httpcore.ReadError):
            async with asyncio.timeout(timeout):
                return await self._reader.read(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes, within ``timeout`` seconds."""
        with _as_httpcores(httpcore.WriteTimeout, httpcore.WriteError):
            async with asyncio.timeout(timeout):
                self._writer.write(buffer)
                await self._writer.drain()

    async def aclose(self) -> None:
        """Hang up at once: what was wanted was read, and nobody is waited for."""
        self._writer.transport.abort()

    def get_extra_info(self, info: str) -> Any:
        """Know nothing more."""
        return None


@contextmanager
def _as_httpcores(timeout: type[Exception], trouble: type[Exception]) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise timeout(str(error)) from error
    except OSError as error:
        raise trouble(str(error)) from error


def _reason(error: ssl.SSLError) -> str:
    """Say what was wrong: with the certificate, or else with the handshake."""
    verified = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else ""
    return verified or error.reason or "the handshake failed"
