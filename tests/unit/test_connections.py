"""The web server under idle, slow and far too many connections."""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic, sleep
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.server import ServerState

from pipeline.web.connections import ConnectionLimits, LimitedConnection
from pipeline.web.server import serve_routes

pytestmark = pytest.mark.loopback
GIVE_UP_SECONDS = 60.0
LARGE = "a long page\n" * 2_000_000


def hello(request: Request) -> Response:
    return PlainTextResponse("hello")


def large(request: Request) -> Response:
    return PlainTextResponse(LARGE)


async def count(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


ROUTES = [Route("/", hello), Route("/large", large), Route("/count", count, methods=["POST"])]


@contextmanager
def serving(**limits: Any) -> Iterator[str]:
    with serve_routes("127.0.0.1:0", ROUTES, limits=ConnectionLimits(**limits)) as url:
        yield url


def connect(url: str, data: bytes = b"") -> socket.socket:
    connection = socket.create_connection(address_of(url), timeout=GIVE_UP_SECONDS)
    connection.sendall(data)
    return connection


def wait_for_the_end(connection: socket.socket) -> bytes:
    """Return what the server sends until it ends the connection; a timeout fails the test."""
    received = b""
    try:
        while data := connection.recv(65_536):
            received += data
    except ConnectionError:
        pass
    return received


def address_of(url: str) -> tuple[str, int]:
    parsed = httpx.URL(url)
    return parsed.host, parsed.port or 80


def drip(connection: socket.socket, data: bytes) -> None:
    """Send a byte at a time until the server ends the connection, which must happen before the data ends."""
    connection.settimeout(0.02)
    for byte in data:
        try:
            connection.sendall(bytes([byte]))
            if not connection.recv(1):
                return
        except TimeoutError:
            continue
        except ConnectionError:
            return
    raise AssertionError("the server took the whole request")


GET = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
POST = b"POST /count HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\nContent-Length: 5000\r\n\r\n"


def test_half_a_request_is_given_up() -> None:
    """A client that sends nothing more loses its connection without a response."""
    with serving(request_seconds=0.2) as url, ExitStack() as stack:
        begins = (b"", b"GET", GET, POST, POST + b"x")
        connections = [stack.enter_context(connect(url, begin)) for begin in begins]
        assert [wait_for_the_end(connection) for connection in connections] == [b""] * len(begins)


def test_a_request_that_drips_is_given_up() -> None:
    """Each byte of its head or its body comes soon after the last, and the whole takes too long."""
    with serving(request_seconds=0.2) as url:
        for begin in (GET + b"X-Drip: ", POST):
            with connect(url, begin) as connection:
                drip(connection, b"x" * 4_000)


def test_a_large_upload_takes_as_long_as_its_line_is_slow() -> None:
    """A request that keeps arriving at the least rate is read to its end, long after the limit."""
    with serving(request_seconds=1.0, min_upload_rate=100) as url, connect(url, POST) as connection:
        begun = monotonic()
        for _ in range(50):
            connection.sendall(b"x" * 100)
            sleep(0.05)
        assert monotonic() - begun > 2.0
        assert connection.recv(65_536).endswith(b"5000")


def test_a_further_request_has_the_same_limit() -> None:
    """It is counted from its first byte, on a connection that has served one before."""
    with serving(request_seconds=1.0, idle_seconds=60) as url, connect(url, GET + b"\r\n") as connection:
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET / HT")
        assert b"HTTP" not in wait_for_the_end(connection)


class StalledTransport(asyncio.Transport):
    """A connection whose client takes nothing; records that it was aborted."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = asyncio.Event()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def get_write_buffer_size(self) -> int:
        return 100_000

    def is_closing(self) -> bool:
        return self.aborted.is_set()

    def abort(self) -> None:
        self.aborted.set()


@pytest.mark.parametrize("stall", ["pause_writing", "on_response_complete"])
def test_a_response_that_nobody_reads_is_given_up(stall: str) -> None:
    """While it is sent, or its end lies in the buffer: closing a connection would wait for the client."""

    async def run() -> None:
        limits = ConnectionLimits(stalled_seconds=0.01, idle_seconds=int(GIVE_UP_SECONDS))
        config = uvicorn.Config(Starlette(), log_config=None, timeout_keep_alive=limits.idle_seconds)
        connection = LimitedConnection(config=config, server_state=ServerState(), app_state={}, limits=limits)
        transport = StalledTransport()
        connection.connection_made(transport)
        getattr(connection, stall)()
        await asyncio.wait_for(transport.aborted.wait(), GIVE_UP_SECONDS)
        connection.connection_lost(ConnectionAbortedError())

    asyncio.run(run())


def test_a_slow_client_that_reads_gets_everything() -> None:
    """It takes a part of a large page now and then; only a client that takes nothing is given up."""
    with serving(stalled_seconds=GIVE_UP_SECONDS) as url:
        assert len(httpx.get(f"{url}/large", timeout=GIVE_UP_SECONDS).text) == len(LARGE)


def test_requests_are_served_while_a_thousand_connections_are_idle(caplog: pytest.LogCaptureFixture) -> None:
    """The newest connections replace the oldest idle ones, and nothing is logged for each."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as stack, serving(max_connections=32, request_seconds=GIVE_UP_SECONDS) as url:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4_096, hard), hard))
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        idle = []
        for number in range(1_000):
            idle.append(stack.enter_context(connect(url, b"GET / HTTP/1.1\r\nHost" if number % 2 else b"")))
            if number % 100 == 99:
                assert httpx.get(url, timeout=GIVE_UP_SECONDS).text == "hello"
        assert all(wait_for_the_end(connection) == b"" for connection in idle[:900])
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_connection_that_is_served_is_not_ended_for_another() -> None:
    """A client that reads slowly keeps its connection while many idle ones come and go."""
    with ExitStack() as stack, serving(max_connections=8) as url:
        served = stack.enter_context(connect(url, GET.replace(b"/ ", b"/large ") + b"Connection: close\r\n\r\n"))
        received = served.recv(1)
        for _ in range(100):
            stack.enter_context(connect(url))
        received += wait_for_the_end(served)
    assert received.count(b"a long page\n") == 2_000_000


@pytest.mark.parametrize(("files", "connections"), [(1024, 200), (256, 64), (60, 16), (2048, 200)])
def test_most_files_are_left_to_feeds_and_the_store(files: int, connections: int) -> None:
    """A quarter of what the process may open is for connections, whose number is bounded anyway."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    try:
        limits = ConnectionLimits.for_this_process()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert limits.max_connections == connections
    assert limits.max_accepted_at_once < connections
