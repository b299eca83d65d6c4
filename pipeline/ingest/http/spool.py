"""Outcomes that wait to be read: the first few documents in memory, the others in a temporary file.

In: outcomes as they come. Out: the same, in their order. Asking is quick and reading is slow: without a spool the
asking would wait for the reading, and a silent host be found last of all, or else memory would hold all documents. The
file has no name, belongs to the process, and is gone with it.
"""

from __future__ import annotations

import tempfile
from collections import deque
from dataclasses import replace
from typing import IO, NamedTuple, Self

from pipeline.model.fetch import FetchOutcome

MAX_MEMORY_BYTES = 8_000_000
MAX_FILE_BYTES = 256_000_000
"""A temporary folder may be memory, too."""


class _Place(NamedTuple):
    """Where a document lies in the file."""

    start: int
    length: int


class Spool:
    """First in, first out. To be closed: use it as a context manager."""

    def __init__(self, *, memory_bytes: int = MAX_MEMORY_BYTES, file_bytes: int = MAX_FILE_BYTES) -> None:
        self._memory_bytes = memory_bytes
        self._file_bytes = file_bytes
        self._waiting: deque[tuple[FetchOutcome, _Place | None]] = deque()
        self._in_memory = 0
        self._in_file = 0
        """How many documents; the file is begun anew when there is none."""
        self._file: IO[bytes] | None = None
        self._end = 0
        self._no_room = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._file:
            self._file.close()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """True when nothing more should be asked for until some of it was read."""
        return self._end >= self._file_bytes or (self._no_room and self._in_memory > self._memory_bytes)

    def put(self, outcome: FetchOutcome) -> None:
        """Let an outcome wait."""
        size = len(outcome.body)
        place = None
        if size and self._in_memory and self._in_memory + size > self._memory_bytes:
            place = self._write(outcome.body)
        if place:
            self._waiting.append((replace(outcome, body=b""), place))
            self._in_file += 1
        else:
            self._waiting.append((outcome, None))
            self._in_memory += size

    def take(self) -> FetchOutcome:
        """Give the one that has waited longest."""
        outcome, place = self._waiting.popleft()
        if place is None:
            self._in_memory -= len(outcome.body)
            return outcome
        assert self._file  # noqa: S101 - it was written to
        self._file.seek(place.start)
        found = replace(outcome, body=self._file.read(place.length))
        self._in_file -= 1
        if not self._in_file:
            self._end = 0
            self._file.truncate(0)
        return found

    def _write(self, body: bytes) -> _Place | None:
        """Write a document at the end of the file; None where there is no room for it."""
        try:
            self._file = self._file or tempfile.TemporaryFile(prefix="pipeline-", buffering=0)  # noqa: SIM115
            self._file.seek(self._end)
            whole = self._file.write(body) == len(body)
        except OSError:
            whole = False
        if not whole:
            self._no_room = True
            return None
        place = _Place(self._end, len(body))
        self._end += len(body)
        return place
