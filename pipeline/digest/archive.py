"""What a digest points back to: older entries beside this week's, marked as such and counted as nothing.

In: stored entries that may be shown again, the week's stories. Out: Older. Pure.

A settled week only ever knows what was there when it was settled, so nothing that is read later changes it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipeline.model.digest import ArchivePiece
from pipeline.model.edition import named
from pipeline.model.entry import StoredEntry
from pipeline.text.headlines import without_number
from pipeline.text.likeness import title_key

A_YEAR = timedelta(weeks=52)
"""The same weekday a year ago."""
MOST_RELATED = 2
MOST_ARCHIVE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Older:
    """What there is to point back to."""

    related: Mapping[int, tuple[StoredEntry, ...]] = field(default_factory=dict)
    """A story's first entry id to what is about the same, nearest first."""
    year_ago: tuple[StoredEntry, ...] = ()
    """What was told in this week a year ago; at most one."""
    instead: tuple[StoredEntry, ...] = ()
    """What a thin week is filled with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Which entries may be shown again in a week's digest."""

    opens_at: datetime
    week: str
    settled_at: datetime | None
    feed_ids: Collection[str]
    """Feeds of posts and episodes: a link is of its day."""
    leave_out: Collection[str] = ()
    """References of entries the editor does not want to see again."""

    def holds(self, stored: StoredEntry) -> bool:
        """Tell whether an entry is older than the week, was news once or never will be, and was known in time.

        What waits in quarantine may be what was told already, under another name.
        """
        known = self.settled_at is None or stored.first_seen_at <= self.settled_at
        over = not stored.quarantined_at and (stored.backlog or bool(stored.week and stored.week < self.week))
        entry = stored.entry
        dated = entry.published_at < self.opens_at and entry.dated_by != "first_seen"
        shown = bool(entry.url and entry.title) and not named(self.leave_out, entry)
        return known and over and dated and entry.feed_id in self.feed_ids and shown


def year_ago(found: Iterable[StoredEntry], shelf: Shelf) -> tuple[StoredEntry, ...]:
    """Choose what to show of the same week a year ago: what there is to read before what there is to hear."""
    held = [each for each in found if shelf.holds(each)]
    return tuple(sorted(held, key=lambda each: (each.entry.is_episode, each.entry.published_at, each.entry_id))[:1])


def instead(found: Iterable[StoredEntry], without: Sequence[StoredEntry], most: int) -> tuple[StoredEntry, ...]:
    """Choose what to fill a thin week with: the first of what is proposed, each title once."""
    titles = {title_key(each.entry.title) for each in without}
    chosen: dict[str, StoredEntry] = {}
    for each in found:
        if title_key(each.entry.title) not in titles:
            chosen.setdefault(title_key(each.entry.title), each)
    return tuple(chosen.values())[: max(0, most)]


def pieces(found: Iterable[StoredEntry]) -> tuple[ArchivePiece, ...]:
    """Say of older entries what a line about them needs, under the titles they had as stories."""
    return tuple(
        ArchivePiece(
            title=without_number(each.entry.title, each.entry.episode, each.entry.season),
            url=each.entry.url,
            published_at=each.entry.published_at,
            guid=each.entry.guid,
            feed_id=each.entry.feed_id,
        )
        for each in found
    )
