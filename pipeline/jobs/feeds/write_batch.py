"""Store the changes of many feeds in few transactions.

A transaction mostly waits for the disk, so changes that arrive close together share one; a change that arrives alone is
not delayed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Self, TypeVar

from pipeline.model.update import FeedUpdate, UpdateCounts
from pipeline.store import Store

MAX_FEEDS = 100
"""Maximum number of feeds in a transaction, and so the most that a killed run has to fetch again."""
MAX_ENTRIES = 500
IDLE_SECONDS = 0.05
"""Pending changes are written when no other arrives within this time."""

_T = TypeVar("_T")
OnWritten = Callable[[UpdateCounts], None]


class WriteBatch:
    """Collects updates and writes them; the rest is written when the context ends, also after an exception."""

    def __init__(self, store: Store, now: datetime) -> None:
        self._store = store
        self._now = now
        self._pending: list[tuple[FeedUpdate, OnWritten]] = []
        self._entries = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.flush()

    def add(self, update: FeedUpdate, on_written: OnWritten) -> None:
        """Add an update. ``on_written`` is called once it is stored, or at once if it changes no entries."""
        entries = len(update.changes.entries) + len(update.changes.vanished) + len(update.changes.reappeared)
        if not entries:
            on_written(UpdateCounts())
        self._pending.append((update, on_written if entries else lambda counts: None))
        self._entries += entries
        if len(self._pending) >= MAX_FEEDS or self._entries >= MAX_ENTRIES:
            self.flush()

    def flush(self) -> None:
        """Write all pending updates in one transaction."""
        pending, self._pending, self._entries = self._pending, [], 0
        if pending:
            all_counts = self._store.entries.apply([update for update, _ in pending], now=self._now)
            for (_, on_written), counts in zip(pending, all_counts, strict=True):
                on_written(counts)

    async def flush_when_idle(self, iterator: AsyncIterator[_T]) -> AsyncIterator[_T]:
        """Yield from ``iterator``, and write pending entries whenever it is idle for ``IDLE_SECONDS``."""
        while True:
            upcoming = asyncio.ensure_future(anext(iterator, None))
            try:
                if self._entries and not (await asyncio.wait({upcoming}, timeout=IDLE_SECONDS))[0]:
                    self.flush()
                value = await upcoming
            finally:
                upcoming.cancel()
            if value is None:
                return
            yield value
