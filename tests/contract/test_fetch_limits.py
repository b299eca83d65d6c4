"""Limits on time and size, against a server that is slow, lies, breaks off or sends bombs."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Iterator

import pytest

from pipeline.model.fetch import Proxy
from tests.contract.loopback_fetch import fetch, limits
from tests.drip_server import DripServer
from tests.http_server import FEED, CannedResponse, HttpServer, gzip_bomb, gzipped, redirect

pytestmark = pytest.mark.loopback
MEGABYTE = 1 << 20


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running


def test_silence_is_a_timeout(server: HttpServer) -> None:
    """A server that sends nothing for ``timeout_seconds`` is given up."""
    server.respond("/feed", CannedResponse(delay_seconds=60))
    assert fetch(server.url("/feed"), limits(timeout_seconds=0.1)).kind == "timeout"


def test_slow_body_ends_at_the_deadline(server: HttpServer) -> None:
    """A body whose bytes each arrive in time still ends at ``deadline_seconds``."""
    server.respond("/feed", CannedResponse(body=bytes(3000), drip_bytes=1, drip_seconds=0.02))
    outcome = fetch(server.url("/feed"), limits(deadline_seconds=0.2, timeout_seconds=30))
    assert (outcome.kind, outcome.detail) == ("timeout", "did not finish within 0.2 seconds")


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n"
DRIPS = {
    "a status line": (b"HTTP/1.1 200 ", b"O"),
    "a header": (HEAD + b"X-Drip: ", b"x"),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "a body until the end": (HEAD + b"\r\n", b"x"),
    "informational responses": (b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
}


@pytest.mark.parametrize("drip", DRIPS)
def test_whatever_drips_ends_at_the_deadline(drip: str) -> None:
    """The bytes arrive one by one, each in time."""
    first, again = DRIPS[drip]
    with DripServer(first, again) as server:
        outcome = fetch(server.url("/feed"), limits(deadline_seconds=0.2))
    assert (outcome.kind, outcome.detail) == ("timeout", "did not finish within 0.2 seconds")


def test_a_tls_handshake_that_drips_ends() -> None:
    """The server sends the head of a record and then its bytes one by one."""
    with DripServer(b"\x16\x03\x03\x40\x00", b"\x02") as server:
        assert fetch(server.url("/feed", "https"), limits(timeout_seconds=0.2)).kind in ("timeout", "tls_error")


@pytest.mark.parametrize("url", ["http://blog.example/feed", "https://blog.example/feed"])
def test_a_proxy_that_drips_ends_at_the_deadline(url: str) -> None:
    """Its answer to CONNECT has a time limit, too."""
    with DripServer(b"HTTP/1.1 200 ", b"O") as server:
        outcome = fetch(url, limits(deadline_seconds=0.2), options={"proxy": Proxy(url=server.url(""))})
    assert outcome.kind == "timeout"


def test_informational_responses_without_end_are_refused() -> None:
    """They come faster than they can be read, and would keep a core busy until the deadline."""
    with DripServer(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100, pause_seconds=0.0) as server:
        assert fetch(server.url("/feed"), limits(deadline_seconds=60.0)).kind == "protocol_error"


def test_redirects_share_one_deadline(server: HttpServer) -> None:
    """A chain of slow redirects has no more time than a single document."""
    for step in range(9):
        server.respond(f"/{step}", lambda seen: CannedResponse(**_slow_redirect(seen.path)))
    assert fetch(server.url("/0"), limits(deadline_seconds=0.2)).kind == "timeout"
    assert len(server.requests) < 6


def _slow_redirect(path: str) -> dict[str, object]:
    answer = redirect(f"/{int(path[1:]) + 1}")
    return {"status": answer.status, "headers": answer.headers, "body": b"", "delay_seconds": 0.06}


def test_slow_body_within_the_deadline_is_read(server: HttpServer) -> None:
    """A slow document is not an error."""
    server.respond("/feed", CannedResponse(drip_bytes=20, drip_seconds=0.005))
    assert fetch(server.url("/feed")).body == FEED


def test_size_limit_is_exact(server: HttpServer) -> None:
    """A document of ``max_bytes`` is read, one byte more is not."""
    server.respond("/feed", CannedResponse(body=bytes(1000)))
    assert fetch(server.url("/feed"), limits(max_bytes=1000)).kind == "ok"
    assert fetch(server.url("/feed"), limits(max_bytes=999)).kind == "too_large"


def test_size_limit_counts_received_bytes(server: HttpServer) -> None:
    """The limit does not depend on Content-Length."""
    server.respond("/feed", CannedResponse(body=gzip.compress(bytes(5000)), headers={"Content-Encoding": "gzip"}))
    assert fetch(server.url("/feed"), limits(max_bytes=4999)).kind == "too_large"


def test_announced_size_is_checked_first(server: HttpServer) -> None:
    """A Content-Length beyond the limit ends the request before its body, which is short, breaks off."""
    server.respond("/feed", CannedResponse(content_length=10**12))
    assert fetch(server.url("/feed")).kind == "too_large"


def test_a_gzip_bomb_costs_a_few_megabytes(server: HttpServer) -> None:
    """A megabyte that inflates to a gigabyte is refused before it takes 8 MB."""
    server.respond("/bomb", gzip_bomb(1024))
    fetch(server.url("/bomb"))
    tracemalloc.start()
    outcome = fetch(server.url("/bomb"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert outcome.kind == "too_large"
    assert peak < 8 * MEGABYTE


@pytest.mark.parametrize(
    "answer",
    [
        CannedResponse(body=gzip.compress(FEED)[:-20], headers={"Content-Encoding": "gzip"}),
        CannedResponse(body=gzip.compress(FEED)[:20] + b"damage" * 10, headers={"Content-Encoding": "gzip"}),
        CannedResponse(content_length=len(FEED) + 100),
        CannedResponse(reset_after_bytes=20),
        CannedResponse(reset_after_bytes=0),
    ],
    ids=["cut short", "damaged", "length too long", "reset", "reset at once"],
)
def test_incomplete_response_is_an_error(server: HttpServer, answer: CannedResponse) -> None:
    """Half a document would make entries vanish."""
    server.respond("/feed", answer)
    outcome = fetch(server.url("/feed"))
    assert (outcome.kind, outcome.has_body, outcome.body) == ("protocol_error", False, b"")


def test_large_compressed_feed_is_read(server: HttpServer) -> None:
    """Ten megabytes, well compressed, are a podcast and not a bomb."""
    body = b"".join(
        b"<item><title>Episode %d</title><description>%s</description></item>" % (n, b"The Harbour Table. " * 50)
        for n in range(10_000)
    )
    server.respond("/feed", gzipped(body))
    assert fetch(server.url("/feed")).body == body
