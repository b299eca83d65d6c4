"""Responses as servers send them and browsers read them: odd header lines, wrong encodings, cookies on the way."""

from __future__ import annotations

import gzip
import socketserver
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from pipeline.ingest.http.head import MAX_HEAD_BYTES, clean_head
from pipeline.ingest.parse.parser import parse_feed
from pipeline.model.fetch import FetchOutcome, Proxy
from tests.contract.loopback_fetch import fetch
from tests.growth import assert_linear
from tests.http_server import FEED, CannedResponse, HttpServer, ReceivedRequest, redirect

gzipped = partial(gzip.compress, mtime=0)
"""Names the tests alike in every process: the time would be part of the bytes."""

pytestmark = pytest.mark.loopback


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running


@contextmanager
def raw_server(response: bytes) -> Iterator[str]:
    """Serve these very bytes to every request; yield the URL."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass
            self.wfile.write(response)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as running:
        running.daemon_threads = True
        thread = threading.Thread(target=running.serve_forever, args=(0.005,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}/feed"
        running.shutdown()
        thread.join()


def answer(head: bytes, body: bytes = FEED) -> FetchOutcome:
    """Fetch from a server that sends these bytes, a blank line and the body."""
    with raw_server(head + b"\r\n\r\n" + body) as url:
        return fetch(url)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nthe server is in the cellar",
        b"HTTP/1.1 200 OK\r\n  Server: cellar\r\nContent-Type: text/xml",
        b"HTTP/1.1 200 OK\r\nX-Owner: B\xe4ckerei F\xc3\xb6hr\r\nContent-Type: text/xml",
        b"HTTP/1.1 200 OK\r\nB\xe4cker: Anna\r\nContent-Type: text/xml",
        b"HTTP/1.1 200 OK\nContent-Type: text/xml\nServer: cellar",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"rope " * 40_000 + b"\r\nContent-Type: text/xml",
        b"HTTP/1.1 200 OK\r\nContent-Type : text/xml\r\nAccess Control: *",
        b"HTTP/1.1 200 OK\r\nX-Folded: one\r\n two\r\n\tthree\r\nContent-Type: text/xml",
        b"HTTP/1.1 200 OK\r\nbroken\r\n and continued: yes\r\nContent-Type: text/xml",
        b"HTTP/1.1 200 OK\r\nX-Nul: a\0b\x0bc\rd\r\nContent-Type: text/xml",
        b"HTTP/1.1 200 OK\r\n: nameless\r\nContent-Type: text/xml",
        b"HTTP/1.1  200  Very  OK\r\nContent-Type: text/xml",
        b"http/1.1 200\r\nContent-Type: text/xml",
        b"HTTP/2 200\r\ncontent-type: text/xml",
        b"HTTP/1.1 200 Gl\xfcck \x01 gehabt\r\nContent-Type: text/xml",
        b"\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/xml",
        b"HTTP/1.1 200 OK\r\nContent-Length:\r\n %d\r\nContent-Type:\r\n\ttext/xml" % len(FEED),
        b"HTTP/1.1 200 OK\r\nContent-Length: unknown\r\nContent-Type: text/xml",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\nTransfer-Encoding: identity\r\nContent-Type: text/xml",
        b"HTTP/1.1 200 OK\r\nContent-Length: %d, %d\r\nContent-Type: text/xml" % (len(FEED), len(FEED)),
        b"HTTP/1.1 103 Early Hints\r\nodd line\r\n\r\nHTTP/1.1 200 OK\r\nodd line\r\nContent-Type: text/xml",
    ],
)  # fmt: skip
def test_odd_header_lines_cost_no_document(head: bytes) -> None:
    """What browsers tolerate does not read as a connection that broke off, and the other headers count."""
    outcome = answer(head)
    assert (outcome.kind, outcome.body, outcome.content_type) == ("ok", FEED, "text/xml"), outcome.detail


@pytest.mark.parametrize("encoding", [b"Transfer-Encoding : Chunked", b"Transfer-Encoding:\r\n chunked"])
def test_chunks_after_an_odd_head(server: HttpServer, encoding: bytes) -> None:
    """The body is framed as the cleaned headers say."""
    chunks = b"".join(b"%x;odd=1 \r\n%s\r\n" % (len(part), part) for part in (FEED[:30], FEED[30:])) + b"0\r\n\r\n"
    assert answer(b"HTTP/1.1 200 OK\r\nodd line\r\n" + encoding, chunks).body == FEED


def test_a_long_head_takes_no_longer_than_its_length() -> None:
    """A server cannot occupy the program with a header of countless lines."""
    assert_linear(lambda length: clean_head(b"HTTP/1.1 200 OK\r\nX: a" + b"\n a" * length + b"\n\n"), 16_000)


@pytest.mark.parametrize(
    ("response", "detail"),
    [
        (b"<html>no head at all</html>\r\n\r\n", "answered with something that is not HTTP"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "answered with something that is not HTTP"),
        (b"HTTP/1.1 abc\r\n\r\n", "answered with something that is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * MAX_HEAD_BYTES, "sent more than 262,144 bytes of headers"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\n12345", "broke the rules of HTTP ("),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nsalt\r\n", "broke the rules of HTTP ("),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<rss>", "closed the connection in the middle"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "closed the connection in the middle"),
        (b"", "closed the connection in the middle"),
    ],
)
def test_what_is_wrong_is_said(response: bytes, detail: str) -> None:
    """Only a connection that was closed early is called so."""
    with raw_server(response) as url:
        outcome = fetch(url)
    assert (outcome.kind, outcome.detail[: len(detail)]) == ("protocol_error", detail)


def test_what_is_wrong_is_said_through_a_proxy() -> None:
    """There, too, a header line that cannot be read is no closed connection."""
    with raw_server(b"HTTP/1.1 200 OK\r\nodd line\r\n\r\n<rss/>") as url:
        outcome = fetch("http://quay.example/feed", options={"proxy": Proxy(url=url.removesuffix("/feed"))})
    assert outcome.detail.startswith("broke the rules of HTTP (illegal header line")


GZIPPED, ZLIB = gzipped(FEED), zlib.compress(FEED)
DEFLATED = zlib.compress(FEED, wbits=-15)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", GZIPPED),
        ("x-gzip", GZIPPED),
        ("deflate", ZLIB),
        ("deflate", DEFLATED),
        ("gzip", gzipped(FEED[:50]) + gzipped(FEED[50:])),
        ("gzip", GZIPPED + bytes(100)),
        ("deflate, gzip", gzipped(ZLIB)),
        ("identity", FEED),
        ("gzip", FEED),
        ("deflate", FEED),
        ("iso-8859-1", FEED),
        ("off", FEED),
        ("aws-chunked,gzip", GZIPPED),
        ("zstd", FEED),
        ("br", GZIPPED),
        ("deflate", GZIPPED),
        ("gzip", ZLIB),
        ("gzip", DEFLATED),
        ("", GZIPPED),
        ("", ZLIB),
        ("gzip", gzipped(GZIPPED)),
    ],
)
def test_the_body_says_how_it_is_compressed(server: HttpServer, encoding: str, body: bytes) -> None:
    """The document is the same for every label and every chunk size."""
    headers = {"Content-Encoding": encoding} if encoding else {}
    server.respond("/feed", CannedResponse(body=body, headers=headers, drip_bytes=7, drip_seconds=0.0))
    outcome = fetch(server.url("/feed"))
    assert (outcome.kind, outcome.body) == ("ok", FEED)


@pytest.mark.parametrize("content_type", ["text/xml", "application/rss+xml; charset=utf-8", "application/rss+xml"])
@pytest.mark.parametrize("prolog", ["", "<?xml version='1.0'?>", "<?xml version='1.0' encoding='UTF-8'?>"])
def test_undeclared_windows_1252_is_read(server: HttpServer, content_type: str, prolog: str) -> None:
    """A document of few accents in a single-byte encoding, which nothing declares or which is declared wrongly."""
    title = "Kräuterküche auf Föhr – „Meersalz“ für 5 €"
    body = f"{prolog}<rss version='2.0'><channel><item><title>{title}</title></item></channel></rss>".encode("cp1252")
    headers = {"Content-Encoding": "windows-1252", "Content-Type": content_type}
    server.respond("/feed", CannedResponse(body=body, headers=headers))
    outcome = fetch(server.url("/feed"))
    assert parse_feed(outcome.body, content_type=outcome.content_type).entries[0].title == title


@pytest.mark.parametrize("encoding", ["br", "gzip, br"])
def test_true_brotli_is_refused(server: HttpServer, encoding: str) -> None:
    """It cannot be read, and was not asked for."""
    body = b"\x1b\x2e\x01\xe0\xc5\x9e\x11\x0b\x5a\x04\x83\x9d\xe0" * 9
    server.respond("/feed", CannedResponse(body=body, headers={"Content-Encoding": encoding}))
    outcome = fetch(server.url("/feed"))
    assert outcome.kind == "protocol_error"
    assert "compressed with Brotli, which was not accepted" in outcome.message


def only_with_cookie(seen: ReceivedRequest) -> CannedResponse:
    """Return the feed to a client that shows the cookie, and set it for the others."""
    if "visitor=7" in seen.headers.get("cookie", ""):
        return CannedResponse()
    return CannedResponse(status=302, headers={"Location": "/feed", "Set-Cookie": "visitor=7; Path=/"}, body=b"")


def test_cookie_of_a_redirect_is_sent_on(server: HttpServer) -> None:
    """A site that redirects to itself until it sees its cookie is read; the next fetch begins without it."""
    server.respond("/feed", only_with_cookie)
    for _ in range(2):
        assert fetch(server.url("/feed", "quay.example")).body == FEED
    assert [seen.headers.get("cookie") for seen in server.requests] == [None, "visitor=7"] * 2


def test_cookie_joins_the_feeds_own(server: HttpServer) -> None:
    """A Cookie header of the feed's settings is sent as well, in the same header."""
    server.respond("/feed", only_with_cookie)
    assert fetch(server.url("/feed", "quay.example"), headers=(("Cookie", "member=1"),)).body == FEED
    assert [seen.headers.get("cookie") for seen in server.requests] == ["member=1", "member=1; visitor=7"]


