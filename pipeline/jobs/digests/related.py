"""Load the older entries that a week's digest links to. The cost depends on the digest, not on the archive."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from math import log

from pipeline.digest.compose.archive import (
    MAX_ARCHIVE,
    MAX_RELATED,
    ONE_YEAR,
    ArchiveContent,
    ArchiveFilter,
    choose_filler,
    choose_year_ago,
)
from pipeline.digest.compose.related import (
    MAX_TERM_ENTRIES,
    RankedEntry,
    Similarity,
    candidates,
    distribute_related,
    key_terms,
    rank_related,
)
from pipeline.digest.selection.select import Selection
from pipeline.jobs.digests.context import DigestContext
from pipeline.jobs.digests.selection import entries_by_reference
from pipeline.model.edition import Overrides, matches
from pipeline.model.entry import StoredEntry
from pipeline.model.week import Week
from pipeline.store import Store

FILLER_MIN_AGE = timedelta(weeks=8)
FILLER_MAX_AGE = timedelta(weeks=26)
"""A thin week is filled with entries between these ages: no longer fresh in memory, not yet out of date."""


def load_archive_content(store: Store, context: DigestContext, week: Week, selection: Selection) -> ArchiveContent:
    """Return the older entries to link to; a week with fewer than ``context.min_stories`` stories gets fillers.

    Each older story is shown once; it belongs to the story that the editor chose it for, else to the most similar one,
    else to a year ago. In a thin week, related entries that the editor did not choose are offered as fillers first. A
    closed week only sees what had been stored when it closed.
    """
    opens_at, closes_at = context.calendar.bounds(week)
    archive_filter = ArchiveFilter(
        opens_at=opens_at,
        week=str(week),
        closed_at=store.weeks.closed().get(str(week)),
        feed_ids=[feed.id for feed in context.feeds if feed.kind != "links"],
        excluded=selection.overrides.leave_out,
    )
    lookup = _Lookup(store=store, archive_filter=archive_filter)
    stories = [story for story in selection.stories if story[0].entry.feed_id in archive_filter.feed_ids]
    chosen = lookup.chosen_by_editor(stories, selection.overrides)
    in_week = {stored.entry_id for story in selection.stories for stored in story}
    new = [*chain(*selection.stories, *chosen.values())]
    ranked = lookup.related([story for story in stories if story[0].entry_id not in chosen], in_week)
    a_year_ago = lookup.between(opens_at - ONE_YEAR, closes_at - ONE_YEAR)
    if not selection.stories or len(stories) >= context.min_stories:
        related = distribute_related(ranked, chain(*chosen.values()), max_entries=MAX_RELATED)
        shown = [*new, *chain(*related.values())]
        return ArchiveContent(related=related | chosen, year_ago=choose_year_ago(a_year_ago, archive_filter, shown))
    year_ago = choose_year_ago(a_year_ago, archive_filter, new)
    recent = reversed(lookup.between(opens_at - FILLER_MAX_AGE, opens_at - FILLER_MIN_AGE))
    related = distribute_related(ranked, max_entries=MAX_RELATED)
    offered = [*chain(*related.values()), *filter(archive_filter.allows, recent)]
    return ArchiveContent(
        related=chosen, year_ago=year_ago, filler=choose_filler(offered, [*new, *year_ago], MAX_ARCHIVE - len(year_ago))
    )


def archive_rarity(store: Store, words: Collection[str], *, first_seen_by: datetime | None) -> dict[str, float]:
    """Return how rare words are in the archive, as it was at an instant; those that many entries have are left out."""
    if not words:
        return {}
    matching, total = store.word_index.search(words, first_seen_by=first_seen_by, max_matches=MAX_TERM_ENTRIES)
    return {word: log(1 + total / len(ids)) for word, ids in matching.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lookup:
    """Queries for older entries that one week's digest may show."""

    store: Store
    archive_filter: ArchiveFilter

    def chosen_by_editor(
        self, stories: Sequence[tuple[StoredEntry, ...]], overrides: Overrides
    ) -> dict[int, tuple[StoredEntry, ...]]:
        """Return the related entries the editor chose, in their order, by the id of the story's first entry.

        Stories that the editor left to the program are missing; those that should have none map to an empty tuple.
        """
        chosen = {}
        for story in stories:
            for reference, related in overrides.related.items():
                if any(matches(reference, stored.entry) for stored in story):
                    entries = (entries_by_reference(self.store, [wanted]) for wanted in related)
                    chosen[story[0].entry_id] = tuple(chain.from_iterable(entries))
                    break
        return chosen

    def related(
        self, stories: Sequence[tuple[StoredEntry, ...]], excluded: Collection[int]
    ) -> dict[int, tuple[RankedEntry, ...]]:
        """Return the entries related to each story, by the id of its first entry; two queries for all stories."""
        terms = {story[0].entry_id: key_terms([stored.entry for stored in story]) for story in stories}
        matching, total = self.store.word_index.search(
            dict.fromkeys(chain.from_iterable(of_story.weights for of_story in terms.values())),
            first_seen_by=self.archive_filter.closed_at,
            max_matches=MAX_TERM_ENTRIES,
        )
        similarity = {story: Similarity.from_terms(of_story, matching, total) for story, of_story in terms.items()}
        nearest = {story: candidates(scores, excluded=excluded) for story, scores in similarity.items()}
        stored = self.store.entries.by_id({entry_id for ids in nearest.values() for entry_id in ids})
        allowed = {entry.entry_id: entry for entry in stored if self.archive_filter.allows(entry)}
        return {
            story: rank_related(similarity[story], [allowed[entry_id] for entry_id in ids if entry_id in allowed])
            for story, ids in nearest.items()
        }

    def between(self, start: datetime, end: datetime) -> list[StoredEntry]:
        """Return the entries of the archive's feeds published from ``start`` until ``end``, oldest first."""
        return self.store.entries.between(start, end, list(self.archive_filter.feed_ids))
