"""HTTP/1.1 transports behind httpx's interface: direct, over checked connections, and through a proxy."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress

import h11
import httpx

from pipeline.ingest.http.connect import AddressFilter, Connection, SafeConnector, resolve, tls_reason
from pipeline.ingest.http.head import HEAD_END, MAX_HEAD_BYTES, clean_head
from pipeline.model.errors import FetchError
from pipeline.model.fetch import Proxy

_PORTS = {"http": 80, "https": 443}
_CHUNK_BYTES = 65_536
_MAX_INFORMATIONAL = 16
"""Maximum number of informational responses before the real one."""


class NetworkTransport(httpx.AsyncBaseTransport):
    """Sends each request over a connection of its own. Raises FetchError while connecting, then httpx's errors.

    A connection serves one request: no server should have to keep it open during the pause before the next one.
    """

    def __init__(self, connector: SafeConnector, ssl_context: ssl.SSLContext | None = None) -> None:
        self._connector = connector
        self._ssl_context = ssl_context

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Connect, send the request and read the response's head. Closing the response closes the connection."""
        url, timeout = request.url, request.extensions["timeout"]
        tls = None
        if url.scheme == "https":
            tls = self._ssl_context = self._ssl_context or httpx.create_ssl_context()  # read from disk once
        host, port = url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]
        connection = await self._connector.connect(host, port, tls=tls, timeout_seconds=timeout["connect"])
        exchange = _Exchange(connection, timeout["read"])
        try:
            await exchange.send(request)
            head = await exchange.read_head()
        except BaseException:
            await exchange.aclose()
            raise
        return httpx.Response(head.status_code, headers=list(head.headers.raw_items()), stream=exchange)


class _Exchange(httpx.AsyncByteStream):
    """One request and its response over one connection; iterating yields the response's body.

    It uses h11 directly: httpcore's connection adds pools, locks and tracing for shared connections, which cost more
    than the rest of a request (decision 0002 has the figures).
    """

    def __init__(self, connection: Connection, timeout_seconds: float) -> None:
        self._incoming, self._outgoing = connection
        self._timeout_seconds = timeout_seconds
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)

    async def send(self, request: httpx.Request) -> None:
        """Send a request without a body."""
        try:
            head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
            data = (self._http.send(head) or b"") + (self._http.send(h11.EndOfMessage()) or b"")
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error)) from error
        try:
            async with asyncio.timeout(self._timeout_seconds):
                self._outgoing.write(data)
                with suppress(ConnectionError):  # a server may refuse before it has read the request, and say why
                    await self._outgoing.drain()
        except TimeoutError as error:
            raise httpx.WriteTimeout("the request was not sent in time") from error

    async def read_head(self) -> h11.Response:
        """Return the status and headers, skipping a few informational responses (RFC 9110, 15.2)."""
        received = b""
        for _ in range(_MAX_INFORMATIONAL):
            head, received = await self._receive_head(received)
            self._http.receive_data(clean_head(head))
            event = await self._next_event()
            if isinstance(event, h11.Response):
                if received:
                    self._http.receive_data(received)
                return event
        raise httpx.RemoteProtocolError("there are informational responses without end")

    async def _receive_head(self, received: bytes) -> tuple[bytes, bytes]:
        """Return a head up to its blank line, and what was received after it. Raise FetchError if it is too long."""
        searched = 0
        received = received.lstrip(b"\r\n")
        while not (end := HEAD_END.search(received, searched)):
            if len(received) > MAX_HEAD_BYTES:
                raise FetchError("protocol_error", f"sent more than {MAX_HEAD_BYTES:,} bytes of headers")
            searched = max(0, len(received) - 2)
            data = await self._receive()
            if not data:
                raise httpx.ReadError("the connection was closed without a response")
            received = (received + data).lstrip(b"\r\n")
        return received[: end.end()], received[end.end() :]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while isinstance(event := await self._next_event(), h11.Data):
            yield bytes(event.data)

    async def aclose(self) -> None:
        """Close the connection at once, without waiting for the server."""
        self._outgoing.transport.abort()
        await asyncio.sleep(0)  # the loop closes the socket in its next iteration, which may be its last

    async def _next_event(self) -> object:
        is_at_end = False
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                data = await self._receive()
                is_at_end = not data
                self._http.receive_data(data)
        except h11.RemoteProtocolError as error:
            raise (httpx.ReadError if is_at_end else httpx.RemoteProtocolError)(str(error)) from error
        return event

    async def _receive(self) -> bytes:
        """Return what arrives next, or no bytes if the connection was closed."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._incoming.read(_CHUNK_BYTES)
        except TimeoutError as error:
            raise httpx.ReadTimeout("no data arrived in time") from error
        except OSError as error:
            raise httpx.ReadError(str(error)) from error


class ProxyTransport(httpx.AsyncBaseTransport):
    """Sends requests through an HTTP proxy, except to the hosts that bypass it.

    The proxy resolves host names, so ``address_filter`` only sees literal addresses and ``localhost``: what a name may
    resolve to is up to the proxy's own rules.
    """

    def __init__(
        self,
        proxy: Proxy,
        direct: httpx.AsyncBaseTransport,
        address_filter: AddressFilter,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._proxy = proxy
        self._direct = direct
        self._address_filter = address_filter
        self._proxied = httpx.AsyncHTTPTransport(
            verify=ssl_context or httpx.create_ssl_context(),
            proxy=proxy.url,
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request through the proxy. Raise FetchError if it cannot be reached or refuses."""
        host = request.url.host
        if self._proxy.bypasses(host):
            return await self._direct.handle_async_request(request)
        address = "127.0.0.1" if f".{host.rstrip('.')}".endswith(".localhost") else host
        if _is_literal(address) and (reason := self._address_filter(address)):
            raise FetchError("unsafe_address", f"{host} is {reason}")
        try:
            await self._resolve_proxy(request.extensions["timeout"]["connect"])
            return await self._proxied.handle_async_request(request)
        except httpx.ConnectTimeout as error:
            raise FetchError("timeout", "did not accept a connection through the proxy in time") from error
        except (httpx.ConnectError, httpx.ProxyError) as error:
            if tls_error := _tls_cause(error):
                raise FetchError("tls_error", f"could not prove its identity ({tls_reason(tls_error)})") from error
            raise FetchError("unreachable", f"could not be reached through the proxy ({error})") from error

    async def _resolve_proxy(self, timeout_seconds: float) -> None:
        """Raise FetchError if the proxy's name has no address: httpx would wait for a name server without limit."""
        url = httpx.URL(self._proxy.url)
        try:
            async with asyncio.timeout(timeout_seconds):
                await resolve(url.host, url.port or _PORTS[url.scheme])
        except TimeoutError as error:
            raise FetchError("timeout", f"no name server answered for the proxy {url.host} in time") from error
        except (OSError, UnicodeError) as error:
            raise FetchError("unreachable", f"could not be reached: there is no proxy named {url.host}") from error

    async def aclose(self) -> None:
        """Close both transports."""
        await self._proxied.aclose()
        await self._direct.aclose()


def _is_literal(host: str) -> bool:
    """Check whether a host is an address in any spelling: its last label is a number (WHATWG), as in ``0x7f.1``."""
    label = host.rstrip(".").rpartition(".")[2]
    return ":" in host or label.isdigit() or label.startswith("0x")


def _tls_cause(error: BaseException | None) -> ssl.SSLError | None:
    while error:
        if isinstance(error, ssl.SSLError):
            return error
        error = error.__cause__ or error.__context__
    return None
