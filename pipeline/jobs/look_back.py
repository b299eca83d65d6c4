"""Look through the archive for what a week's digest points back to.

In: a store, a week and its stories. Out: Older. Only reads; costs what the digest takes, not what the archive holds.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.digest.archive import A_YEAR, MOST_ARCHIVE, MOST_RELATED, Older, Shelf, instead, year_ago
from pipeline.digest.related import COMMON, Likeness, candidates, nearest, telling_words
from pipeline.model.entry import StoredEntry
from pipeline.model.feed import Feed
from pipeline.model.week import Week, WeekClock
from pipeline.store import Store

_RECENT = timedelta(weeks=8)
_NOT_LONG_AGO = timedelta(weeks=26)
"""A thin week is filled from between these two: older than anybody's inbox, newer than anybody's memory."""

Group = tuple[StoredEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """What may be shown again in one week's digest."""

    store: Store
    shelf: Shelf
    bounds: tuple[datetime, datetime]

    @classmethod
    def of(cls, store: Store, feeds: Sequence[Feed], clock: WeekClock, week: Week) -> Archive:
        """Open the archive as it stood when the week was settled, or as it is."""
        bounds = clock.bounds(week)
        told = [feed.id for feed in feeds if feed.kind != "links"]
        settled_at = store.settled_weeks().get(str(week))
        shelf = Shelf(opens_at=bounds[0], week=str(week), settled_at=settled_at, feed_ids=told)
        return cls(store=store, shelf=shelf, bounds=bounds)

    def look_back(self, groups: Sequence[Group], *, wanted: int) -> Older:
        """Find what to point back to; a week of fewer than ``wanted`` stories is filled up with older ones."""
        stories = [group for group in groups if group[0].entry.feed_id in self.shelf.feed_ids]
        own = {each.entry_id for group in groups for each in group}
        related = self._related(stories, own)
        anniversary = year_ago(self._between(-A_YEAR, -A_YEAR), self.shelf)
        if not stories or len(stories) >= wanted:
            return Older(related=related, year_ago=anniversary)
        near = [each for found in related.values() for each in found]
        recent = self.store.entries_between(
            self.bounds[0] - _NOT_LONG_AGO, self.bounds[0] - _RECENT, list(self.shelf.feed_ids)
        )
        held = [each for each in reversed(recent) if self.shelf.holds(each)]
        told = [*anniversary, *(each for group in groups for each in group)]
        most = MOST_ARCHIVE - len(anniversary)
        return Older(year_ago=anniversary, instead=instead([*near, *held], told, most))

    def _related(self, stories: Sequence[Group], own: Collection[int]) -> dict[int, tuple[StoredEntry, ...]]:
        """Find what is about the same as each story, by its first entry's id; all at once, in two questions."""
        weights = {group[0].entry_id: telling_words([each.entry for each in group]) for group in stories}
        asked = {word: None for weighed in weights.values() for word in weighed}
        having, total = self.store.entries_with(asked, seen_by=self.shelf.settled_at, most=COMMON)
        alike = {first: Likeness.of(weighed, having, total) for first, weighed in weights.items()}
        near = {first: candidates(likeness, without=own) for first, likeness in alike.items()}
        looked_at = self.store.entries_by_id({each for found in near.values() for each in found})
        held = [each for each in looked_at if self.shelf.holds(each)]
        return {
            first: nearest(alike[first], [each for each in held if each.entry_id in found], most=MOST_RELATED)
            for first, found in near.items()
        }

    def _between(self, opens: timedelta, closes: timedelta) -> list[StoredEntry]:
        opens_at, closes_at = self.bounds
        return self.store.entries_between(opens_at + opens, closes_at + closes, list(self.shelf.feed_ids))
