"""Opens connections to host names whose addresses were checked.

The connection goes to the very address that was checked, so that a name cannot resolve to another one in between (DNS
rebinding). TLS is still verified against the name.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable, Sequence

from pipeline.ingest.http.ip_filter import unsafe_reason
from pipeline.lookup import lookups
from pipeline.model.errors import FetchError

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Return the IP addresses of a host name and port; raise OSError if there are none."""

AddressFilter = Callable[[str], str]
"""Return why an IP address must not be connected to, or "" if it may."""

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}")
_MAX_ADDRESSES = 4
"""Tried in turn; further addresses of a host are ignored."""


def allow_all(address: str) -> str:
    """Return "": the address filter for intranets and tests."""
    return ""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host as the operating system resolves it. Raise OSError."""
    if _IPV4.fullmatch(host):
        return [host]  # avoids a thread
    return await lookups.resolve(host, port)


class SafeConnector:
    """Connects to addresses that ``address_filter`` allows: by default those of the public internet."""

    def __init__(self, resolve: Resolve, address_filter: AddressFilter = unsafe_reason) -> None:
        self._resolve = resolve
        self._address_filter = address_filter

    async def connect(self, host: str, port: int, *, tls: ssl.SSLContext | None, timeout_seconds: float) -> Connection:
        """Connect to the first address of a host that accepts, all attempts within the timeout. Raise FetchError."""
        addresses = (await self._safe_addresses(host, port, timeout_seconds))[:_MAX_ADDRESSES]
        failure = FetchError("unreachable", f"there is no host named {host}")
        for address in addresses:
            try:
                async with asyncio.timeout(timeout_seconds / len(addresses)):
                    server_hostname = host if tls else None
                    return await asyncio.open_connection(address, port, ssl=tls, server_hostname=server_hostname)
            except TimeoutError:
                failure = FetchError("timeout", f"did not accept a connection within {timeout_seconds:g} seconds")
            except ssl.SSLError as error:
                raise FetchError("tls_error", f"could not prove its identity ({tls_reason(error)})") from error
            except OSError as error:
                failure = FetchError("unreachable", f"refused the connection ({error.strerror or 'no answer'})")
        raise failure

    async def _safe_addresses(self, host: str, port: int, timeout_seconds: float) -> Sequence[str]:
        """Return the addresses of a host that the filter allows. Raise FetchError if there are none."""
        try:
            async with asyncio.timeout(timeout_seconds):
                addresses = await self._resolve(host, port)
        except TimeoutError as error:
            raise FetchError("timeout", f"no name server answered for {host} in time") from error
        except (OSError, UnicodeError) as error:
            raise FetchError("unreachable", f"there is no host named {host}") from error
        reasons = {address: self._address_filter(address) for address in addresses}
        safe = [address for address in addresses if not reasons[address]]
        if addresses and not safe:
            raise FetchError("unsafe_address", f"{host} resolves to {addresses[0]}, {reasons[addresses[0]]}")
        return safe


def tls_reason(error: ssl.SSLError) -> str:
    """Return what was wrong with the certificate, or else with the handshake."""
    certificate = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else ""
    return certificate or error.reason or "the handshake failed"
