"""How it is doing: feeds, newest entries and weeks at a glance.

In: a store, the feeds, the clock of weeks. Out: a Status. Only reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.model.digest import WeekSummary
from pipeline.model.feed import Feed, FeedCount, FeedState
from pipeline.model.week import Week, WeekClock
from pipeline.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedStatus:
    """One feed at a glance."""

    feed: Feed
    state: FeedState
    count: FeedCount


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Everything at a glance."""

    feeds: tuple[FeedStatus, ...]
    weeks: tuple[WeekSummary, ...]
    """Newest first."""
    made: dict[str, datetime]
    """The closed weeks whose digest was made, and when."""


def status(store: Store, feeds: Sequence[Feed], clock: WeekClock, *, now: datetime, weeks: int = 12) -> Status:
    """Look at every feed and at the newest ``weeks`` weeks that have entries."""
    states, counts = store.feed_states(), store.feed_counts()
    return Status(
        feeds=tuple(
            FeedStatus(
                feed=feed,
                state=states.get(feed.id) or FeedState(feed_id=feed.id, url=feed.url),
                count=counts.get(feed.id, FeedCount()),
            )
            for feed in feeds
        ),
        weeks=recent_weeks(store, feeds, clock, now=now, most=weeks),
        made=store.settled_weeks(),
    )


def recent_weeks(
    store: Store, feeds: Sequence[Feed], clock: WeekClock, *, now: datetime, most: int = 12
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
    return tuple(_summary(week, counts, clock, now) for week, counts in found.items())


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
