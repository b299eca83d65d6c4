"""HTTP requests to a mail service: one connection, kept open, with a time limit for each request as a whole.

httpx's transport (httpcore) is used directly: it says how far a request got, and takes a network of our own. Its own
timeouts start again with each byte that arrives, so a server that drips would never exceed them. Redirects are not
followed, and of an answer at most ``MAX_ANSWER_BYTES`` are read.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote, urlsplit

import httpcore

from pipeline.lookup import lookups
from pipeline.model.fetch import Proxy
from pipeline.text.urls import is_loopback

MAX_ANSWER_BYTES = 1_000_000
CONNECT_SECONDS = 20.0
"""Maximum time for the name, the connection and the TLS handshake."""
TOTAL_SECONDS = 180.0
"""Maximum time for a request and its answer: the longer, the fewer messages are left uncertain."""
IDLE_SECONDS = 4.0
"""How long an idle connection is used again: longer, and the service may be closing it just then."""
_CHUNK_BYTES = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A service's answer to a request, or the reason why there is none."""

    status: int = 0
    """0: there is no answer."""
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Names are in lower case."""
    body: bytes = b""
    """What arrived of it, at most ``MAX_ANSWER_BYTES``."""
    problem: str = ""
    """Why there is no answer, or only a part of it."""
    was_sent: bool = True
    """Whether the service may have received the whole request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to a service. Its headers contain secrets, and its body addresses: neither is shown."""

    url: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    body: bytes = field(default=b"", repr=False)


class ServiceClient:
    """Sends requests to one service, one after the other. ``close`` ends its connection."""

    def __init__(
        self,
        *,
        total_seconds: float = TOTAL_SECONDS,
        connect_seconds: float = CONNECT_SECONDS,
        create_ssl_context: Callable[[], ssl.SSLContext] = ssl.create_default_context,
        proxy: Proxy | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total_seconds = total_seconds
        self._network = _LimitedNetwork(connect_seconds, monotonic)
        self._create_ssl_context = create_ssl_context
        self._proxy = proxy
        self._pool: httpcore.ConnectionPool | None = None

    def send(self, request: Request) -> Answer:
        """Return the answer to a request, or why there is none. The time limit is for both together."""
        self._network.limit(self._total_seconds)
        progress = _Progress()
        headers = {"Accept": "application/json", "User-Agent": "newsletter-pipeline", **request.headers}
        answer = _Reading()
        try:
            with self._opened(request.url).stream(
                request.method,
                request.url,
                headers=[(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()],
                content=request.body,
                extensions={"trace": progress},
            ) as response:
                answer.read(response)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            # Its text may repeat what was sent.
            answer.problem = _PROBLEMS.get(type(error), "the connection was lost")
        except httpcore.ProxyError:
            answer.problem = "the proxy refuses the connection"
        except (httpcore.UnsupportedProtocol, UnicodeError):
            answer.problem = "its address is not valid"
        if answer.problem:
            self.close()
        return answer.result(was_sent=progress.is_complete)

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def _opened(self, url: str) -> httpcore.ConnectionPool:
        if self._pool is None:
            parts = urlsplit(url)
            host = parts.hostname or ""
            is_direct = self._proxy is None or is_loopback(host) or self._proxy.bypasses(host)
            self._pool = httpcore.ConnectionPool(
                ssl_context=self._create_ssl_context() if parts.scheme == "https" else None,
                proxy=None if is_direct or self._proxy is None else _make_proxy(self._proxy.url),
                max_connections=1,
                keepalive_expiry=IDLE_SECONDS,
                network_backend=self._network,
            )
        return self._pool


def _make_proxy(url: str) -> httpcore.Proxy:
    """Return a proxy whose URL may contain a user name and a password."""
    parts = urlsplit(url)
    login = (unquote(parts.username).encode(), unquote(parts.password or "").encode()) if parts.username else None
    return httpcore.Proxy(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", auth=login)


_PROBLEMS: dict[type[Exception], str] = {
    httpcore.ConnectError: "no connection is possible",
    httpcore.ConnectTimeout: "the connection took too long",
    httpcore.ReadTimeout: "no answer came in time",
    httpcore.WriteTimeout: "the request was not taken in time",
    httpcore.RemoteProtocolError: "the connection ended without an answer that can be read",
}


@dataclass(slots=True)
class _Progress:
    """How far a request got, as httpcore's trace says. The request for a tunnel through a proxy is not the request."""

    is_complete: bool = False
    _is_tunnel: bool = False

    def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if event == "http11.send_request_body.started":
            self._is_tunnel = info["request"].method == b"CONNECT"
        elif event == "http11.send_request_body.complete":
            self.is_complete = not self._is_tunnel


