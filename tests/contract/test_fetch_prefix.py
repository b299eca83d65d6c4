"""The beginning of a document, against a real server: a picture says in its first bytes how large it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.loopback_fetch import fetch, limits
from tests.http_server import CannedResponse, HttpServer, ReceivedRequest

pytestmark = pytest.mark.loopback


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running


def test_no_more_than_the_beginning_is_read(server: HttpServer) -> None:
    """A server that knows no ranges sends all; it is left after the first bytes, even where all would be too much."""
    server.respond("/picture", CannedResponse(body=bytes(3_000_000)))
    outcome = fetch(server.url("/picture"), limits(max_bytes=100_000), first_bytes=32_768)
    assert (outcome.kind, len(outcome.body), outcome.length_bytes) == ("ok", 32_768, 3_000_000)


def test_the_beginning_is_asked_for(server: HttpServer) -> None:
    """A server that knows ranges (RFC 9110, 14) sends the beginning alone, and says how long the whole is."""

    def ranged(seen: ReceivedRequest) -> CannedResponse:
        assert seen.headers["range"] == "bytes=0-99"
        return CannedResponse(status=206, body=bytes(100), headers={"Content-Range": "bytes 0-99/5000"})

    server.respond("/picture", ranged)
    outcome = fetch(server.url("/picture"), first_bytes=100)
    assert (outcome.kind, len(outcome.body), outcome.length_bytes) == ("ok", 100, 5_000)


def test_a_short_document_is_read_whole(server: HttpServer) -> None:
    """What is shorter than its beginning is what it is."""
    server.respond("/picture", CannedResponse(body=b"GIF89a"))
    assert fetch(server.url("/picture"), first_bytes=100).body == b"GIF89a"
