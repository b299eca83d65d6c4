"""How it is doing: feeds, newest entries and weeks at a glance.

In: a store, the feeds, the clock of weeks, a press for when it is needed. Out: a Status. Only reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from types import MappingProxyType

from pipeline.ingest.polling import moved_hint
from pipeline.jobs.digests.context import DigestContext
from pipeline.jobs.monitoring.feed_health import feed_health_results
from pipeline.model.digest import EditionState, WeekSummary
from pipeline.model.edition import EditionRecord
from pipeline.model.errors import PipelineError
from pipeline.model.feed import Feed, FeedState, FeedStats
from pipeline.model.health import HealthResult
from pipeline.model.week import Week, WeekCalendar
from pipeline.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedStatus:
    """One feed at a glance."""

    feed: Feed
    state: FeedState
    count: FeedStats
    warnings: tuple[str, ...] = ()
    """What an editor should know of it, one sentence's end each."""
    health: tuple[HealthResult, ...] = ()
    """The same for who looks after it, with what to do: one at least."""
    next_fetch_at: datetime | None = None
    """When it is asked next; None where that is not known, or never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionStatus:
    """One edition at a glance."""

    week: str
    state: EditionState
    number: int | None = None
    blockers: tuple[str, ...] = ()
    """What has to happen before it goes on, a phrase each."""
    failed: bool = False
    """True when it cannot go on before something is mended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledRun:
    """When something is done next."""

    task: str
    at: datetime
    """Aware, in the publication's time zone."""
    in_seconds: float
    """From now; 0 when it is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """What a task did last."""

    task: str
    period: str
    status: str
    """``model.run.Outcome``."""
    message: str
    started_at: datetime
    """When it began, aware UTC."""
    duration_seconds: float | None = None
    """How long it took; None while it is under way."""
    attempts: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Everything at a glance."""

    feeds: tuple[FeedStatus, ...]
    weeks: tuple[WeekSummary, ...]
    """Newest first."""
    drafted_at: dict[str, datetime]
    """The closed weeks whose digest was made, and when."""
    records: dict[str, EditionRecord]
    """The weeks whose edition was ever moved, and where it stands."""
    changes: dict[str, tuple[str, ...]]
    """Of the approved editions that wait to be sent: what has changed since, a phrase each."""
    healthy: bool = True
    """True while nothing needs mending."""
    summary: str = ""
    """How it is doing, in one."""
    editions: tuple[EditionStatus, ...] = ()
    """Those that are still under way, and the newest that is out; newest first."""
    next_runs: tuple[ScheduledRun, ...] = ()
    """What comes next, in order of time."""
    last_runs: tuple[LastRun, ...] = ()
    """What each task did last."""
    problems: tuple[HealthResult, ...] = ()
    """What wants a look or needs mending, the gravest first."""


def load_status(
    store: Store,
    feeds: Sequence[Feed],
    calendar: WeekCalendar,
    build_context: Callable[[], DigestContext],
    *,
    now: datetime,
) -> Status:
    """Look at every feed, at the newest weeks that have entries, and at every edition."""
    changes = changes_since_approval(store, build_context, now=now)
    return Status(
        feeds=load_feed_status(store, feeds, calendar.zone),
        weeks=recent_weeks(store, feeds, calendar, now=now, changes=changes),
        drafted_at=store.weeks.closed(),
        records=store.editions.all(),
        changes=changes,
    )


def load_feed_status(store: Store, feeds: Sequence[Feed], zone: tzinfo = UTC) -> tuple[FeedStatus, ...]:
    """Look at every feed; moments in words are of ``zone``."""
    states, counts = store.feeds.states(), store.feeds.stats()
    return tuple(_feed(feed, states.get(feed.id), counts.get(feed.id, FeedStats()), zone) for feed in feeds)


def _feed(feed: Feed, remembered: FeedState | None, count: FeedStats, zone: tzinfo) -> FeedStatus:
    state = remembered or FeedState(feed_id=feed.id, url=feed.url)
    held = f"holds back {count.quarantined} entries that turned new at once: `pipeline feeds accept {feed.id}`"
    remarks = (held if count.quarantined else "", moved_hint(state.channel, state.current_url or feed.url))
    said = tuple(filter(None, remarks))
    return FeedStatus(
        feed=feed, state=state, count=count, warnings=said, health=tuple(feed_health_results(state, said, zone))
    )


def changes_since_approval(
    store: Store, build_context: Callable[[], DigestContext], *, now: datetime
) -> dict[str, tuple[str, ...]]:
    """Say of each approved edition what has changed since; the press is only opened when there is one."""
    from pipeline.jobs.digests.build import (
        changes_since_approval,  # most often there is none, and the digest's rooms are heavy
    )

    found: dict[str, tuple[str, ...]] = {}
    for week, standing in store.editions.all().items():
        sealed = store.editions.sealed(week) if standing.state == "approved" else None
        if sealed:
            try:
                found[week] = changes_since_approval(store, build_context(), sealed, now=now)
            except PipelineError as trouble:
                found[week] = (f"a draft cannot be made now: {trouble}",)
    return found


def recent_weeks(
    store: Store,
    feeds: Sequence[Feed],
    calendar: WeekCalendar,
    *,
    now: datetime,
    max_weeks: int = 12,
    changes: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> tuple[WeekSummary, ...]:
    """List the newest ``most`` weeks that have entries, newest first; entries are counted by the week of their date."""
    kinds = {feed.id: feed.kind for feed in feeds}
    newest_at = store.entries.newest_at(list(kinds))
    found: dict[Week, Counter[str]] = {}
    while newest_at is not None and len(found) < max_weeks:
        week = calendar.week_of(newest_at)
        opens_at, closes_at = calendar.bounds(week)
        stored = store.entries.between(opens_at, closes_at, list(kinds))
        found[week] = Counter("episode" if each.entry.is_episode else kinds[each.entry.feed_id] for each in stored)
        newest_at = store.entries.newest_at(list(kinds), before=opens_at)
    standings = store.editions.all()
    summaries = [_summary(week, counts, calendar, now) for week, counts in found.items()]
    return tuple(_standing(each, standings, changes) for each in summaries)


def _standing(
    summary: WeekSummary, standings: Mapping[str, EditionRecord], changes: Mapping[str, tuple[str, ...]]
) -> WeekSummary:
    standing = standings.get(summary.week) or EditionRecord(week=summary.week)
    changed = bool(changes.get(summary.week))
    return replace(summary, state=standing.state, number=standing.number, changed=changed)


def _summary(week: Week, counts: Counter[str], clock: WeekCalendar, now: datetime) -> WeekSummary:
    opens_at, closes_at = clock.bounds(week)
    return WeekSummary(
        week=str(week),
        opens_at=opens_at.astimezone(clock.zone),
        closes_at=closes_at.astimezone(clock.zone),
        posts=counts["blog"] + counts["podcast"],
        episodes=counts["episode"],
        links=counts["links"],
        is_open=now < closes_at,
    )
