"""An HTTP server on 127.0.0.1 for tests, with scripted responses: polite, slow, lying or malicious.

For each path (or ``host/path``) it returns the given responses one after the other, the last one repeatedly, and
records the requests.
"""

from __future__ import annotations

import gzip
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.background_server import BackgroundServer

FEED = b"<?xml version='1.0'?><rss version='2.0'><channel><title>Harbour &amp; Hearth</title></channel></rss>"


@dataclass(frozen=True, slots=True, kw_only=True)
class CannedResponse:
    """One HTTP response, correct or not. A 200 with an ETag becomes a 304 for a client that has it."""

    status: int = 200
    body: bytes = FEED
    headers: Mapping[str, str] = field(default_factory=dict)
    content_length: int | None = None
    """Content-Length, if it is to be wrong."""
    delay_seconds: float = 0.0
    """Delay before the first byte."""
    drip_bytes: int = 0
    """Send the body in chunks of this size, with ``drip_seconds`` after each."""
    drip_seconds: float = 0.01
    reset_after_bytes: int | None = None
    """Reset the connection (TCP) after this many bytes of the body."""


@dataclass(slots=True, kw_only=True)
class ReceivedRequest:
    """A request. Times are ``time.monotonic`` seconds."""

    host: str
    path: str
    headers: Mapping[str, str]
    """Names are in lower case."""
    started: float
    ended: float = 0.0
    """When the last chunk was sent, or the client disconnected."""
    method: str = "GET"


Responder = CannedResponse | Callable[[ReceivedRequest], CannedResponse]


def redirect(location: str, status: int = 302) -> CannedResponse:
    """Return a redirect."""
    return CannedResponse(status=status, headers={"Location": location}, body=b"")


def gzipped(body: bytes, **rest: Any) -> CannedResponse:
    """Return a response with a gzipped body."""
    return CannedResponse(body=gzip.compress(body), headers={"Content-Encoding": "gzip"}, **rest)


def gzip_bomb(megabytes: int) -> CannedResponse:
    """Return a body that decompresses to a thousand times its size."""
    return CannedResponse(body=gzip.compress(bytes(16 << 20)) * (megabytes // 16), headers={"Content-Encoding": "gzip"})


class HttpServer(BackgroundServer):
    """The server; a context manager."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[ReceivedRequest] = []
        self._scripts: dict[str, list[Responder]] = {}
        self._lock = threading.Lock()
        super().__init__(_Server(self))
        self._scheme = "https" if tls else "http"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)

    def respond(self, place: str, *answers: Responder) -> None:
        """Set the responses of a path, or of ``host/path`` for one host only."""
        self._scripts[place] = list(answers)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """Return the URL of a path, for any host name that the test resolves to 127.0.0.1."""
        return f"{self._scheme}://{host}:{self.port}{path}"

    def requests_for(self, place: str) -> list[ReceivedRequest]:
        """Return the requests for a path, or a ``host/path``, in the order they came."""
        return [seen for seen in self.requests if place in (seen.path, seen.host + seen.path)]

    def next_response(self, seen: ReceivedRequest) -> CannedResponse:
        """Record a request and return the next response."""
        with self._lock:
            self.requests.append(seen)
            script = (
                self._scripts.get(seen.host + seen.path) or self._scripts.get(seen.path) or [CannedResponse(status=404)]
            )
            chosen = script.pop(0) if len(script) > 1 else script[0]
        answer = chosen(seen) if callable(chosen) else chosen
        etag = answer.headers.get("ETag")
        if answer.status == 200 and etag and seen.headers.get("if-none-match") == etag:
            return CannedResponse(status=304, body=b"", headers={"ETag": etag})
        return answer


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, loopback: HttpServer) -> None:
        self.loopback = loopback
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: disconnecting clients are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        host = self.headers.get("Host", "").partition(":")[0]
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = ReceivedRequest(
            host=host, path=self.path, headers=headers, started=time.monotonic(), method=self.command
        )
        answer = self.server.loopback.next_response(seen)
        try:
            time.sleep(answer.delay_seconds)
            self._send(answer, seen)
        finally:
            seen.ended = seen.ended or time.monotonic()

    def do_HEAD(self) -> None:
        self.do_GET()

    def _send(self, answer: CannedResponse, seen: ReceivedRequest) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 304:
            length = len(answer.body) if answer.content_length is None else answer.content_length
            self.send_header("Content-Length", str(length))
        if answer.content_length is not None:
            self.close_connection = True
        # Recorded before the last byte is sent: the client may send its next request before this thread runs again.
        seen.ended = time.monotonic()
        self.end_headers()
        if self.command != "HEAD":
            self._send_body(answer, seen)

    def _send_body(self, answer: CannedResponse, seen: ReceivedRequest) -> None:
        body = answer.body[: answer.reset_after_bytes]
        step = answer.drip_bytes or len(body) or 1
        for start in range(0, len(body), step):
            seen.ended = time.monotonic()
            self.wfile.write(body[start : start + step])
            if answer.drip_bytes:
                time.sleep(answer.drip_seconds)
        if answer.reset_after_bytes is not None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