@pytest.mark.parametrize(
    ("cookie", "target", "sent"),
    [
        ("a=1", "quay.example", True),
        ("a=1", "feeds.quay.example", False),
        ("a=1; Domain=quay.example", "feeds.quay.example", True),
        ("a=1; Domain=.quay.example", "quay.example", True),
        ("a=1; Domain=quay.example", "otherquay.example", False),
        ("a=1; Domain=rope.example", "rope.example", False),
        ("a=1; Domain=example", "rope.example", False),
        ("a=1; Path=/members", "quay.example", False),
        ("a=1; Secure", "quay.example", False),
        ("a=1; Max-Age=0", "quay.example", False),
        ("a=" + "x" * 5000, "quay.example", False),
        ("a=caf\xe9", "quay.example", False),
        ("nonsense", "rope.example", False),
    ],
)
def test_cookies_stay_where_they_belong(server: HttpServer, cookie: str, target: str, sent: bool) -> None:
    """A cookie goes to the hosts its domain allows, on its path, and never unencrypted if it is Secure."""
    away = CannedResponse(status=302, headers={"Location": server.url("/feed", target), "Set-Cookie": cookie}, body=b"")
    server.respond("quay.example/old", away)
    server.respond("/feed", CannedResponse())
    assert fetch(server.url("/old", "quay.example")).body == FEED
    assert ("cookie" in server.requests[-1].headers) == sent


