"""Doctor checks of what runs automatically: feeds, tasks and the order of [schedule]."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo

from pipeline.jobs.monitoring.feed_health import fetch_result, former_ids, omission_results, renamed_result
from pipeline.jobs.monitoring.run_health import run_health_results
from pipeline.model.entry import StoredEntry
from pipeline.model.feed import Feed, FeedState
from pipeline.model.health import HealthResult
from pipeline.model.run import Run
from pipeline.model.schedule import At, Schedule
from pipeline.model.week import WeekCalendar
from pipeline.scheduler.engine import Task
from pipeline.text.format import format_datetime


def check_feeds(feeds: Sequence[Feed], states: Mapping[str, FeedState], zone: tzinfo) -> Iterator[HealthResult]:
    """Yield how the last fetch of each feed went, and warnings: too many entries, an id that was changed."""
    former = former_ids(feeds, states)
    for feed in feeds:
        state = states.get(feed.id) or FeedState(feed_id=feed.id)
        yield fetch_result(state, zone)
        yield from omission_results(state)
        if feed.id in former:
            yield renamed_result(feed.id, former[feed.id])
    if not feeds:
        fix = "add one with `pipeline feeds add URL`"
        yield HealthResult(category="feeds", name="config.toml", level="warning", message="names no feed", fix=fix)


def check_entry_dates(entries: Iterable[StoredEntry]) -> Iterator[HealthResult]:
    """Yield a warning for each feed that has dates which cannot be used."""
    dates: dict[str, list[str]] = {}
    for stored in entries:
        if stored.entry.unusable_date:
            dates.setdefault(stored.entry.feed_id, []).append(stored.entry.unusable_date)
    for feed_id, texts in dates.items():
        message = f"has {len(texts)} recent entries with a date that cannot be used, such as “{texts[-1]}”"
        fix = "ask the publisher for dates in RFC 822 or ISO 8601; until then, the day an entry is first seen counts"
        yield HealthResult(category="feeds", name=feed_id, level="warning", message=message, fix=fix)


def check_runs(tasks: Sequence[Task], newest: Mapping[str, Run], now: datetime, zone: tzinfo) -> Iterator[HealthResult]:
    """Yield which runs failed or are overdue; if none, when something ran last."""
    results = tuple(run_health_results(tasks, newest, now, zone))
    yield from results
    if not results:
        last = max(newest.values(), key=lambda run: run.claimed_at)
        message = f"ran {format_datetime(last.claimed_at, zone)} and succeeded"
        yield HealthResult(category="runs", name=last.task_id, level="ok", message=message)


def check_schedule(calendar: WeekCalendar, draft: Schedule, send: At | None, now: datetime) -> Iterator[HealthResult]:
    """Check that the next edition to be sent automatically is drafted before; nothing if none is."""
    if send is None:
        return
    send_at = send.next_at(now, calendar.zone)
    draft_at = draft.began_at(send_at, calendar.zone) if isinstance(draft, At) else send_at - draft.interval
    is_drafted = draft_at < send_at and calendar.newest_closed(draft_at) == calendar.newest_closed(send_at)
    if is_drafted:
        message = "every edition is drafted before it is sent"
        yield HealthResult(category="time", name="schedule", level="ok", message=message)
    else:
        message = "the week that [schedule] send sends is not drafted before, so nobody can check it in time"
        fix = "put [digest] week_closes first, then [schedule] draft, then send"
        yield HealthResult(category="time", name="schedule", level="warning", message=message, fix=fix)


def check_approval_mode(*, wanted: bool, possible: bool) -> Iterator[HealthResult]:
    """Check that editions can be sent without approval if they are supposed to be: the editor must get a proof."""
    if wanted and not possible:
        message = (
            '[digest] approval = "unless-held" has no effect: only editions whose proof was sent go out unapproved'
        )
        fix = 'set [delivery] smtp_host, so that proofs are sent, or write approval = "required"'
        yield HealthResult(category="mail", name="approval", level="warning", message=message, fix=fix)
