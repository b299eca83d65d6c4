"""What a digest points back to: older entries beside this week's, marked as such and counted as nothing.

In: stored entries that may be shown again, the week's stories. Out: Older. Pure.

A settled week only ever knows what was there when it was settled, so nothing that is read later changes it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipeline.model.digest import RelatedEntry
from pipeline.model.edition import matches_any
from pipeline.model.entry import StoredEntry
from pipeline.text.similarity import title_key
from pipeline.text.titles import strip_episode_number

ONE_YEAR = timedelta(weeks=52)
"""The same weekday a year ago."""
MAX_RELATED = 2
MAX_ARCHIVE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveContent:
    """What there is to point back to."""

    related: Mapping[int, tuple[StoredEntry, ...]] = field(default_factory=dict)
    """A story's first entry id to what is about the same, nearest first."""
    year_ago: tuple[StoredEntry, ...] = ()
    """What was told in this week a year ago; at most one."""
    filler: tuple[StoredEntry, ...] = ()
    """What a thin week is filled with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveFilter:
    """Which entries may be shown again in a week's digest."""

    opens_at: datetime
    week: str
    closed_at: datetime | None
    feed_ids: Collection[str]
    """Feeds of posts and episodes: a link is of its day."""
    excluded: Collection[str] = ()
    """References of entries the editor does not want to see again."""

    def allows(self, stored: StoredEntry) -> bool:
        """Tell whether an entry is older than the week, was news once or never will be, and was known in time.

        What waits in quarantine may be what was told already, under another name.
        """
        known = self.closed_at is None or stored.first_seen_at <= self.closed_at
        over = not stored.quarantined_at and (
            stored.archived or bool(stored.assigned_week and stored.assigned_week < self.week)
        )
        entry = stored.entry
        dated = entry.published_at < self.opens_at and entry.dated_by != "first_seen"
        shown = bool(entry.url and entry.title) and not matches_any(self.excluded, entry)
        return known and over and dated and entry.feed_id in self.feed_ids and shown


def choose_year_ago(candidates: Iterable[StoredEntry], archive_filter: ArchiveFilter) -> tuple[StoredEntry, ...]:
    """Choose what to show of the same week a year ago: what there is to read before what there is to hear."""
    held = [each for each in candidates if archive_filter.allows(each)]
    return tuple(sorted(held, key=lambda each: (each.entry.is_episode, each.entry.published_at, each.entry_id))[:1])


def choose_filler(
    candidates: Iterable[StoredEntry], shown: Sequence[StoredEntry], max_entries: int
) -> tuple[StoredEntry, ...]:
    """Choose what to fill a thin week with: the first of what is proposed, each title once."""
    titles = {title_key(each.entry.title) for each in shown}
    chosen: dict[str, StoredEntry] = {}
    for each in candidates:
        if title_key(each.entry.title) not in titles:
            chosen.setdefault(title_key(each.entry.title), each)
    return tuple(chosen.values())[: max(0, max_entries)]


def related_entries(entries: Iterable[StoredEntry]) -> tuple[RelatedEntry, ...]:
    """Say of older entries what a line about them needs, under the titles they had as stories."""
    return tuple(
        RelatedEntry(
            title=strip_episode_number(each.entry.title, each.entry.episode, each.entry.season),
            url=each.entry.url,
            published_at=each.entry.published_at,
            guid=each.entry.guid,
            feed_id=each.entry.feed_id,
        )
        for each in entries
    )