def test_a_loop_with_cookies_is_detected(server: HttpServer) -> None:
    """A redirect to the same URL with the same cookies ends; with ever new ones, after the usual number."""
    server.respond("/feed", CannedResponse(status=302, headers={"Location": "/feed", "Set-Cookie": "a=1"}, body=b""))
    assert fetch(server.url("/feed")).kind == "redirect_loop"
    assert len(server.requests) == 2
    counter = iter(range(100))
    server.respond(
        "/new",
        lambda seen: CannedResponse(
            status=302, headers={"Location": "/new", "Set-Cookie": f"c{next(counter)}=1"}, body=b""
        ),
    )
    assert fetch(server.url("/new")).kind == "redirect_loop"
    assert len(server.requests_for("/new")) == 11


def test_a_response_sets_fifty_cookies_at_most(server: HttpServer) -> None:
    """Thousands of them would occupy the program for seconds."""
    cookies = b"".join(b"\r\nSet-Cookie: c%d=1" % number for number in range(5_000))
    server.respond("/feed", CannedResponse())
    assert answer(b"HTTP/1.1 302 Found\r\nLocation: " + server.url("/feed").encode() + cookies).body == FEED
    assert len(server.requests[-1].headers["cookie"].split("; ")) == 50


def test_redirect_without_a_cookie_sends_none(server: HttpServer) -> None:
    """A request has no Cookie header unless there is a cookie."""
    server.respond("/old", redirect("/feed"))
    server.respond("/feed", CannedResponse())
    fetch(server.url("/old"))
    assert not any("cookie" in seen.headers for seen in server.requests)
