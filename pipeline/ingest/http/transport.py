"""HTTP over the network: httpx's interface, h11's HTTP/1.1, connections that only the dialler opens.

In: a request. Out: a response whose body is still to be read, and a connection that ends with it. A connection serves
one request: between two requests to a host there is a pause in which no server should have to keep it open.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress

import h11
import httpcore
import httpx

from pipeline.ingest.http.connect import SafeConnector

_PORTS = {"http": 80, "https": 443}
_MAX_HEAD_BYTES = 100_000
_PORTION_BYTES = 65_536


class NetworkTransport(httpx.AsyncBaseTransport):
    """Sends requests out. Raises FetchProblem while connecting, httpcore's errors after that."""

    def __init__(self, dialler: SafeConnector, ssl_context: ssl.SSLContext | None = None) -> None:
        self._dialler = dialler
        self._ssl_context = ssl_context

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Connect, send, and read the answer's head. The connection is closed with the response."""
        url, seconds = request.url, request.extensions["timeout"]["connect"]
        port = url.port or _PORTS[url.scheme]
        tls = self._trusted() if url.scheme == "https" else None
        stream = await self._dialler.connect(url.raw_host.decode("ascii"), port, tls=tls, timeout_seconds=seconds)
        exchange = _Exchange(stream, request.extensions["timeout"]["read"])
        try:
            await exchange.send(request)
            head = await exchange.head()
        except BaseException:
            await exchange.aclose()
            raise
        return httpx.Response(head.status_code, headers=list(head.headers.raw_items()), stream=exchange)

    def _trusted(self) -> ssl.SSLContext:
        """Return which certificates are trusted, read from disk when the first is met."""
        if self._ssl_context is None:
            self._ssl_context = httpx.create_ssl_context()
        return self._ssl_context


class _Exchange(httpx.AsyncByteStream):
    """A request and its answer, the whole life of a connection; as a stream, it is the answer's body.

    h11 itself and not httpcore around it: locks and traces are for connections that are shared, and take longer than
    all the rest.
    """

    def __init__(self, stream: httpcore.AsyncNetworkStream, timeout_seconds: float) -> None:
        self._stream = stream
        self._timeout_seconds = timeout_seconds
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD_BYTES)

    async def send(self, request: httpx.Request) -> None:
        """Send a request without a body."""
        with _as_httpcores(h11.LocalProtocolError, httpcore.LocalProtocolError):
            head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
            written = (self._http.send(head) or b"") + (self._http.send(h11.EndOfMessage()) or b"")
        with suppress(httpcore.WriteError):  # a server may refuse before it has heard all, and say why
            await self._stream.write(written, self._timeout_seconds)

    async def head(self) -> h11.Response:
        """Read the answer's status and headers; what only informs (RFC 9110, 15.2) is passed over."""
        while not isinstance(event := await self._next(), h11.Response):
            if not isinstance(event, h11.InformationalResponse):
                raise httpcore.RemoteProtocolError("the connection was closed without an answer")
        return event

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while isinstance(event := await self._next(), h11.Data):
            yield bytes(event.data)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def _next(self) -> object:
        with _as_httpcores(h11.RemoteProtocolError, httpcore.RemoteProtocolError):
            while (event := self._http.next_event()) is h11.NEED_DATA:
                self._http.receive_data(await self._stream.read(_PORTION_BYTES, self._timeout_seconds))
        return event


@contextmanager
def _as_httpcores(trouble: type[Exception], known: type[Exception]) -> Iterator[None]:
    try:
        yield
    except trouble as error:
        raise known(str(error)) from error
