"""How it is doing: feeds, newest entries and weeks at a glance.

In: a store, the feeds, the clock of weeks, a press for when it is needed. Out: a Status. Only reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from pipeline.ingest.poll import says_it_moved
from pipeline.jobs.press import Press
from pipeline.model.digest import WeekSummary
from pipeline.model.edition import Standing
from pipeline.model.errors import PipelineError
from pipeline.model.feed import Feed, FeedCount, FeedState
from pipeline.model.week import Week, WeekClock
from pipeline.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedStatus:
    """One feed at a glance."""

    feed: Feed
    state: FeedState
    count: FeedCount
    remarks: tuple[str, ...] = ()
    """What an editor should know of it, one sentence's end each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Everything at a glance."""

    feeds: tuple[FeedStatus, ...]
    weeks: tuple[WeekSummary, ...]
    """Newest first."""
    made: dict[str, datetime]
    """The closed weeks whose digest was made, and when."""
    standings: dict[str, Standing]
    """The weeks whose edition was ever moved, and where it stands."""
    changes: dict[str, tuple[str, ...]]
    """Of the approved editions that wait to be sent: what has changed since, a phrase each."""


def status(
    store: Store, feeds: Sequence[Feed], clock: WeekClock, open_press: Callable[[], Press], *, now: datetime
) -> Status:
    """Look at every feed, at the newest weeks that have entries, and at every edition."""
    changes = changes_waiting(store, open_press, now=now)
    return Status(
        feeds=feeds_status(store, feeds),
        weeks=recent_weeks(store, feeds, clock, now=now, changes=changes),
        made=store.settled_weeks(),
        standings=store.editions.standings(),
        changes=changes,
    )


def feeds_status(store: Store, feeds: Sequence[Feed]) -> tuple[FeedStatus, ...]:
    """Look at every feed."""
    states, counts = store.feed_states(), store.feed_counts()
    return tuple(_feed(feed, states.get(feed.id), counts.get(feed.id, FeedCount())) for feed in feeds)


def _feed(feed: Feed, remembered: FeedState | None, count: FeedCount) -> FeedStatus:
    state = remembered or FeedState(feed_id=feed.id, url=feed.url)
    held = f"holds back {count.quarantined} entries that turned new at once: `pipeline feeds accept {feed.id}`"
    remarks = (held if count.quarantined else "", says_it_moved(state.channel, state.address or feed.url))
    return FeedStatus(feed=feed, state=state, count=count, remarks=tuple(filter(None, remarks)))


def changes_waiting(store: Store, open_press: Callable[[], Press], *, now: datetime) -> dict[str, tuple[str, ...]]:
    """Say of each approved edition what has changed since; the press is only opened when there is one."""
    from pipeline.jobs.weekly import changed_since  # most often there is none, and the digest's rooms are heavy

    found: dict[str, tuple[str, ...]] = {}
    for week, standing in store.editions.standings().items():
        sealed = store.editions.sealed(week) if standing.state == "approved" else None
        if sealed:
            try:
                found[week] = changed_since(store, open_press(), sealed, now=now)
            except PipelineError as trouble:
                found[week] = (f"a draft cannot be made now: {trouble}",)
    return found


def recent_weeks(
    store: Store,
    feeds: Sequence[Feed],
    clock: WeekClock,
    *,
    now: datetime,
    most: int = 12,
    changes: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> tuple[WeekSummary, ...]:
    """List the newest ``most`` weeks that have entries, newest first; entries are counted by the week of their date."""
    kinds = {feed.id: feed.kind for feed in feeds}
    newest_at = store.newest_entry_at(list(kinds))
    found: dict[Week, Counter[str]] = {}
    while newest_at is not None and len(found) < most:
        week = clock.week_of(newest_at)
        opens_at, closes_at = clock.bounds(week)
        stored = store.entries_between(opens_at, closes_at, list(kinds))
        found[week] = Counter("episode" if each.entry.is_episode else kinds[each.entry.feed_id] for each in stored)
        newest_at = store.newest_entry_at(list(kinds), before=opens_at)
    standings = store.editions.standings()
    summaries = [_summary(week, counts, clock, now) for week, counts in found.items()]
    return tuple(_standing(each, standings, changes) for each in summaries)


def _standing(
    summary: WeekSummary, standings: Mapping[str, Standing], changes: Mapping[str, tuple[str, ...]]
) -> WeekSummary:
    standing = standings.get(summary.week) or Standing(week=summary.week)
    changed = bool(changes.get(summary.week))
    return replace(summary, state=standing.state, number=standing.number, changed=changed)


def _summary(week: Week, counts: Counter[str], clock: WeekClock, now: datetime) -> WeekSummary:
    opens_at, closes_at = clock.bounds(week)
    return WeekSummary(
        week=str(week),
        opens_at=opens_at.astimezone(clock.zone),
        closes_at=closes_at.astimezone(clock.zone),
        posts=counts["blog"] + counts["podcast"],
        episodes=counts["episode"],
        links=counts["links"],
        running=now < closes_at,
    )
