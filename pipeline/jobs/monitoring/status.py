"""Records of the status of feeds, weeks, editions and tasks, and the functions that load them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from types import MappingProxyType

from pipeline.jobs.deliveries.progress import DispatchProgress
from pipeline.jobs.digests.context import DigestContext
from pipeline.jobs.monitoring.feed_health import feed_warnings, fetch_result, former_ids, renamed_result
from pipeline.model.digest import EditionState, WeekState, WeekSummary
from pipeline.model.edition import EditionRecord
from pipeline.model.errors import PipelineError
from pipeline.model.feed import Feed, FeedState, FeedStats
from pipeline.model.health import HealthResult
from pipeline.model.run import RunStatus
from pipeline.model.week import Week, WeekCalendar
from pipeline.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedStatus:
    """One feed."""

    feed: Feed
    state: FeedState
    count: FeedStats
    warnings: tuple[HealthResult, ...] = ()
    """Warnings for the editor besides the last fetch: quarantine, an announced move."""
    health: tuple[HealthResult, ...] = ()
    """The last fetch, and the warnings."""
    next_fetch_at: datetime | None = None
    """None if it is unknown or the feed is no longer fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocker:
    """Something that has to happen before an edition can go on."""

    message: str
    fix: str = ""
    """Advice; empty if the message contains it."""

    def __str__(self) -> str:
        """Return message and fix in one line."""
        return f"{self.message}: {self.fix}" if self.fix else self.message


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionStatus:
    """One edition."""

    week: str
    state: EditionState
    number: int | None = None
    blockers: tuple[Blocker, ...] = ()
    failed: bool = False
    """Whether something has to be fixed before the edition can go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledRun:
    """The next run of a task."""

    task: str
    at: datetime
    """Aware, in the publication's time zone."""
    in_seconds: float
    """From now; 0 if it is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """The last run of a task."""

    task: str
    period: str
    status: RunStatus
    message: str
    started_at: datetime
    """Aware UTC."""
    duration_seconds: float | None = None
    """None while it is running."""
    attempts: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The status of a publication."""

    feeds: tuple[FeedStatus, ...]
    weeks: tuple[WeekSummary, ...]
    """Newest first."""
    drafted_at: dict[str, datetime]
    """When the draft of each closed week was written, by week."""
    records: dict[str, EditionRecord]
    """The edition of each week that ever changed its state."""
    changes: dict[str, tuple[str, ...]]
    """Changes since each approval, by week of the approved edition."""
    healthy: bool = True
    """True if there is no error."""
    summary: str = ""
    """One sentence."""
    editions: tuple[EditionStatus, ...] = ()
    """Unsent editions, and the newest that was sent or skipped; newest first."""
    next_runs: tuple[ScheduledRun, ...] = ()
    """In order of time."""
    last_runs: tuple[LastRun, ...] = ()
    """Newest first."""
    dispatches: tuple[DispatchProgress, ...] = ()
    """The sending of editions that is running or paused, or has uncertain deliveries; the oldest first."""
    problems: tuple[HealthResult, ...] = ()
    """Errors first, then warnings."""


def load_status(
    store: Store,
    feeds: Sequence[Feed],
    calendar: WeekCalendar,
    build_context: Callable[[], DigestContext],
    *,
    now: datetime,
) -> Status:
    """Return the status of every feed, of the newest weeks that have entries, and of every edition."""
    changes = approved_changes(store, build_context, now=now)
    return Status(
        feeds=load_feed_status(store, feeds, calendar.zone),
        weeks=recent_weeks(store, feeds, calendar, now=now, changes=changes),
        drafted_at=store.weeks.closed(),
        records=store.editions.all(),
        changes=changes,
    )


def load_feed_status(store: Store, feeds: Sequence[Feed], zone: tzinfo = UTC) -> tuple[FeedStatus, ...]:
    """Return the status of every feed; times in messages are in ``zone``."""
    states, stats = store.feeds.states(), store.feeds.stats()
    former = former_ids(feeds, states)
    statuses = []
    for feed in feeds:
        state = states.get(feed.id) or FeedState(feed_id=feed.id, url=feed.url)
        count = stats.get(feed.id, FeedStats())
        warnings = list(feed_warnings(state, count.quarantined))
        if former_id := former.get(feed.id):
            warnings.append(renamed_result(feed.id, former_id, stats.get(former_id, FeedStats()).entries))
        health = (fetch_result(state, zone), *warnings)
        statuses.append(FeedStatus(feed=feed, state=state, count=count, warnings=tuple(warnings), health=health))
    return tuple(statuses)


def approved_changes(
    store: Store, build_context: Callable[[], DigestContext], *, now: datetime
) -> dict[str, tuple[str, ...]]:
    """Return what has changed since each approval, by week; the context is built only if there is an approval."""
    from pipeline.jobs.digests.build import changes_since_approval  # slow to import, and rarely needed

    changes: dict[str, tuple[str, ...]] = {}
    for week, record in store.editions.all().items():
        sealed = store.editions.sealed(week) if record.state == "approved" else None
        if sealed:
            try:
                changes[week] = changes_since_approval(store, build_context(), sealed, now=now)
            except PipelineError as error:
                changes[week] = (f"no draft can be built now: {error}",)
    return changes


def recent_weeks(
    store: Store,
    feeds: Sequence[Feed],
    calendar: WeekCalendar,
    *,
    now: datetime,
    max_weeks: int = 12,
    changes: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> tuple[WeekSummary, ...]:
    """Return the newest weeks that have entries, newest first; entries are counted in the week of their date."""
    kinds = {feed.id: feed.kind for feed in feeds}
    newest_at = store.entries.newest_at(list(kinds))
    counts: dict[Week, Counter[str]] = {}
    while newest_at is not None and len(counts) < max_weeks:
        week = calendar.week_of(newest_at)
        opens_at, closes_at = calendar.bounds(week)
        entries = store.entries.between(opens_at, closes_at, list(kinds))
        counts[week] = Counter(
            "episode" if stored.entry.is_episode else kinds[stored.entry.feed_id] for stored in entries
        )
        newest_at = store.entries.newest_at(list(kinds), before=opens_at)
    records = store.editions.all()
    summaries = []
    for week, count in counts.items():
        record = records.get(str(week)) or EditionRecord(week=str(week))
        summary = _week_summary(week, count, calendar, now)
        changed = bool(changes.get(summary.week))
        state: WeekState = "open" if summary.is_open and record.state == "draft" else record.state
        summaries.append(replace(summary, state=state, number=record.number, changed=changed))
    return tuple(summaries)


def _week_summary(week: Week, count: Counter[str], calendar: WeekCalendar, now: datetime) -> WeekSummary:
    opens_at, closes_at = calendar.bounds(week)
    return WeekSummary(
        week=str(week),
        opens_at=opens_at.astimezone(calendar.zone),
        closes_at=closes_at.astimezone(calendar.zone),
        posts=count["blog"] + count["podcast"],
        episodes=count["episode"],
        links=count["links"],
        is_open=now < closes_at,
    )
