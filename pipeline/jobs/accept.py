"""Take in what a feed that turned new at once holds back: the editor looked, and it is in order.

In: a store, a feed's id, the clock of weeks, the moment. Out: how many entries came in. Fetches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipeline.model.entry import StoredEntry
from pipeline.model.week import WeekClock
from pipeline.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What came in."""

    news: int
    """Entries for the next digest."""
    backlog: int
    """Older ones, kept for the weeks of their dates."""


def accept(store: Store, feed_id: str, clock: WeekClock, *, now: datetime) -> Accepted:
    """Let a feed's entries out of quarantine, each as what it is by its date.

    News is what was published in the week in which it was first seen, or later: the next digest tells it, even when
    that week has closed meanwhile. What is older, or has no date, is backlog, as if it came with a new feed.
    """
    waiting = store.in_quarantine(feed_id)
    news = [each.entry_id for each in waiting if _is_news(each, clock)]
    backlog = [each.entry_id for each in waiting if not _is_news(each, clock)]
    if waiting:
        store.accept(news=news, backlog=backlog, now=now)
    return Accepted(news=len(news), backlog=len(backlog))


def _is_news(waiting: StoredEntry, clock: WeekClock) -> bool:
    entry = waiting.entry
    return entry.dated_by != "first_seen" and clock.week_of(entry.published_at) >= clock.week_of(waiting.first_seen_at)
