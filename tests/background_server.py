"""What the servers of the tests have in common: they run on 127.0.0.1, in a thread, while their context is open."""

from __future__ import annotations

import os
import socket
import socketserver
import threading
from contextlib import suppress
from itertools import count
from types import TracebackType
from typing import Any, Self

_ports = count(20_000 + os.getpid() % 120 * 100)


def free_port() -> int:
    """Return a port of 127.0.0.1 that no other test gets, for a server that must know it before it starts.

    The system chooses ports above these for servers that have none of their own, so that it stays free.
    """
    for port in _ports:
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("there is no free port")


class BackgroundServer:
    """A running server; a context manager."""

    def __init__(self, server: socketserver.TCPServer) -> None:
        self.stopped = threading.Event()
        """Set when the context ends: a handler that waits goes on."""
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True)

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


class QuietServer(socketserver.ThreadingTCPServer):
    """A thread for each connection; handlers find the owner of the server in ``owner``."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, owner: Any, handler: type[socketserver.BaseRequestHandler]) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: disconnecting clients are part of the tests."""
