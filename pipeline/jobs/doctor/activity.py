"""Feeds: how they answered when they were last asked.

In: what is remembered of the feeds. Out: Signs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo

from pipeline.jobs.monitoring.feed_health import feed_health_results
from pipeline.jobs.monitoring.run_health import run_health_results
from pipeline.model.feed import FeedState
from pipeline.model.health import HealthResult
from pipeline.model.run import Run
from pipeline.model.schedule import At, Schedule
from pipeline.model.week import WeekCalendar
from pipeline.scheduler.engine import Task
from pipeline.text.format import format_datetime


def check_feeds(states: Sequence[FeedState], zone: tzinfo) -> Iterator[HealthResult]:
    """Pass on each feed's last outcome, and what to do about it."""
    for state in states:
        yield from feed_health_results(state, (), zone)
    if not states:
        mend = "`pipeline feeds add URL` adds one"
        yield HealthResult(
            category="feeds", name="config.toml", level="warning", message="names no feed to read", fix=mend
        )


def check_runs(tasks: Sequence[Task], newest: Mapping[str, Run], now: datetime, zone: tzinfo) -> Iterator[HealthResult]:
    """Say what is not well about them, or when something ran last."""
    signs = tuple(run_health_results(tasks, newest, now, zone))
    yield from signs
    if not signs:
        last = max(newest.values(), key=lambda run: run.claimed_at)
        finding = f"ran {format_datetime(last.claimed_at, zone)} and went well"
        yield HealthResult(category="runs", name=last.task_id, level="well", message=finding)


def check_schedule(clock: WeekCalendar, draft: Schedule, send: At | None, now: datetime) -> Iterator[HealthResult]:
    """Look whether the newest draft before the next mailing is of the week that it sends; nothing without a mailing."""
    if send is None:
        return
    send_at = send.next_at(now, clock.zone)
    drafted_at = draft.began_at(send_at, clock.zone) if isinstance(draft, At) else send_at - draft.interval
    good = drafted_at < send_at and clock.newest_closed(drafted_at) == clock.newest_closed(send_at)
    finding = "each letter is drafted before it goes out"
    missed = "the week that [schedule] send sends is not drafted before it, so nobody sees it in time"
    yield HealthResult(
        category="time",
        name="schedule",
        level="well" if good else "warning",
        message=finding if good else missed,
        fix="" if good else "let [digest] week_closes come first, then [schedule] draft, then send",
    )


def check_approval_mode(*, wanted: bool, possible: bool) -> Iterator[HealthResult]:
    """Say so where letters are to go out unapproved, and nothing lets the editor see them first."""
    if wanted and not possible:
        finding = '[digest] approval = "unless-held" has no effect: nothing goes out unapproved that nobody was shown'
        mend = 'give [delivery] smtp_host, which takes the proofs, or write approval = "required"'
        yield HealthResult(category="mail", name="approval", level="warning", message=finding, fix=mend)
