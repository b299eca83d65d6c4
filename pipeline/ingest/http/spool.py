"""A first-in, first-out buffer for outcomes: small documents in memory, the rest in an unnamed temporary file.

Fetching is faster than parsing. Without a buffer, requests would wait for the parser, and slow hosts would be
discovered last; with a list, all documents would be in memory at once.
"""

from __future__ import annotations

import tempfile
from collections import deque
from dataclasses import replace
from typing import IO, NamedTuple, Self

from pipeline.model.fetch import FetchOutcome

MAX_MEMORY_BYTES = 8_000_000
MAX_FILE_BYTES = 256_000_000
"""Limited because a temporary folder may be memory, too."""


class _Span(NamedTuple):
    """The position of a document in the file."""

    start: int
    length: int


class Spool:
    """A queue of outcomes. Use it as a context manager, which closes the file."""

    def __init__(self, *, memory_bytes: int = MAX_MEMORY_BYTES, file_bytes: int = MAX_FILE_BYTES) -> None:
        self._memory_bytes = memory_bytes
        self._file_bytes = file_bytes
        self._queue: deque[tuple[FetchOutcome, _Span | None]] = deque()
        self._bytes_in_memory = 0
        self._documents_in_file = 0
        self._file: IO[bytes] | None = None
        self._end = 0
        self._disk_full = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._file:
            self._file.close()

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def full(self) -> bool:
        """True when nothing more should be put in until something is taken out."""
        return self._end >= self._file_bytes or (self._disk_full and self._bytes_in_memory > self._memory_bytes)

    def put(self, outcome: FetchOutcome) -> None:
        """Append an outcome."""
        size = len(outcome.body)
        span = None
        if size and self._bytes_in_memory and self._bytes_in_memory + size > self._memory_bytes:
            span = self._write(outcome.body)
        if span:
            self._queue.append((replace(outcome, body=b""), span))
            self._documents_in_file += 1
        else:
            self._queue.append((outcome, None))
            self._bytes_in_memory += size

    def take(self) -> FetchOutcome:
        """Remove and return the oldest outcome."""
        outcome, span = self._queue.popleft()
        if span is None:
            self._bytes_in_memory -= len(outcome.body)
            return outcome
        assert self._file  # noqa: S101 - it was written to
        self._file.seek(span.start)
        outcome = replace(outcome, body=self._file.read(span.length))
        self._documents_in_file -= 1
        if not self._documents_in_file:
            self._end = 0
            self._file.truncate(0)
        return outcome

    def _write(self, body: bytes) -> _Span | None:
        """Append a document to the file; return None if the disk has no room for it."""
        try:
            self._file = self._file or tempfile.TemporaryFile(prefix="pipeline-", buffering=0)  # noqa: SIM115
            self._file.seek(self._end)
            complete = self._file.write(body) == len(body)
        except OSError:
            complete = False
        if not complete:
            self._disk_full = True
            return None
        span = _Span(self._end, len(body))
        self._end += len(body)
        return span
