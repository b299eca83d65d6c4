"""Release the quarantined entries of a feed after the editor accepted them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipeline.model.entry import StoredEntry
from pipeline.model.week import WeekCalendar
from pipeline.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedEntries:
    """Numbers of released entries."""

    new: int
    """Entries for the next digest."""
    archived: int
    """Entries that belong to the weeks of their dates, as if they had come with a new feed."""


def release_quarantine(store: Store, feed_id: str, calendar: WeekCalendar, *, now: datetime) -> ReleasedEntries:
    """Release all quarantined entries of a feed and return how many there were.

    An entry is new if it was published in the week in which it was first seen, or later: the next digest contains it,
    even if that week has closed. Older and undated entries are archived.
    """
    quarantined = store.entries.quarantined(feed_id)
    new = [stored.entry_id for stored in quarantined if _is_new(stored, calendar)]
    archived = [stored.entry_id for stored in quarantined if not _is_new(stored, calendar)]
    if quarantined:
        store.entries.release_quarantine(new=new, archived=archived, now=now)
    return ReleasedEntries(new=len(new), archived=len(archived))


def _is_new(stored: StoredEntry, calendar: WeekCalendar) -> bool:
    entry = stored.entry
    first_seen_week = calendar.week_of(stored.first_seen_at)
    return entry.dated_by != "first_seen" and calendar.week_of(entry.published_at) >= first_seen_week
