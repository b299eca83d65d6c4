"""Decompression of chunked bodies."""

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


def decompress(coding: str, packed: bytes, step: int, max_bytes: int = 10**6) -> bytes:
    """Decompress a body that arrives in chunks of ``step`` bytes."""
    body = BoundedBody(["gzip" if coding == "gzip" else "deflate"], max_bytes)
    for start in range(0, len(packed), step):
        body.add(packed[start : start + step])
    return body.finish()


@given(binary(), sampled_from(sorted(PACK)), integers(1, 50))
def test_decompression_is_the_inverse_of_compression(data: bytes, coding: str, step: int) -> None:
    """For any bytes and any chunk size."""
    assert decompress(coding, PACK[coding](data), step) == data


@given(integers(65_530, 65_545), sampled_from(sorted(PACK)))
def test_body_that_fills_the_output_buffer_is_complete(size: int, coding: str) -> None:
    """Nothing stays behind in zlib if the output is exactly as long as the buffer."""
    assert len(decompress(coding, PACK[coding](bytes(size)), 10**6)) == size


@given(binary(min_size=1), integers(1, 8))
def test_truncated_stream_is_an_error(data: bytes, missing: int) -> None:
    """A gzip body that ends early raises."""
    with pytest.raises(FetchError, match="in the middle of the document"):
        decompress("gzip", gzip.compress(data)[:-missing], 7)


@given(integers(1, 100_000))
def test_the_limit_is_exact(size: int) -> None:
    """A body may have ``max_bytes`` and no more."""
    packed = gzip.compress(bytes(size))
    assert len(decompress("gzip", packed, 4096, max_bytes=size)) == size
    with pytest.raises(FetchError) as caught:
        decompress("gzip", packed, 4096, max_bytes=size - 1)
    assert caught.value.kind == "too_large"


@pytest.mark.parametrize("header", ["br", "zstd", "gzip, br", "gzip, gzip, gzip", "chunked"])
def test_other_encodings_are_refused(header: str) -> None:
    """Only gzip and deflate are accepted."""
    with pytest.raises(FetchError, match="was not accepted"):
        content_encodings(header)
