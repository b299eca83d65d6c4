"""Load the entries around a week and select the week's stories from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pipeline.digest.compose.compose import describe_texts
from pipeline.digest.selection.assignment import WeekAssignment
from pipeline.digest.selection.closing import (
    assignment_at_closing,
    closed_before,
    entries_at_closing,
    with_reasons_at_closing,
)
from pipeline.digest.selection.repeats import KnownTexts, compute_keys, distinctive_keys
from pipeline.digest.selection.select import Selection, limit_links, select
from pipeline.jobs.digests.context import DigestContext
from pipeline.jobs.digests.furniture import FurnitureRemover
from pipeline.model.digest import Decision
from pipeline.model.edition import Overrides, matches_any
from pipeline.model.entry import StoredEntry
from pipeline.model.week import Week
from pipeline.store import Store
from pipeline.text.urls import url_key

PAIRING_WINDOW = timedelta(days=14)
"""How far around an entry to search for the other half of its story."""
_WEEKS_NEAR = 3
"""In how many weeks before and after its own the other half of a story may be."""
_MIN_DATE, _MAX_DATE = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)


def select_entries(store: Store, context: DigestContext, week: Week, *, now: datetime) -> Selection:
    """Return the stories of a week and the decision on every entry around it, with the editor's overrides applied."""
    return _select(store, context, week, _entries_around(store, context, week), now)


def explain_decisions(
    store: Store, context: DigestContext, week: Week, *, now: datetime, max_entries: int = 2_000
) -> tuple[Decision, ...]:
    """Return the decision on every entry of the feeds; on those around the week if there are over ``max_entries``."""
    entries = _entries_around(store, context, week)
    if sum(count.entries for feed, count in store.feeds.stats().items() if feed in context.feed_ids) <= max_entries:
        loaded = {stored.entry_id for stored in entries}
        everything = store.entries.between(_MIN_DATE, _MAX_DATE, context.feed_ids)
        entries += [stored for stored in everything if stored.entry_id not in loaded]
    selection = _select(store, context, week, entries, now)
    stories = FurnitureRemover(store, week, context.calendar).clean(selection.stories)
    texts = describe_texts(stories, context.feeds)
    return tuple(
        replace(decision, reason=f"{decision.reason}; text: {texts[decision.entry_id]}")
        if decision.entry_id in texts
        else decision
        for decision in selection.decisions
    )


def entries_by_reference(store: Store, references: Iterable[str]) -> list[StoredEntry]:
    """Return the stored entries that references name; reads all identities of their feeds, so use it sparingly."""
    entry_ids: list[int] = []
    for reference in references:
        feed_id, _, name = reference.partition(" ")
        key = url_key(name)
        entry_ids += [
            known.entry_id
            for known in store.entries.identities(feed_id)
            if known.guid == name or (key and known.url_key == key)
        ]
    return store.entries.by_id(entry_ids)


def _select(
    store: Store, context: DigestContext, week: Week, entries: Sequence[StoredEntry], now: datetime
) -> Selection:
    assignment = _assignment(store, context, week, now)
    sealed = store.editions.sealed(str(week)) if assignment.is_sent(week) else None
    if sealed:  # later changes of the editor's file and of the link limit do not apply to a sent edition
        missing = set(sealed.entry_ids) - {stored.entry_id for stored in entries}
        entries = [*entries, *store.entries.by_id(missing)]
        earlier = _earlier_entries(store, entries)
        known_texts = _known_texts(store, [*entries, *earlier])
        return select(week, entries, assignment, context.feeds, sealed.overrides, earlier, known_texts)
    overrides = context.read_overrides(week, entries)
    entries = [*entries, *_put_back_from_elsewhere(store, overrides, entries)]
    earlier = _earlier_entries(store, entries)
    known_texts = _known_texts(store, [*entries, *earlier])

    def choose(entries: Iterable[StoredEntry], earlier: Iterable[StoredEntry], assignment: WeekAssignment) -> Selection:
        selection = select(week, entries, assignment, context.feeds, overrides, earlier, known_texts)
        return limit_links(selection, context.link_feed_ids, max_links=context.max_links)

    selection = choose(entries, earlier, assignment)
    if closed_at := assignment.closed_weeks.get(str(week)):
        known = list(entries_at_closing(week, entries, assignment))
        known_earlier = entries_at_closing(week, _earlier_entries(store, known), assignment)
        at_closing = assignment_at_closing(week, _assignment(store, context, week, closed_at))
        selection = with_reasons_at_closing(selection, choose(known, known_earlier, at_closing))
    return selection


