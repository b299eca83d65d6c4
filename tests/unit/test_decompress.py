"""Decompression of chunked bodies, and how their format is recognised."""

from __future__ import annotations

import gzip
import zlib
from contextlib import suppress
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis.strategies import binary, integers, sampled_from

from pipeline.ingest.http.decompress import BoundedBody, detect_format
from pipeline.model.errors import FetchError

gzipped = partial(gzip.compress, mtime=0)
"""Names the tests alike in every process: the time would be part of the bytes."""

PACK = {
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "deflate": lambda data: zlib.compress(data, wbits=-15),
}
NAMES = {"gzip": "gzip", "zlib": "deflate", "deflate": "deflate"}
DOCUMENT = b"<rss version='2.0'><channel><title>" + b"Salt, smoke and the sea. " * 20 + b"</title></channel></rss>"


def decode(header: str, body: bytes, step: int = 10**6, max_bytes: int = 10**6) -> bytes:
    """Decode a body that arrives in chunks of ``step`` bytes."""
    bounded = BoundedBody(header, max_bytes)
    for start in range(0, len(body), step):
        bounded.add(body[start : start + step])
    return bounded.finish()


@settings(deadline=None)
@given(binary(), sampled_from(sorted(PACK)), integers(1, 50))
def test_decompression_is_the_inverse_of_compression(data: bytes, coding: str, step: int) -> None:
    """For any document and any chunk size."""
    document = b"<r>" + data.translate(None, bytes(range(32)) + b"\x7f")
    assert decode(NAMES[coding], PACK[coding](document), step) == document


@settings(deadline=None)
@given(integers(65_530, 65_545), sampled_from(sorted(PACK)))
def test_body_that_fills_the_output_buffer_is_complete(size: int, coding: str) -> None:
    """Nothing stays behind in zlib if the output is exactly as long as the buffer."""
    assert len(decode(NAMES[coding], PACK[coding](b"<" + b" " * (size - 1)))) == size


@settings(deadline=None)
@given(binary(min_size=1), integers(1, 8))
def test_truncated_stream_is_an_error(data: bytes, missing: int) -> None:
    """A gzip body that ends early raises."""
    with pytest.raises(FetchError, match="in the middle of the document") as caught:
        decode("gzip", gzipped(b"<" + data)[:-missing], 7)
    assert caught.value.kind == "protocol_error"


@settings(deadline=None)
@given(integers(1, 100_000))
def test_the_limit_is_exact(size: int) -> None:
    """A body may have ``max_bytes`` and no more."""
    packed = gzipped(b"<" + b" " * (size + 99))
    assert len(decode("gzip", packed, 4096, max_bytes=size + 100)) == size + 100
    with pytest.raises(FetchError) as caught:
        decode("gzip", packed, 4096, max_bytes=size + 99)
    assert caught.value.kind == "too_large"


@pytest.mark.parametrize("step", [1, 7, 10**6])
@pytest.mark.parametrize("body", ["plain", *PACK])
@pytest.mark.parametrize(
    "header",
    ["", "gzip", "x-gzip", "deflate", "br", "zstd", "compress", "UTF-8", "none", "aws-chunked", "gzip, utf-8",
     "identity", "text/xml; charset=utf-8", "binary", "deflate, br", "GZIP , Deflate", ",", "gzip, gzip, gzip"],
)  # fmt: skip
def test_the_body_decides(header: str, body: str, step: int) -> None:
    """Whatever the header says, a document and gzip or zlib are recognised; deflate without a frame if it is named."""
    if body == "deflate" and (header.endswith("br") or not ("gzip" in header.lower() or "deflate" in header)):
        return
    packed = PACK[body](DOCUMENT) if body in PACK else DOCUMENT
    assert decode(header, packed, step) == DOCUMENT


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{}",
        b'[{"startTime": 0}]',
        b"\xef\xbb\xbf\n<feed/>",
        b"  \r\n\t<rss/>",
        b"WEBVTT\n\n00:01.000 --> 00:02.000\nSalt",
        "<title>Fähre nach Föhr: «Ebbe»</title>".encode(),
        "<title>Fähre nach Föhr</title>".encode("latin-1"),
        "<?xml version='1.0'?><rss/>".encode("utf-16"),
        "<?xml version='1.0'?><rss/>".encode("utf-16-be"),
        "<?xml version='1.0'?><rss/>".encode("utf-32"),
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01",
        b"\xff\xd8\xff\xe0\0\x10JFIF\0",
        b"ID3\x03\0\0\0\0\0\x1f",
    ],
)
@pytest.mark.parametrize("header", ["", "gzip", "deflate", "utf-8"])
def test_what_is_not_compressed_stays(document: bytes, header: str) -> None:
    """Text in any encoding, pictures and sound are returned as they came."""
    assert decode(header, document, 5) == document


@pytest.mark.parametrize(
    ("header", "body", "name"),
    [
        ("br", b"\x1b\x2e\x01\xe0\xc5\x9e\x11\x0b\x5a\x04\x83\x9d\xe0" * 9, "Brotli"),
        ("gzip, br", b"\x8b\x03\x80\xe0\xc5\x9e\x11\x0b\x5a\x04" * 9, "Brotli"),
        ("", b"\x28\xb5\x2f\xfd\x04\x00\x51\x00\x00salt", "Zstandard"),
        ("gzip", b"\x28\xb5\x2f\xfd\x04\x00\x51\x00\x00salt", "Zstandard"),
        ("compress", b"\x1f\x9d\x90\x3c\xe4\xc8\x01", "LZW"),
    ],
)
def test_what_cannot_be_read_is_refused(header: str, body: bytes, name: str) -> None:
    """The error names the compression that nobody asked for."""
    with pytest.raises(FetchError, match=f"compressed with {name}, which was not accepted") as caught:
        decode(header, body, 3)
    assert caught.value.kind == "protocol_error"


