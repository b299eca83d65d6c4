"""Content-Encoding within bounds: a small body that inflates to gigabytes is refused after a few megabytes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

from pipeline.model.errors import FetchError

_OUTPUT_BYTES = 65_536
_INPUT_BYTES = 4_096  # compressed input is fed in small pieces, so that a bomb is recognised early
_GZIP, _ZLIB, _RAW_DEFLATE = 31, 15, -15  # zlib's wbits
_GZIP_MAGIC = 0x1F  # the first of two bytes; no text begins with it
_ZLIB_METHOD = 8  # RFC 1950, 2.2: the low half of the first byte
_ENCODINGS = frozenset({"gzip", "x-gzip", "deflate"})
_MAX_ENCODINGS = 2

_BOMB_RATIO = 250
"""Deflate reaches 1,032, feeds about 30. A body beyond ``_BOMB_BYTES`` at this ratio is not a feed."""
_BOMB_BYTES = 2_000_000


def content_encodings(header: str) -> tuple[str, ...]:
    """Return the encodings in a Content-Encoding header (RFC 9110, 8.4). Raise FetchError for unsupported ones.

    >>> content_encodings("GZIP"), content_encodings("identity"), content_encodings("")
    (('gzip',), (), ())
    """
    names = tuple(name.strip().lower() for name in header.split(","))
    encodings = tuple(name for name in names if name not in ("", "identity"))
    if len(encodings) > _MAX_ENCODINGS or not _ENCODINGS.issuperset(encodings):
        raise FetchError("protocol_error", "sent a compressed document although that encoding was not accepted")
    return encodings


class BoundedBody:
    """A decompressed body of at most ``max_bytes``, received chunk by chunk."""

    def __init__(self, encodings: Sequence[str], max_bytes: int) -> None:
        self._decoders = [_Decoder(encoding) for encoding in reversed(encodings)]
        self._max_bytes = max_bytes
        self._body = bytearray()
        self._received_bytes = 0

    def add(self, chunk: bytes) -> None:
        """Append a received chunk. Raise FetchError if it is damaged or the body becomes too large."""
        step = _INPUT_BYTES if self._decoders else max(len(chunk), 1)
        try:
            for start in range(0, len(chunk), step):
                self._append(chunk[start : start + step])
        except zlib.error as error:
            raise FetchError("protocol_error", "sent a document whose compression is damaged") from error

    def finish(self) -> bytes:
        """Return the complete body. Raise FetchError if its compressed form is incomplete."""
        if not all(decoder.finished for decoder in self._decoders):
            raise FetchError("protocol_error", "closed the connection in the middle of the document")
        return bytes(self._body)

    def prefix(self, length_bytes: int) -> bytes:
        """Return at most ``length_bytes`` of what was received so far."""
        return bytes(self._body[:length_bytes])

    def __len__(self) -> int:
        return len(self._body)

    def _append(self, data: bytes) -> None:
        self._received_bytes += len(data)
        for output in _decode(self._decoders, data):
            self._body += output
            size = len(self._body)
            if size > self._max_bytes:
                raise too_large_error(self._max_bytes)
            if size > _BOMB_BYTES and size > _BOMB_RATIO * self._received_bytes:
                raise FetchError("too_large", f"sent {self._received_bytes:,} bytes that decompress without end")


def too_large_error(max_bytes: int) -> FetchError:
    """Return the error for a document beyond the limit."""
    return FetchError("too_large", f"sent more than {max_bytes:,} bytes")


def _decode(decoders: Sequence[_Decoder], data: bytes) -> Iterator[bytes]:
    if not decoders:
        yield data
        return
    for output in decoders[0].decode(data):
        yield from _decode(decoders[1:], output)


class _Decoder:
    """Decodes one layer of gzip (RFC 1952) or deflate (RFC 1951, with or without the frame of RFC 1950)."""

    def __init__(self, encoding: str) -> None:
        self._is_deflate = encoding == "deflate"
        self._stream: zlib._Decompress | None = None
        self._streams_ended = 0
        self._pending = False  # zlib may hold output back when a call filled the buffer exactly

    @property
    def finished(self) -> bool:
        """True unless a compressed stream is incomplete."""
        return self._stream is None

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield decompressed chunks. Bytes after the last stream are padding and dropped."""
        while data or self._pending:
            if self._stream is None and not self._open(data[0]):
                if not self._streams_ended:  # some servers announce gzip and send plain bytes
                    yield data
                return
            assert self._stream  # noqa: S101 - just opened
            yield (output := self._stream.decompress(data, _OUTPUT_BYTES))
            data = self._remaining(self._stream, full=len(output) == _OUTPUT_BYTES)

    def _open(self, first_byte: int) -> bool:
        """Begin a stream; return False if the data is not one."""
        if self._is_deflate and not self._streams_ended:
            self._stream = zlib.decompressobj(_ZLIB if first_byte & 0x0F == _ZLIB_METHOD else _RAW_DEFLATE)
        elif first_byte == _GZIP_MAGIC and not self._is_deflate:
            self._stream = zlib.decompressobj(_GZIP)
        return self._stream is not None

    def _remaining(self, stream: zlib._Decompress, *, full: bool) -> bytes:
        """Return the input not yet consumed; at the end of a stream, the bytes after it."""
        self._pending = full and not stream.eof
        if not stream.eof:
            return stream.unconsumed_tail
        self._stream = None
        self._streams_ended += 1
        return stream.unused_data
