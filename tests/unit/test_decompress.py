"""Undoing compression, however it is cut up."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis.strategies import binary, integers, sampled_from

from pipeline.ingest.http.decompress import BoundedBody, content_encodings
from pipeline.model.errors import FetchError

PACK = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "raw": lambda data: zlib.compress(data, wbits=-15),
}


def unpacked(coding: str, packed: bytes, step: int, max_bytes: int = 10**6) -> bytes:
    body = BoundedBody(["gzip" if coding == "gzip" else "deflate"], max_bytes)
    for start in range(0, len(packed), step):
        body.add(packed[start : start + step])
    return body.finish()


@given(binary(), sampled_from(sorted(PACK)), integers(1, 50))
def test_any_bytes_come_back_in_any_pieces(data: bytes, coding: str, step: int) -> None:
    """Packing and unpacking is the identity, wherever the wire cuts."""
    assert unpacked(coding, PACK[coding](data), step) == data


@given(integers(65_530, 65_545), sampled_from(sorted(PACK)))
def test_a_body_of_just_one_portion_is_whole(size: int, coding: str) -> None:
    """Output that fills a portion to the brim leaves nothing behind in zlib."""
    assert len(unpacked(coding, PACK[coding](bytes(size)), 10**6)) == size


@given(binary(min_size=1), integers(1, 8))
def test_half_a_member_is_noticed(data: bytes, missing: int) -> None:
    """A gzip body that ends early raises, it never passes for the whole."""
    with pytest.raises(FetchError, match="in the middle of the document"):
        unpacked("gzip", gzip.compress(data)[:-missing], 7)


@given(integers(1, 100_000))
def test_the_limit_is_exact(size: int) -> None:
    """A body may have ``max_bytes`` and no more."""
    packed = gzip.compress(bytes(size))
    assert len(unpacked("gzip", packed, 4096, max_bytes=size)) == size
    with pytest.raises(FetchError) as caught:
        unpacked("gzip", packed, 4096, max_bytes=size - 1)
    assert caught.value.kind == "too_large"


@pytest.mark.parametrize("header", ["br", "zstd", "gzip, br", "gzip, gzip, gzip", "chunked"])
def test_what_was_not_asked_for_is_refused(header: str) -> None:
    """Only gzip and deflate are asked for, so nothing else is understood."""
    with pytest.raises(FetchError, match="was not accepted"):
        content_encodings(header)
