"""Gather the entries a week's digest is chosen from, and choose.

In: a store, what a digest is made with, a week, the moment. Out: Selections and the why-ledger. Only reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from pipeline.digest.selection.assignment import WeekAssignment
from pipeline.digest.selection.link_limit import limit_links
from pipeline.digest.selection.select import Selection, select
from pipeline.jobs.digests.context import DigestContext
from pipeline.jobs.editor.files import entries_outside_window
from pipeline.model.digest import Decision
from pipeline.model.edition import SealedEdition
from pipeline.model.entry import StoredEntry
from pipeline.model.week import Week
from pipeline.store import Store

PAIRING_WINDOW = timedelta(days=14)
"""How far around an entry its story's other half is looked for."""
_BEGINNING, _END = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)


def select_entries(store: Store, press: DigestContext, week: Week, *, now: datetime) -> Selection:
    """Choose a week's entries from what lies around it, as the editor wishes."""
    return _select(store, press, week, _candidates(store, press, week), now)


def explain_decisions(
    store: Store, press: DigestContext, week: Week, *, now: datetime, max_entries: int = 2_000
) -> tuple[Decision, ...]:
    """Account for every entry of the feeds; when there are more than ``most``, for those around the week."""
    candidates = _candidates(store, press, week)
    if sum(count.entries for feed, count in store.feed_counts().items() if feed in press.feed_ids) <= max_entries:
        known = {each.entry_id for each in candidates}
        everything = store.entries_between(_BEGINNING, _END, press.feed_ids)
        candidates += [each for each in everything if each.entry_id not in known]
    return _select(store, press, week, candidates, now).decisions


def _select(store: Store, press: DigestContext, week: Week, stored: Sequence[StoredEntry], now: datetime) -> Selection:
    calendar = WeekAssignment(
        calendar=press.calendar,
        closed_weeks=store.closed_weeks(),
        records=store.editions.all(),
        newest_closed=press.calendar.newest_closed(now),
        quiet_since=now - press.quiet_period if press.quiet_period else None,
    )
    sealed = store.editions.sealed(str(week)) if calendar.is_sent(week) else None
    if sealed:  # what the editor's file says by now, and how many links are enough, came too late for it
        return select(week, [*stored, *_missing(store, sealed, stored)], calendar, press.feeds, sealed.overrides)
    overrides = press.read_overrides(week, stored)
    everything = [*stored, *entries_outside_window(store, overrides, stored)]
    selection = select(week, everything, calendar, press.feeds, overrides)
    return limit_links(selection, press.link_feed_ids, max_links=press.max_links)


def _missing(store: Store, sealed: SealedEdition, stored: Sequence[StoredEntry]) -> list[StoredEntry]:
    """Give what an edition tells and lies not around its week: entries the editor put in from afar."""
    return store.entries_by_id(set(sealed.entry_ids) - {each.entry_id for each in stored})


def _candidates(store: Store, press: DigestContext, week: Week) -> list[StoredEntry]:
    """Give what a week may take, and what lies so near to it in time that it may be the same story."""
    opens_at, closes_at = press.calendar.bounds(week)
    start, end = opens_at - PAIRING_WINDOW, closes_at + PAIRING_WINDOW
    from_afar = [*store.late_unassigned(press.feed_ids, before=opens_at), *store.entries_of_week(str(week))]
    found = [*store.entries_between(start, end, press.feed_ids), *from_afar]
    for since, until in _spans(each.entry.published_at for each in from_afar):
        found += store.entries_between(since, min(until, start), press.feed_ids)
    return list({each.entry_id: each for each in found if each.entry.feed_id in press.feed_ids}.values())


def _spans(instants: Iterable[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """Give the neighbourhoods of instants, those that overlap as one."""
    since = until = None
    for instant in sorted(instants):
        if since and until and instant - PAIRING_WINDOW > until:
            yield since, until
            since = None
        since, until = since or instant - PAIRING_WINDOW, instant + PAIRING_WINDOW
    if since and until:
        yield since, until
