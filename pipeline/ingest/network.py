"""HTTP over the network: httpx's interface, httpcore's HTTP/1.1, connections that only the dialler opens.

In: a request. Out: a response whose body is still to be read, and a connection that ends with it. A connection serves
one request: between two requests to a host there is a pause in which no server should have to keep it open.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator

import httpcore
import httpx

from pipeline.ingest.dial import Dialler

_PORTS = {"http": 80, "https": 443}


class NetworkTransport(httpx.AsyncBaseTransport):
    """Sends requests out. Raises FetchProblem while connecting, httpcore's errors after that."""

    def __init__(self, dialler: Dialler, ssl_context: ssl.SSLContext | None = None) -> None:
        self._dialler = dialler
        self._ssl_context = ssl_context

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Connect, send, and read the answer's head. The connection is closed with the response."""
        url, seconds = request.url, request.extensions["timeout"]["connect"]
        port = url.port or _PORTS[url.scheme]
        tls = self._trusted() if url.scheme == "https" else None
        stream = await self._dialler.connect(url.raw_host.decode("ascii"), port, tls=tls, timeout_seconds=seconds)
        connection = httpcore.AsyncHTTP11Connection(_origin(url), stream)
        try:
            answer = await connection.handle_async_request(_raw(request))
        except BaseException:
            await connection.aclose()
            raise
        return httpx.Response(answer.status, headers=answer.headers, stream=_Stream(connection, answer))

    def _trusted(self) -> ssl.SSLContext:
        """Return which certificates are trusted, read from disk when the first is met."""
        if self._ssl_context is None:
            self._ssl_context = httpx.create_ssl_context()
        return self._ssl_context


class _Stream(httpx.AsyncByteStream):
    """The body of an answer, and the end of its connection."""

    def __init__(self, connection: httpcore.AsyncHTTP11Connection, answer: httpcore.Response) -> None:
        self._connection = connection
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._answer.aiter_stream():
            yield piece

    async def aclose(self) -> None:
        await self._connection.aclose()


def _origin(url: httpx.URL) -> httpcore.Origin:
    return httpcore.Origin(url.raw_scheme, url.raw_host, url.port or _PORTS[url.scheme])


def _raw(request: httpx.Request) -> httpcore.Request:
    url = request.url
    target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    return httpcore.Request(request.method, target, headers=request.headers.raw, extensions=request.extensions)
