"""Undoing Content-Encoding within bounds.

In: the pieces of a body as they come off the wire. Out: the whole body, or a FetchProblem. Never holds more than the
limit and one portion: a megabyte that inflates to a gigabyte costs a few megabytes. Pure.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

from pipeline.model.errors import FetchError

_PORTION_BYTES = 65_536
_MORSEL_BYTES = 4_096  # taken one by one, so that a bomb is known by its first
_GZIP, _ZLIB, _RAW_DEFLATE = 31, 15, -15  # zlib's wbits
_GZIP_MAGIC = 0x1F  # the first of two bytes; no text begins with it
_ZLIB_METHOD = 8  # RFC 1950, 2.2: the low half of the first byte
_CODINGS = frozenset({"gzip", "x-gzip", "deflate"})
_MOST_CODINGS = 2

_BOMB_RATIO = 250
"""Deflate reaches 1,032. Feeds reach 30; a text this repetitive beyond the size below is not one."""
_BOMB_BYTES = 2_000_000


def content_encodings(content_encoding: str) -> tuple[str, ...]:
    """Split a Content-Encoding header (RFC 9110, 8.4); raise FetchProblem for what was not asked for.

    >>> codings("GZIP"), codings("identity"), codings("")
    (('gzip',), (), ())
    """
    named = tuple(name.strip().lower() for name in content_encoding.split(","))
    applied = tuple(name for name in named if name not in ("", "identity"))
    if len(applied) > _MOST_CODINGS or not _CODINGS.issuperset(applied):
        raise FetchError("protocol_error", "sent a document in a compression it was not asked for")
    return applied


class BoundedBody:
    """A body that grows piece by piece, and refuses to grow beyond its limit."""

    def __init__(self, encodings: Sequence[str], max_bytes: int) -> None:
        self._stages = [_Inflater(coding) for coding in reversed(encodings)]
        self._max_bytes = max_bytes
        self._plain = bytearray()
        self._received_bytes = 0

    def add(self, piece: bytes) -> None:
        """Take the next piece off the wire. Raises FetchProblem when it is damaged or too much."""
        try:
            if not self._stages:
                self._take(piece)  # what is not compressed cannot explode
                return
            for start in range(0, len(piece), _MORSEL_BYTES):
                self._take(piece[start : start + _MORSEL_BYTES])
        except zlib.error as error:
            raise FetchError("protocol_error", "sent a document whose compression is damaged") from error

    def finish(self) -> bytes:
        """Return the finished body. Raises FetchProblem when its compressed form broke off."""
        if not all(stage.finished for stage in self._stages):
            raise FetchError("protocol_error", "broke off in the middle of the document")
        return bytes(self._plain)

    def prefix(self, length_bytes: int) -> bytes:
        """Return what has come so far of an unfinished body, up to a length."""
        return bytes(self._plain[:length_bytes])

    def __len__(self) -> int:
        return len(self._plain)

    def _take(self, morsel: bytes) -> None:
        self._received_bytes += len(morsel)
        for portion in _through(self._stages, morsel):
            self._plain += portion
            self._check()

    def _check(self) -> None:
        size = len(self._plain)
        if size > self._max_bytes:
            raise too_large_error(self._max_bytes)
        if size > _BOMB_BYTES and size > _BOMB_RATIO * self._received_bytes:
            raise FetchError("too_large", f"sent {self._received_bytes:,} bytes that inflate without end")


def too_large_error(max_bytes: int) -> FetchError:
    """Return the problem of a document beyond the limit."""
    return FetchError("too_large", f"sent more than {max_bytes:,} bytes")


def _through(stages: Sequence[_Inflater], piece: bytes) -> Iterator[bytes]:
    if not stages:
        yield piece
        return
    for portion in stages[0].feed(piece):
        yield from _through(stages[1:], portion)


class _Inflater:
    """One layer of gzip (RFC 1952) or deflate (RFC 1951, with or without RFC 1950's frame)."""

    def __init__(self, coding: str) -> None:
        self._deflate = coding == "deflate"
        self._stream: zlib._Decompress | None = None
        self._members = 0
        self._pending = False  # a full portion may leave output inside zlib with no input to go with it

    @property
    def finished(self) -> bool:
        """True before the first member, between two, after the last, and for what was never compressed."""
        return self._stream is None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what the data inflates to, in portions; what follows the last member is padding and dropped."""
        while data or self._pending:
            if self._stream is None and not self._open(data[0]):
                if not self._members:  # says gzip and is not: some servers compress in the header only
                    yield data
                return
            assert self._stream  # noqa: S101 - just opened
            yield (portion := self._stream.decompress(data, _PORTION_BYTES))
            data = self._rest(self._stream, full=len(portion) == _PORTION_BYTES)

    def _open(self, first: int) -> bool:
        """Begin a member; False when the data does not look like one."""
        if self._deflate and not self._members:
            self._stream = zlib.decompressobj(_ZLIB if first & 0x0F == _ZLIB_METHOD else _RAW_DEFLATE)
        elif first == _GZIP_MAGIC and not self._deflate:
            self._stream = zlib.decompressobj(_GZIP)
        return self._stream is not None

    def _rest(self, stream: zlib._Decompress, *, full: bool) -> bytes:
        """Return what is still to be inflated; after the end of a member, what follows it."""
        self._pending = full and not stream.eof
        if not stream.eof:
            return stream.unconsumed_tail
        self._stream = None
        self._members += 1
        return stream.unused_data