@pytest.mark.parametrize("coding", ["gzip", "zlib"])
def test_a_damaged_body_is_refused(coding: str) -> None:
    """As an error of the protocol, in words for people."""
    packed = bytearray(PACK[coding](bytes(range(32, 127)) * 99))
    packed[len(packed) // 2 :] = bytes(byte ^ 0xFF for byte in packed[len(packed) // 2 :])
    with pytest.raises(FetchError) as caught:
        decode(NAMES[coding], bytes(packed), 50)
    assert (str(caught.value), caught.value.kind) == ("sent a document whose compression is damaged", "protocol_error")


def test_what_is_received_is_counted_exactly() -> None:
    """A plain body may have ``max_bytes``, in whatever chunks; its beginning is at hand meanwhile."""
    bounded = BoundedBody("", 200)
    for chunk in (b"<" * 99, b"", b"<" * 100, b"<"):
        bounded.add(chunk)
    assert len(bounded) == 200
    assert bounded.prefix(3) == b"<<<"
    with pytest.raises(FetchError, match=r"^sent more than 200 bytes$") as caught:
        bounded.add(b"<")
    assert caught.value.kind == "too_large"


def test_two_layers_at_most() -> None:
    """A gzipped file that is gzipped for transfer is read; one more layer is refused."""
    twice = gzipped(zlib.compress(DOCUMENT))
    assert decode("", twice, 7) == DOCUMENT
    with pytest.raises(FetchError, match="more than twice") as caught:
        decode("gzip, gzip, gzip", gzipped(twice), 7)
    assert caught.value.kind == "protocol_error"


BOMB = gzipped(bytes(16 << 20))


@pytest.mark.parametrize("header", ["", "gzip", "deflate", "br", "none"])
@pytest.mark.parametrize(
    "body",
    [
        BOMB * 4,
        zlib.compress(b"<" + bytes(64 << 20)),
        gzipped(BOMB * 60),
        gzipped(zlib.compress(b"<r/>") + bytes(64 << 20)),
    ],
    ids=["gzip", "zlib", "twice", "padding of the inner layer"],
)
def test_every_path_is_bounded(header: str, body: bytes) -> None:
    """A bomb is refused in every layer, under any label, even where what it decompresses to is thrown away."""
    bounded = BoundedBody(header, 32_000_000)
    with pytest.raises(FetchError) as caught:
        bounded.add(body)
    assert caught.value.kind == "too_large"
    assert len(bounded) < 3_000_000


def test_received_bytes_are_bounded() -> None:
    """Padding after the last stream counts, though it is dropped."""
    bounded = BoundedBody("gzip", 100_000)
    with pytest.raises(FetchError, match="more than 100,000 bytes"):
        bounded.add(gzipped(b"<r/>") + bytes(101_000))


@settings(deadline=None)
@given(binary(min_size=1, max_size=64), sampled_from(["", "gzip", "deflate", "br"]))
def test_detection_has_one_error(start: bytes, header: str) -> None:
    """Any bytes have a format, none, or the error that says which compression they are in."""
    with suppress(FetchError):
        assert detect_format(start, frozenset({header})) in ("gzip", "zlib", "deflate", None)


@pytest.mark.parametrize("step", [1, 7, 10**6])
@pytest.mark.parametrize(
    ("header", "parts", "document"),
    [
        ("gzip", [gzipped(b"<a>"), gzipped(b"b")], b"<a>b"),
        ("gzip", [gzipped(b"<a>"), b"\0\0padding"], b"<a>"),
        ("", [zlib.compress(b"<a>"), zlib.compress(b"b")], b"<a>"),
        ("", [zlib.compress(b"<a>"), gzipped(b"b")], b"<a>"),
    ],
)
def test_what_follows_a_stream(header: str, parts: list[bytes], document: bytes, step: int) -> None:
    """Another one of gzip is part of the document; anything else is padding."""
    assert decode(header, b"".join(parts), step) == document


SMALL_WINDOW, BARE = (zlib.compress(DOCUMENT, wbits=bits)[:20] for bits in (12, -15))


@pytest.mark.parametrize(
    ("start", "header", "expected"),
    [
        (b"\x1f\x8b", "", "gzip"),
        (b"\x78\x9c\x01", "", "zlib"),
        (b"\x78\x9d\x01", "", None),
        (SMALL_WINDOW, "", None),
        (SMALL_WINDOW, "deflate", "zlib"),
        (SMALL_WINDOW, "x-gzip", "zlib"),
        (BARE, "deflate", "deflate"),
        (BARE, "gzip", "deflate"),
        (BARE, "", None),
        (b"\x1f\x00\xff", "deflate", None),
        (b"abc", "br", None),
        (b"\xff\xfe<\0", "br", None),
        (b"\x00\x01\x02", "identity", None),
    ],
)
def test_the_format_of_a_body(start: bytes, header: str, expected: str | None) -> None:
    """By its first bytes; the header counts only where they are not enough."""
    assert detect_format(start, frozenset({header})) == expected
