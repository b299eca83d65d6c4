"""A TCP server on 127.0.0.1 for tests that sends bytes without end: slowly, or as fast as it can."""

from __future__ import annotations

import socketserver
import threading
from contextlib import suppress

from tests.background_server import BackgroundServer, QuietServer

PAUSE_SECONDS = 0.02


class DripServer(BackgroundServer):
    """The server; a context manager. Each connection gets ``first``, then ``again`` over and over."""

    def __init__(self, first: bytes, again: bytes, *, pause_seconds: float = PAUSE_SECONDS) -> None:
        self.first, self.again, self.pause_seconds = first, again, pause_seconds
        self.connections = 0
        self.connected = threading.Event()
        super().__init__(QuietServer(self, _Connection))

    def url(self, path: str, scheme: str = "http") -> str:
        """Return the URL of a path."""
        return f"{scheme}://127.0.0.1:{self.port}{path}"


class _Connection(socketserver.BaseRequestHandler):
    server: QuietServer

    def handle(self) -> None:
        owner = self.server.owner
        owner.connections += 1
        owner.connected.set()
        with suppress(OSError):
            self.request.sendall(owner.first)
            while not owner.stopped.wait(owner.pause_seconds):
                self.request.sendall(owner.again)
