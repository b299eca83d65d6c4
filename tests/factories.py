"""Entries for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipeline.model.entry import Enclosure, Entry, StoredEntry

MONDAY = datetime(2026, 2, 9, tzinfo=UTC)
"""When 2026-W07 opens."""
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)


def entry(title: str = "Bread", at: datetime = MONDAY, *, feed: str = "blog", guid: str = "", **more: object) -> Entry:
    """Return an entry with its own page."""
    slug = title.lower().replace(" ", "-")
    values = {"guid": guid or f"{feed}:{slug}", "url": f"https://{feed}.example/{slug}", "published_at": at}
    return Entry(**({"feed_id": feed, "title": title} | values | more))


def episode(title: str = "Bread", at: datetime = MONDAY, *, feed: str = "podcast", **more: object) -> Entry:
    """Return an entry with audio."""
    audio = Enclosure(url=f"https://audio.example/{title}.mp3", media_type="audio/mpeg")
    return entry(title, at, feed=feed, **({"enclosure": audio} | more))


def stored(of: Entry, entry_id: int = 1, *, first_seen_at: datetime | None = None, **more: object) -> StoredEntry:
    """Return a stored entry; it was first seen an hour after its date by default."""
    first_seen_at = first_seen_at or of.published_at + timedelta(hours=1)
    return StoredEntry(
        **({"entry_id": entry_id, "entry": of, "first_seen_at": first_seen_at, "changed_at": first_seen_at} | more)
    )
