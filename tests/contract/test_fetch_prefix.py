"""Fetching only the first bytes of a document, as for the size of a picture."""

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


def test_reading_stops_after_the_prefix(server: HttpServer) -> None:
    """If a server ignores Range, the connection is closed after the prefix, even if the document is too large."""
    server.respond("/picture", CannedResponse(body=bytes(3_000_000)))
    outcome = fetch(server.url("/picture"), limits(max_bytes=100_000), first_bytes=32_768)
    assert (outcome.kind, len(outcome.body), outcome.length_bytes) == ("ok", 32_768, 3_000_000)


def test_prefix_is_requested_as_a_range(server: HttpServer) -> None:
    """A server with range support (RFC 9110, 14) sends the prefix only, and the length of the whole."""

    def ranged(seen: ReceivedRequest) -> CannedResponse:
        assert seen.headers["range"] == "bytes=0-99"
        return CannedResponse(status=206, body=bytes(100), headers={"Content-Range": "bytes 0-99/5000"})

    server.respond("/picture", ranged)
    outcome = fetch(server.url("/picture"), first_bytes=100)
    assert (outcome.kind, len(outcome.body), outcome.length_bytes) == ("ok", 100, 5_000)


def test_a_short_document_is_read_whole(server: HttpServer) -> None:
    """A document shorter than the prefix is read completely."""
    server.respond("/picture", CannedResponse(body=b"GIF89a"))
    assert fetch(server.url("/picture"), first_bytes=100).body == b"GIF89a"
