"""Take in what a feed that turned new at once holds back: the editor looked, and it is in order.

In: a store, a feed's id, the clock of weeks, the moment. Out: how many entries came in. Fetches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipeline.model.entry import StoredEntry
from pipeline.model.week import WeekCalendar
from pipeline.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedEntries:
    """What came in."""

    new: int
    """Entries for the next digest."""
    archived: int
    """Older ones, kept for the weeks of their dates."""


def release_quarantine(store: Store, feed_id: str, calendar: WeekCalendar, *, now: datetime) -> ReleasedEntries:
    """Let a feed's entries out of quarantine, each as what it is by its date.

    News is what was published in the week in which it was first seen, or later: the next digest tells it, even when
    that week has closed meanwhile. What is older, or has no date, is backlog, as if it came with a new feed.
    """
    waiting = store.quarantined_entries(feed_id)
    news = [each.entry_id for each in waiting if _is_new(each, calendar)]
    backlog = [each.entry_id for each in waiting if not _is_new(each, calendar)]
    if waiting:
        store.release_quarantine(new=news, archived=backlog, now=now)
    return ReleasedEntries(new=len(news), archived=len(backlog))


def _is_new(waiting: StoredEntry, clock: WeekCalendar) -> bool:
    entry = waiting.entry
    return entry.dated_by != "first_seen" and clock.week_of(entry.published_at) >= clock.week_of(waiting.first_seen_at)