@dataclass(slots=True)
class _Reading:
    """An answer of which more and more is known."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    problem: str = ""

    def read(self, response: httpcore.Response) -> None:
        self.status = response.status
        self.headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        for chunk in response.iter_stream():
            self.body += chunk
            if len(self.body) > MAX_ANSWER_BYTES:
                self.problem = "the answer is too long"
                return

    def result(self, *, was_sent: bool) -> Answer:
        body = bytes(self.body[:MAX_ANSWER_BYTES])
        was_sent = was_sent or self.status > 0
        return Answer(status=self.status, headers=self.headers, body=body, problem=self.problem, was_sent=was_sent)


class _LimitedNetwork(httpcore.NetworkBackend):
    """Connections that respect the time limit of the current request, whatever timeouts httpcore has in mind."""

    def __init__(self, connect_seconds: float, monotonic: Callable[[], float]) -> None:
        self._connect_seconds = connect_seconds
        self._monotonic = monotonic
        self._inner = httpcore.SyncBackend()
        self._ends_at = 0.0

    def limit(self, seconds: float) -> None:
        """Set the time limit for all that follows."""
        self._ends_at = self._monotonic() + seconds

    def seconds_left(self, error: type[httpcore.TimeoutException]) -> float:
        """Return what is left until the limit; raise ``error`` if nothing is."""
        seconds = self._ends_at - self._monotonic()
        if seconds <= 0:
            raise error
        return seconds

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Return a connection to the first address of a host that accepts one."""
        seconds = min(self._connect_seconds, self.seconds_left(httpcore.ConnectTimeout))
        try:
            addresses = lookups.resolve_within(host, port, seconds)[:4]
        except TimeoutError as error:
            raise httpcore.ConnectTimeout from error
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError from error
        failure: Exception = httpcore.ConnectError()
        for address in addresses:
            try:
                seconds = min(self._connect_seconds, self.seconds_left(httpcore.ConnectTimeout))
                return _LimitedStream(self._inner.connect_tcp(address, port, seconds / len(addresses)), self)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


class _LimitedStream(httpcore.NetworkStream):
    """A connection of which each step ends within the limit of its network."""

    def __init__(self, inner: httpcore.NetworkStream, network: _LimitedNetwork) -> None:
        self._inner = inner
        self._network = network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return some bytes, none at the end of the connection."""
        return self._inner.read(max_bytes, self._network.seconds_left(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all bytes."""
        for start in range(0, len(buffer), _CHUNK_BYTES):
            seconds = self._network.seconds_left(httpcore.WriteTimeout)
            self._inner.write(buffer[start : start + _CHUNK_BYTES], seconds)

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Return the connection with TLS."""
        seconds = self._network.seconds_left(httpcore.ConnectTimeout)
        return _LimitedStream(self._inner.start_tls(ssl_context, server_hostname, seconds), self._network)

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks for, such as ``is_readable``."""
        return self._inner.get_extra_info(info)


def get_once(request: Request, *, total_seconds: float, proxy: Proxy | None = None) -> Answer:
    """Return the answer to a request over a connection of its own."""
    client = ServiceClient(total_seconds=total_seconds, proxy=proxy)
    try:
        return client.send(request)
    finally:
        client.close()
