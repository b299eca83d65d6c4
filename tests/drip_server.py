"""A TCP server on 127.0.0.1 for tests that sends bytes without end: slowly, or as fast as it can."""

from __future__ import annotations

import socketserver
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

PAUSE_SECONDS = 0.02


class DripServer:
    """The server; a context manager. Each connection gets ``first``, then ``again`` over and over."""

    def __init__(self, first: bytes, again: bytes, *, pause_seconds: float = PAUSE_SECONDS) -> None:
        self.first, self.again, self.pause_seconds = first, again, pause_seconds
        self.connections = 0
        self.connected = threading.Event()
        self.stopped = threading.Event()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.005,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def url(self, path: str, scheme: str = "http") -> str:
        """Return the URL of a path."""
        return f"{scheme}://127.0.0.1:{self.port}{path}"


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, drip_server: DripServer) -> None:
        self.drip_server = drip_server
        super().__init__(("127.0.0.1", 0), _Connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: disconnecting clients are part of the tests."""


class _Connection(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        owner = self.server.drip_server
        owner.connections += 1
        owner.connected.set()
        with suppress(OSError):
            self.request.sendall(owner.first)
            while not owner.stopped.wait(owner.pause_seconds):
                self.request.sendall(owner.again)
