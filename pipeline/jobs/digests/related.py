"""Look through the archive for what a week's digest points back to.

In: a store, a week and its stories. Out: Older. Only reads; costs what the digest takes, not what the archive holds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from pipeline.digest.compose.archive import (
    MAX_ARCHIVE,
    MAX_RELATED,
    ONE_YEAR,
    ArchiveContent,
    ArchiveFilter,
    choose_filler,
    choose_year_ago,
)
from pipeline.digest.compose.related import MAX_TERM_ENTRIES, Similarity, candidates, key_terms, rank_related
from pipeline.jobs.editor.files import entries_by_reference
from pipeline.model.edition import Overrides, matches
from pipeline.model.entry import StoredEntry
from pipeline.model.feed import Feed
from pipeline.model.week import Week, WeekCalendar
from pipeline.store import Store

_RECENT = timedelta(weeks=8)
_NOT_LONG_AGO = timedelta(weeks=26)
"""A thin week is filled from between these two: older than anybody's inbox, newer than anybody's memory."""

Group = tuple[StoredEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLookup:
    """What may be shown again in one week's digest."""

    store: Store
    archive_filter: ArchiveFilter
    bounds: tuple[datetime, datetime]
    requested: Mapping[str, tuple[str, ...]]
    """What the editor wants to be pointed to, under a story that is named by a reference."""

    @classmethod
    def for_week(
        cls, store: Store, feeds: Sequence[Feed], clock: WeekCalendar, week: Week, overrides: Overrides
    ) -> ArchiveLookup:
        """Open the archive as it stood when the week was settled, or as it is; without what the editor leaves out."""
        bounds = clock.bounds(week)
        told = [feed.id for feed in feeds if feed.kind != "links"]
        settled_at = store.closed_weeks().get(str(week))
        shelf = ArchiveFilter(
            opens_at=bounds[0], week=str(week), closed_at=settled_at, feed_ids=told, excluded=overrides.leave_out
        )
        return cls(store=store, archive_filter=shelf, bounds=bounds, requested=overrides.related)

    def find(self, groups: Sequence[Group], *, min_stories: int) -> ArchiveContent:
        """Find what to point back to; a week of fewer than ``wanted`` stories is filled up with older ones.

        What the editor asked for stays under its story; the rest of what is related goes first into a thin week.
        """
        stories = [group for group in groups if group[0].entry.feed_id in self.archive_filter.feed_ids]
        asked = {group[0].entry_id: pieces for group in stories if (pieces := self._asked(group)) is not None}
        own = {each.entry_id for group in groups for each in group}
        found = self._related([group for group in stories if group[0].entry_id not in asked], own)
        anniversary = choose_year_ago(self._a_year_ago(), self.archive_filter)
        if not groups or len(stories) >= min_stories:
            return ArchiveContent(related=found | asked, year_ago=anniversary)
        told = [*anniversary, *chain(*groups, *asked.values())]
        proposed = [*chain(*found.values()), *self._not_long_ago()]
        filling = choose_filler(proposed, told, MAX_ARCHIVE - len(anniversary))
        return ArchiveContent(related=asked, year_ago=anniversary, filler=filling)

    def _asked(self, group: Group) -> tuple[StoredEntry, ...] | None:
        """Give what the editor wants under a story, in their order; None where they leave it to the program."""
        for reference, wanted in self.requested.items():
            if any(matches(reference, each.entry) for each in group):
                return tuple(found for each in wanted for found in entries_by_reference(self.store, [each]))
        return None

    def _related(self, stories: Sequence[Group], own: Collection[int]) -> dict[int, tuple[StoredEntry, ...]]:
        """Find what is about the same as each story, by its first entry's id; all at once, in two questions."""
        weights = {group[0].entry_id: key_terms([each.entry for each in group]) for group in stories}
        asked = {word: None for weighed in weights.values() for word in weighed}
        having, total = self.store.search_words(
            asked, first_seen_by=self.archive_filter.closed_at, max_matches=MAX_TERM_ENTRIES
        )
        alike = {first: Similarity.from_terms(weighed, having, total) for first, weighed in weights.items()}
        near = {first: candidates(likeness, excluded=own) for first, likeness in alike.items()}
        looked_at = self.store.entries_by_id({each for found in near.values() for each in found})
        held = [each for each in looked_at if self.archive_filter.allows(each)]
        return {
            first: rank_related(
                alike[first], [each for each in held if each.entry_id in found], max_entries=MAX_RELATED
            )
            for first, found in near.items()
        }

    def _a_year_ago(self) -> list[StoredEntry]:
        return self._between(*(instant - ONE_YEAR for instant in self.bounds))

    def _not_long_ago(self) -> list[StoredEntry]:
        """Give what is old enough to be told again and new enough to be of use, the newest first."""
        found = self._between(self.bounds[0] - _NOT_LONG_AGO, self.bounds[0] - _RECENT)
        return [each for each in reversed(found) if self.archive_filter.allows(each)]

    def _between(self, start: datetime, end: datetime) -> list[StoredEntry]:
        return self.store.entries_between(start, end, list(self.archive_filter.feed_ids))
