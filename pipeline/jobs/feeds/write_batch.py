"""Write what many feeds brought in few transactions.

In: updates as they are decided, and whom to tell what each came to. Out: transactions. A transaction costs as much as
all that is usually in it, most of it waiting for the disk, so what comes close together is written together; what comes
alone is not kept waiting. Whoever is told of an entry can rely on it: it is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Self, TypeVar

from pipeline.model.update import FeedUpdate, UpdateCounts
from pipeline.store import Store

MAX_FEEDS = 100
"""A run that is killed asks at most so many feeds again for nothing."""
MAX_ENTRIES = 500
IDLE_SECONDS = 0.05
"""When nothing has come for so long, what is there is written."""

_T = TypeVar("_T")
OnWritten = Callable[[UpdateCounts], None]


class WriteBatch:
    """What waits to be written; all of it is in the end, whatever happens."""

    def __init__(self, store: Store, now: datetime) -> None:
        self._store = store
        self._now = now
        self._waiting: list[tuple[FeedUpdate, OnWritten]] = []
        self._entries = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.flush()

    def add(self, update: FeedUpdate, on_written: OnWritten) -> None:
        """Keep an update, soon; where it is of no entry, there is nothing to wait for before telling."""
        entries = len(update.changes.entries) + len(update.changes.vanished) + len(update.changes.reappeared)
        if not entries:
            on_written(UpdateCounts())
        self._waiting.append((update, on_written if entries else _ignore))
        self._entries += entries
        if len(self._waiting) >= MAX_FEEDS or self._entries >= MAX_ENTRIES:
            self.flush()

    def flush(self) -> None:
        """Write what waits, and tell what it came to."""
        waiting, self._waiting, self._entries = self._waiting, [], 0
        if waiting:
            applied = self._store.entries.apply([update for update, _ in waiting], now=self._now)
            for (_, tell), each in zip(waiting, applied, strict=True):
                tell(each)

    async def flush_when_idle(self, things: AsyncIterator[_T]) -> AsyncIterator[_T]:
        """Yield what comes, and write entries whenever nothing else has come for a moment."""
        while True:
            upcoming = asyncio.ensure_future(anext(things, None))
            try:
                if self._entries and not (await asyncio.wait({upcoming}, timeout=IDLE_SECONDS))[0]:
                    self.flush()
                thing = await upcoming
            finally:
                upcoming.cancel()
            if thing is None:
                return
            yield thing


def _ignore(applied: UpdateCounts) -> None:
    pass