def _assignment(store: Store, context: DigestContext, week: Week, now: datetime) -> WeekAssignment:
    near = [str(week.next(step)) for step in range(-_WEEKS_NEAR, _WEEKS_NEAR + 1) if step]
    return WeekAssignment(
        calendar=context.calendar,
        closed_weeks=store.weeks.closed(),
        records=store.editions.all(),
        newest_closed=context.calendar.newest_closed(now),
        quiet_since=now - context.quiet_period if context.quiet_period else None,
        post_decides=context.post_decides_week,
        split_elsewhere=store.editions.splits(near),
    )


def _put_back_from_elsewhere(store: Store, overrides: Overrides, entries: Sequence[StoredEntry]) -> list[StoredEntry]:
    """Return the entries that the editor puts into a week and that do not lie around it."""
    missing = [
        reference
        for reference in overrides.put_back
        if not any(matches_any([reference], stored.entry) for stored in entries)
    ]
    return entries_by_reference(store, missing)


def _entries_around(store: Store, context: DigestContext, week: Week) -> list[StoredEntry]:
    """Return what a week may publish, and all entries near enough to those in time to be the same story."""
    opens_at, closes_at = context.calendar.bounds(week)
    start, end = opens_at - PAIRING_WINDOW, closes_at + PAIRING_WINDOW
    closed = store.weeks.closed()
    later = closed.keys() - {str(week)} - closed_before(week, closed).keys() if str(week) in closed else ()
    older = [
        *store.entries.late_unassigned(context.feed_ids, before=opens_at),
        *(stored for stored in store.entries.of_weeks(later, before=opens_at) if not stored.archived),
        *store.entries.of_weeks([str(week)]),
    ]
    entries = [*store.entries.between(start, end, context.feed_ids), *older]
    for since, until in _pairing_spans(stored.entry.published_at for stored in older):
        entries += store.entries.between(since, min(until, start), context.feed_ids)
    return list({stored.entry_id: stored for stored in entries if stored.entry.feed_id in context.feed_ids}.values())


def _earlier_entries(store: Store, entries: Sequence[StoredEntry]) -> list[StoredEntry]:
    """Return two earlier entries of each feed with fewer than three: they show what all its entries have in common."""
    by_feed: dict[str, list[datetime]] = {}
    for stored in entries:
        by_feed.setdefault(stored.entry.feed_id, []).append(stored.entry.published_at)
    return [
        stored
        for feed_id, dates in by_feed.items()
        if len(dates) < 3
        for stored in store.entries.newest_before(feed_id, min(dates), limit=2)
    ]


def _known_texts(store: Store, entries: Sequence[StoredEntry]) -> KnownTexts:
    """Return what the new ones among entries may repeat, whenever it was published."""
    keys = compute_keys(entries)
    published = store.editions.entries_with(distinctive_keys(entries, keys)) - {one.entry_id for one in entries}
    return KnownTexts(published=store.entries.by_id(published) if published else (), keys=keys)


def _pairing_spans(instants: Iterable[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """Yield the pairing windows around instants, overlapping ones merged, as (since, until)."""
    since = until = None
    for instant in sorted(instants):
        if since and until and instant - PAIRING_WINDOW > until:
            yield since, until
            since = None
        since, until = since or instant - PAIRING_WINDOW, instant + PAIRING_WINDOW
    if since and until:
        yield since, until
