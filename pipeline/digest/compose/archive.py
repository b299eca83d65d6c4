"""Older content in a digest: related entries, one from a year ago, filler for thin weeks. It is not published again.

A closed week only sees what had been stored when it was closed, so that later fetches do not change it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from pipeline.digest.compose.related import OlderStories
from pipeline.model.digest import RelatedEntry, StoryKind
from pipeline.model.edition import matches_any
from pipeline.model.entry import StoredEntry
from pipeline.text.titles import strip_episode_number

ONE_YEAR = timedelta(weeks=52)
"""The same weekday a year ago."""
MAX_RELATED = 2
MAX_ARCHIVE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthContent:
    """The best stories of a month's earlier editions, for the variants that show them once more."""

    opens_at: datetime | None = None
    """When the first week of the month opened; None if the month is not over."""
    stories: tuple[tuple[StoryKind, tuple[StoredEntry, ...]], ...] = ()
    """The leads and the stories in full, those of the newest edition first."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """The editor's notes on them, by reference."""


NO_MONTH = MonthContent()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveContent:
    """The older entries that a digest links to."""

    related: Mapping[int, tuple[StoredEntry, ...]] = field(default_factory=dict)
    """Id of a story's first entry to older entries about the same topic, the most similar first."""
    year_ago: tuple[StoredEntry, ...] = ()
    """At most one entry of the same week a year ago."""
    filler: tuple[StoredEntry, ...] = ()
    """Older entries that fill a thin week."""
    month: MonthContent = NO_MONTH
    """The best of the month's earlier editions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveFilter:
    """Decides which entries a week's digest may show again."""

    opens_at: datetime
    week: str
    closed_at: datetime | None
    """When the week was closed; None if it is not."""
    feed_ids: Collection[str]
    """Feeds of posts and episodes; links are not shown again."""
    excluded: Collection[str] = ()
    """References of entries that the editor leaves out."""

    def allows(self, stored: StoredEntry) -> bool:
        """Return whether an entry is older than the week, is no longer news, and was stored when the week was closed.

        A quarantined entry is not allowed: it may be a published one under another name.
        """
        entry, week = stored.entry, stored.assigned_week
        if stored.quarantined_at or not (stored.archived or (week and week < self.week)):
            return False
        if self.closed_at is not None and stored.first_seen_at > self.closed_at:
            return False
        if entry.published_at >= self.opens_at or entry.dated_by == "first_seen":
            return False
        has_page = bool(entry.url and entry.title)
        return has_page and entry.feed_id in self.feed_ids and not matches_any(self.excluded, entry)


def choose_year_ago(
    candidates: Iterable[StoredEntry], archive_filter: ArchiveFilter, shown: Iterable[StoredEntry] = ()
) -> tuple[StoredEntry, ...]:
    """Return the entry from a year ago to show, if any: the earliest post, or else episode, that is not yet shown."""
    allowed = [stored for stored in candidates if archive_filter.allows(stored)]
    allowed.sort(key=lambda stored: (stored.entry.is_episode, stored.entry.published_at, stored.entry_id))
    return choose_filler(allowed, shown, 1)


def choose_filler(
    candidates: Iterable[StoredEntry], shown: Iterable[StoredEntry], max_entries: int
) -> tuple[StoredEntry, ...]:
    """Return the first candidates, each story once and none that is already shown."""
    known = OlderStories(shown)
    return tuple(islice((stored for stored in candidates if known.add(stored)), max(0, max_entries)))


def related_entries(entries: Iterable[StoredEntry]) -> tuple[RelatedEntry, ...]:
    """Return entries as they are linked to, under the titles of their stories."""
    return tuple(
        RelatedEntry(
            title=strip_episode_number(stored.entry.title, stored.entry.episode, stored.entry.season),
            url=stored.entry.url,
            published_at=stored.entry.published_at,
            guid=stored.entry.guid,
            feed_id=stored.entry.feed_id,
        )
        for stored in entries
    )
