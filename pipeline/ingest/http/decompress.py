"""Content-Encoding within bounds: a small body that inflates to gigabytes is refused after a few megabytes.

The header is often wrong: it names the charset, a storage's own framing, or a compression that a proxy undid or
replaced. A body's first bytes say what it is; the header only decides where they leave it open.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Literal

from pipeline.model.errors import FetchError

_OUTPUT_BYTES = 65_536
_INPUT_BYTES = 4_096  # compressed input is fed in small pieces, so that a bomb is recognised early
_START_BYTES = 64
"""Number of bytes by which a layer is recognised."""
_MAX_LAYERS = 2

_Format = Literal["gzip", "zlib", "deflate"]
_WBITS: dict[_Format, int] = {"gzip": 31, "zlib": 15, "deflate": -15}
_GZIP_MAGIC = b"\x1f\x8b"
_ZSTANDARD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZLIB_METHOD = 8  # RFC 1950, 2.2: the low half of the first byte
_USUAL_ZLIB_START = 0x78  # this method, with the largest window
_READABLE = frozenset({"gzip", "x-gzip", "deflate"})
_UNREADABLE = {"br": "Brotli", "zstd": "Zstandard", "compress": "LZW", "x-compress": "LZW"}
_DOCUMENT = re.compile(
    rb"""(?:\xef\xbb\xbf)?\s*[<{\[][^\x00-\x08\x0e-\x1f\x7f]*\Z  # XML, HTML or JSON
    | [\t\n\r\x20-\x7e]*\Z                                       # other text
    | \xff\xfe | \xfe\xff | [<{\s]\x00 | \x00[<{\s\x00]          # UTF-16 and UTF-32, as `parse.decode` recognises them
    """,
    re.VERBOSE,
)

_BOMB_RATIO = 250
"""Deflate reaches 1,032, feeds about 30. A body beyond ``_BOMB_BYTES`` at this ratio is not a feed."""
_BOMB_BYTES = 2_000_000


class BoundedBody:
    """A decompressed body of at most ``max_bytes``, received chunk by chunk. The limit holds for every layer of it.

    ``content_encoding`` is the header (RFC 9110, 8.4). Names of no compression in it mean nothing.
    """

    def __init__(self, content_encoding: str, max_bytes: int) -> None:
        self._encodings = frozenset(name.strip().lower() for name in content_encoding.split(","))
        self._layers = [_Layer(self._encodings)]
        self._max_bytes = max_bytes
        self._body = bytearray()
        self._received_bytes = 0

    def add(self, chunk: bytes) -> None:
        """Append a received chunk. Raise FetchError if it is damaged or the body becomes too large."""
        step = max(len(chunk), 1) if self._layers[0].is_plain else _INPUT_BYTES
        for start in range(0, len(chunk), step):
            data = chunk[start : start + step]
            self._received_bytes += len(data)
            if self._received_bytes > self._max_bytes:
                raise too_large_error(self._max_bytes)
            self._decode(data)

    def finish(self) -> bytes:
        """Return the complete body. Raise FetchError if its compressed form is incomplete."""
        self._decode(b"", at_end=True)
        if not all(layer.finished for layer in self._layers):
            raise FetchError("protocol_error", "closed the connection in the middle of the document")
        return bytes(self._body)

    def prefix(self, length_bytes: int) -> bytes:
        """Return at most ``length_bytes`` of what was received so far."""
        return bytes(self._body[:length_bytes])

    def __len__(self) -> int:
        return len(self._body)

    def _decode(self, data: bytes, *, at_end: bool = False) -> None:
        try:
            self._decode_layer(0, data, at_end=at_end)
        except zlib.error as error:
            raise FetchError("protocol_error", "sent a document whose compression is damaged") from error

    def _decode_layer(self, depth: int, data: bytes, *, at_end: bool) -> None:
        """Decode data of a layer, and what comes out of it in the next one; append it to the body in the last."""
        layer = self._layers[depth]
        for output in layer.decode(data, at_end=at_end):
            self._check_size(layer)
            if layer.is_plain:
                self._body += output
            else:
                self._decode_layer(self._next(depth), output, at_end=False)
        if at_end and not layer.is_plain:
            self._decode_layer(self._next(depth), b"", at_end=True)

    def _next(self, depth: int) -> int:
        """Return the depth of the layer inside another. Raise FetchError if there are too many."""
        if depth + 1 == len(self._layers):
            self._layers.append(_Layer(self._encodings, may_be_compressed=depth + 1 < _MAX_LAYERS))
        return depth + 1

    def _check_size(self, layer: _Layer) -> None:
        if layer.size > self._max_bytes:
            raise too_large_error(self._max_bytes)
        if layer.size > _BOMB_BYTES and layer.size > _BOMB_RATIO * self._received_bytes:
            raise FetchError("too_large", f"sent {self._received_bytes:,} bytes that decompress without end")


def too_large_error(max_bytes: int) -> FetchError:
    """Return the error for a document beyond the limit."""
    return FetchError("too_large", f"sent more than {max_bytes:,} bytes")


def detect_format(start: bytes, encodings: frozenset[str]) -> _Format | None:
    r"""Return how a body is compressed by its first bytes, or None if it is not. Raise FetchError if it cannot be read.

    ``encodings`` are the names in Content-Encoding.

    >>> detect_format(b"<rss>", frozenset({"br"})), detect_format(b"\x1f\x8b\x08", frozenset())
    (None, 'gzip')
    """
    if start.startswith(_GZIP_MAGIC):
        return "gzip"
    if start.startswith(_ZSTANDARD_MAGIC):
        raise _unreadable_error("Zstandard")
    if _DOCUMENT.match(start):
        return None
    may_be_deflate = not encodings.isdisjoint(_READABLE)
    if int.from_bytes(start[:2], "big") % 31 == 0 and (
        start[0] == _USUAL_ZLIB_START or (may_be_deflate and start[0] & 0x0F == _ZLIB_METHOD)
    ):
        return "zlib"
    if unreadable := encodings & _UNREADABLE.keys():
        raise _unreadable_error(_UNREADABLE[min(unreadable)])
    return "deflate" if may_be_deflate and _is_deflate(start) else None


def _unreadable_error(name: str) -> FetchError:
    return FetchError("protocol_error", f"sent a document compressed with {name}, which was not accepted")


def _is_deflate(start: bytes) -> bool:
    try:
        zlib.decompressobj(_WBITS["deflate"]).decompress(start, _OUTPUT_BYTES)
    except zlib.error:
        return False
    return True


class _Layer:
    """Decodes a layer of gzip (RFC 1952) or deflate (RFC 1951, with or without the frame of RFC 1950), or none."""

    def __init__(self, encodings: frozenset[str], *, may_be_compressed: bool = True) -> None:
        self.is_plain = False
        """True once the layer is known to be uncompressed."""
        self.size = 0
        """Number of decoded bytes."""
        self._encodings = encodings
        self._may_be_compressed = may_be_compressed
        self._start: bytes | None = b""
        """What was received until the format is known, then None."""
        self._format: _Format | None = None
        self._stream: zlib._Decompress | None = None
        self._pending = False  # zlib may hold output back when a call filled the buffer exactly

    @property
    def finished(self) -> bool:
        """True unless a compressed stream is incomplete."""
        return self._stream is None

    def decode(self, data: bytes, *, at_end: bool = False) -> Iterator[bytes]:
        """Yield decoded chunks. Bytes after the last stream are padding and dropped."""
        if self._start is not None:
            data = self._start + data
            if len(data) < _START_BYTES and not at_end:
                self._start = data
                return
            self._start = None
            self._detect(data)
        if self.is_plain and data:
            self.size += len(data)
            yield data
            return
        while data or self._pending:
            if self._stream is None and not self._open_next(data):
                return
            assert self._stream  # noqa: S101 - just opened
            output = self._stream.decompress(data, _OUTPUT_BYTES)
            self.size += len(output)
            yield output
            data = self._remaining(self._stream, full=len(output) == _OUTPUT_BYTES)

    def _detect(self, start: bytes) -> None:
        self._format = detect_format(start[:_START_BYTES], self._encodings) if start else None
        self.is_plain = self._format is None
        if self._format:
            if not self._may_be_compressed:
                raise FetchError("protocol_error", "sent a document that is compressed more than twice")
            self._stream = zlib.decompressobj(_WBITS[self._format])

    def _open_next(self, data: bytes) -> bool:
        """Begin the next stream of several; return False if the data is not one."""
        if self._format == "gzip" and data.startswith(_GZIP_MAGIC[:1]):
            self._stream = zlib.decompressobj(_WBITS["gzip"])
        return self._stream is not None

    def _remaining(self, stream: zlib._Decompress, *, full: bool) -> bytes:
        """Return the input not yet consumed; at the end of a stream, the bytes after it."""
        self._pending = full and not stream.eof
        if not stream.eof:
            return stream.unconsumed_tail
        self._stream = None
        return stream.unused_data
