"""Look through the archive for what a week's digest points back to.

In: a store, a week and its stories. Out: Older. Only reads; costs what the digest takes, not what the archive holds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from pipeline.digest.archive import A_YEAR, MOST_ARCHIVE, MOST_RELATED, Older, Shelf, instead, year_ago
from pipeline.digest.related import COMMON, Likeness, candidates, nearest, telling_words
from pipeline.jobs.editor import look_up
from pipeline.model.edition import Overrides, refers
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
    asked: Mapping[str, tuple[str, ...]]
    """What the editor wants to be pointed to, under a story that is named by a reference."""

    @classmethod
    def of(cls, store: Store, feeds: Sequence[Feed], clock: WeekClock, week: Week, overrides: Overrides) -> Archive:
        """Open the archive as it stood when the week was settled, or as it is; without what the editor leaves out."""
        bounds = clock.bounds(week)
        told = [feed.id for feed in feeds if feed.kind != "links"]
        settled_at = store.settled_weeks().get(str(week))
        shelf = Shelf(
            opens_at=bounds[0], week=str(week), settled_at=settled_at, feed_ids=told, leave_out=overrides.leave_out
        )
        return cls(store=store, shelf=shelf, bounds=bounds, asked=overrides.related)

    def look_back(self, groups: Sequence[Group], *, wanted: int) -> Older:
        """Find what to point back to; a week of fewer than ``wanted`` stories is filled up with older ones.

        What the editor asked for stays under its story; the rest of what is related goes first into a thin week.
        """
        stories = [group for group in groups if group[0].entry.feed_id in self.shelf.feed_ids]
        asked = {group[0].entry_id: pieces for group in stories if (pieces := self._asked(group)) is not None}
        own = {each.entry_id for group in groups for each in group}
        found = self._related([group for group in stories if group[0].entry_id not in asked], own)
        anniversary = year_ago(self._a_year_ago(), self.shelf)
        if not groups or len(stories) >= wanted:
            return Older(related=found | asked, year_ago=anniversary)
        told = [*anniversary, *chain(*groups, *asked.values())]
        proposed = [*chain(*found.values()), *self._not_long_ago()]
        filling = instead(proposed, told, MOST_ARCHIVE - len(anniversary))
        return Older(related=asked, year_ago=anniversary, instead=filling)

    def _asked(self, group: Group) -> tuple[StoredEntry, ...] | None:
        """Give what the editor wants under a story, in their order; None where they leave it to the program."""
        for reference, wanted in self.asked.items():
            if any(refers(reference, each.entry) for each in group):
                return tuple(found for each in wanted for found in look_up(self.store, [each]))
        return None

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

    def _a_year_ago(self) -> list[StoredEntry]:
        return self._between(*(instant - A_YEAR for instant in self.bounds))

    def _not_long_ago(self) -> list[StoredEntry]:
        """Give what is old enough to be told again and new enough to be of use, the newest first."""
        found = self._between(self.bounds[0] - _NOT_LONG_AGO, self.bounds[0] - _RECENT)
        return [each for each in reversed(found) if self.shelf.holds(each)]

    def _between(self, start: datetime, end: datetime) -> list[StoredEntry]:
        return self.store.entries_between(start, end, list(self.shelf.feed_ids))
