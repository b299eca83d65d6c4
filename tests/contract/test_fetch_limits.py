"""Bounds, against a real server that drips, lies, breaks off and inflates."""

from __future__ import annotations

import gzip
import time
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest

from tests.contract.loopback_fetch import fetch, limits
from tests.http_server import FEED, CannedResponse, HttpServer, gzip_bomb, gzipped, redirect

pytestmark = pytest.mark.loopback
MEGABYTE = 1 << 20


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running


def test_silence_is_a_timeout(server: HttpServer) -> None:
    """A server that says nothing for ``timeout_seconds`` is given up."""
    server.respond("/feed", CannedResponse(delay_seconds=0.5))
    assert fetch(server.url("/feed"), limits(timeout_seconds=0.1)).kind == "timeout"


def test_a_drip_does_not_get_past_the_deadline(server: HttpServer) -> None:
    """Bytes that keep coming, each in time, still end at ``deadline_seconds``."""
    server.respond("/feed", CannedResponse(body=bytes(1000), drip_bytes=1, drip_seconds=0.02))
    started = time.monotonic()
    assert fetch(server.url("/feed"), limits(deadline_seconds=0.2)).kind == "timeout"
    assert time.monotonic() - started < 1.0


def test_redirects_share_one_deadline(server: HttpServer) -> None:
    """A chain of slow redirects has no more time than a single document."""
    for step in range(9):
        server.respond(f"/{step}", lambda seen: CannedResponse(**_slow_redirect(seen.path)))
    assert fetch(server.url("/0"), limits(deadline_seconds=0.2)).kind == "timeout"
    assert len(server.requests) < 6


def _slow_redirect(path: str) -> dict[str, object]:
    answer = redirect(f"/{int(path[1:]) + 1}")
    return {"status": answer.status, "headers": answer.headers, "body": b"", "delay_seconds": 0.06}


def test_a_drip_within_the_deadline_is_read(server: HttpServer) -> None:
    """Slow is not wrong."""
    server.respond("/feed", CannedResponse(drip_bytes=20, drip_seconds=0.005))
    assert fetch(server.url("/feed")).body == FEED


def test_a_document_up_to_the_limit_is_read(server: HttpServer) -> None:
    """The limit itself is allowed, one byte more is not."""
    server.respond("/feed", CannedResponse(body=bytes(1000)))
    assert fetch(server.url("/feed"), limits(max_bytes=1000)).kind == "ok"
    assert fetch(server.url("/feed"), limits(max_bytes=999)).kind == "too_large"


def test_the_limit_holds_without_a_length(server: HttpServer) -> None:
    """What counts is what comes, not what is announced."""
    server.respond("/feed", CannedResponse(body=gzip.compress(bytes(5000)), headers={"Content-Encoding": "gzip"}))
    assert fetch(server.url("/feed"), limits(max_bytes=4999)).kind == "too_large"


def test_an_announced_giant_is_not_read(server: HttpServer) -> None:
    """A Content-Length beyond the limit is believed at once."""
    server.respond("/feed", CannedResponse(content_length=10**12, drip_bytes=10, drip_seconds=0.05))
    started = time.monotonic()
    assert fetch(server.url("/feed")).kind == "too_large"
    assert time.monotonic() - started < 1.0


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
    ("coding", "body"),
    [
        ("gzip", gzip.compress(FEED)),
        ("x-gzip", gzip.compress(FEED)),
        ("deflate", zlib.compress(FEED)),
        ("deflate", zlib.compress(FEED, wbits=-15)),
        ("gzip", gzip.compress(FEED[:50]) + gzip.compress(FEED[50:])),
        ("gzip", gzip.compress(FEED) + bytes(100)),
        ("deflate, gzip", gzip.compress(zlib.compress(FEED))),
        ("identity", FEED),
        ("gzip", FEED),
    ],
    ids=["gzip", "x-gzip", "zlib", "raw deflate", "two members", "padding", "twice", "identity", "in name only"],
)
def test_every_usual_compression_is_undone(server: HttpServer, coding: str, body: bytes) -> None:
    """However it is packed, and however it is cut up on the way, the document is the same."""
    server.respond(
        "/feed", CannedResponse(body=body, headers={"Content-Encoding": coding}, drip_bytes=7, drip_seconds=0.0)
    )
    outcome = fetch(server.url("/feed"))
    assert (outcome.kind, outcome.body) == ("ok", FEED)


@pytest.mark.parametrize(
    "answer",
    [
        CannedResponse(headers={"Content-Encoding": "br"}),
        CannedResponse(headers={"Content-Encoding": "gzip, gzip, gzip"}),
        CannedResponse(body=gzip.compress(FEED)[:-20], headers={"Content-Encoding": "gzip"}),
        CannedResponse(body=gzip.compress(FEED)[:20] + b"damage" * 10, headers={"Content-Encoding": "gzip"}),
        CannedResponse(content_length=len(FEED) + 100),
        CannedResponse(reset_after_bytes=20),
        CannedResponse(reset_after_bytes=0),
    ],
    ids=["brotli", "too many", "cut short", "damaged", "length too long", "reset", "reset at once"],
)
def test_a_broken_answer_is_never_taken_for_a_document(server: HttpServer, answer: CannedResponse) -> None:
    """Half a document is worse than none: it would make entries vanish."""
    server.respond("/feed", answer)
    outcome = fetch(server.url("/feed"))
    assert (outcome.kind, outcome.has_body, outcome.body) == ("protocol_error", False, b"")


def test_a_large_honest_feed_is_read(server: HttpServer) -> None:
    """Ten megabytes, well compressed, are a podcast and not a bomb."""
    body = b"".join(
        b"<item><title>Episode %d</title><description>%s</description></item>" % (n, b"The Harbour Table. " * 50)
        for n in range(10_000)
    )
    server.respond("/feed", gzipped(body))
    assert fetch(server.url("/feed")).body == body
