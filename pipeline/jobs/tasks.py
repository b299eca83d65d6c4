"""The tasks that fetch feeds and write drafts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import ClassVar

from pipeline.ingest import polling
from pipeline.jobs.digests.build import write_digest
from pipeline.jobs.digests.context import DigestContext
from pipeline.jobs.feeds.refresh import IsDue, Refresher
from pipeline.jobs.run_log import log_feed
from pipeline.model.errors import FeedsFailedError, NothingToPublishError, RefusedError, ThinWeekError
from pipeline.model.feed import Feed
from pipeline.model.run import Run, is_claimable
from pipeline.model.schedule import At, Schedule
from pipeline.scheduler.engine import Deferred, Done, Task
from pipeline.store import Store

FETCH_SECONDS = 900.0
"""How long a fetch may take, and ``FETCH_SECONDS_PER_FEED`` in addition: all feeds may be on one host."""
FETCH_SECONDS_PER_FEED = 2.0
CONFIRMATION_INTERVAL = timedelta(minutes=10)
"""How often a draft is tried again that waits until somebody confirms what was sent before a restore."""


def fetch_task(schedule: Schedule, refresher: Refresher, feeds: Sequence[Feed]) -> Task:
    """Return the task that fetches the feeds that are due.

    If no feed could be reached the last time, all are fetched: the network was probably down, not the feeds.
    """

    def run(period: str, now: datetime) -> Done:
        is_due = polling.can_fetch if _all_unreachable(refresher.store, feeds) else polling.is_due
        return Done(message=_fetch(refresher, feeds, now, is_due))

    return Task(id="fetch", schedule=schedule, run=run, max_seconds=_max_fetch_seconds(feeds))


def first_fetch_task(refresher: Refresher, feeds: Sequence[Feed]) -> Task:
    """Return the task that fetches feeds that are new or have a new URL, without waiting for the next fetch."""

    def run(period: str, now: datetime) -> Done:
        return Done(message=_fetch(refresher, never_fetched(refresher.store, feeds), now, polling.can_fetch))

    new_feeds = NewFeedsSchedule(store=refresher.store, feeds=feeds)
    return Task(id="first-fetch", schedule=new_feeds, run=run, max_seconds=_max_fetch_seconds(feeds))


def draft_task(schedule: Schedule, store: Store, build_context: Callable[[], DigestContext], out: Path) -> Task:
    """Return the task that writes the draft of the week that had closed when the period began.

    A week without entries is tried again when a feed has new content: a feed may have failed, or an entry may have been
    too new.
    """

    def run(period: str, now: datetime) -> Done | Deferred:
        context = build_context()
        zone = context.calendar.zone
        began_at = schedule.began_at(now, zone) if isinstance(schedule, At) else now
        week = context.calendar.newest_closed(began_at)
        if unconfirmed := store.editions.unconfirmed():
            reason = f"{unconfirmed.week} may have been sent already; nobody has said whether it was"
            return Deferred(reason=reason, until=now + CONFIRMATION_INTERVAL, week=str(week))
        try:
            written = write_digest(store, context, week, out, now=now)
        except ThinWeekError as reason:
            return Done(message=str(reason), week=str(week))
        except NothingToPublishError as reason:
            return Deferred(reason=str(reason), until=schedule.next_at(now, zone), week=str(week))
        except RefusedError as reason:  # the editor holds or skipped the edition
            return Done(message=str(reason), week=str(week))
        message = f"{week}: “{written.edition.subject}” in {written.paths[0].parent}"
        return Done(message=message, week=str(week))

    def has_new_content(run: Run) -> bool:
        states = store.feeds.states().values()
        return any(state.new_content_at and state.new_content_at > run.claimed_at for state in states)

    return Task(id="draft", schedule=schedule, run=run, is_ready=has_new_content)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFeedsSchedule:
    """A schedule that fires when config.toml has feeds that were never fetched."""

    store: Store
    feeds: Sequence[Feed]
    never_repeats: ClassVar[bool] = True

    def period(self, now: datetime, zone: tzinfo) -> str:
        """Return the date and a hash of the new feeds; empty if there are none.

        The date is part of the key because a feed that is removed and comes back later is new again.
        """
        fetch = self.store.runs.newest().get("fetch")
        if fetch is None or (fetch.status == "running" and not is_claimable(fetch, now)):
            return ""  # the fetch task fetches them now, or will with all others
        names = sorted(f"{feed.id} {feed.url}" for feed in never_fetched(self.store, self.feeds))
        return f"{now:%Y-%m-%d} {hashlib.sha256(' '.join(names).encode()).hexdigest()[:16]}" if names else ""

    def next_at(self, now: datetime, zone: tzinfo) -> None:
        """Return None: it is unknown when a feed will be added."""
        return


def never_fetched(store: Store, feeds: Sequence[Feed]) -> tuple[Feed, ...]:
    """Return the feeds that were never fetched from the URL they have now."""
    states = store.feeds.states()
    return tuple(feed for feed in feeds if feed.id not in states or states[feed.id].url != feed.url)


def _max_fetch_seconds(feeds: Sequence[Feed]) -> float:
    return FETCH_SECONDS + FETCH_SECONDS_PER_FEED * len(feeds)


def _all_unreachable(store: Store, feeds: Sequence[Feed]) -> bool:
    states = store.feeds.states()
    known = [states[feed.id] for feed in feeds if feed.id in states and states[feed.id].gone_at is None]
    return bool(known) and all(state.outcome == "unreachable" for state in known)


def _fetch(refresher: Refresher, feeds: Sequence[Feed], now: datetime, is_due: IsDue) -> str:
    """Fetch feeds and return a summary; FeedsFailedError if some failed."""
    reports = refresher.refresh(feeds, now=now, is_due=is_due, on_report=log_feed)
    fetched = [report for report in reports if report.outcome != "waiting"]
    new = sum(report.applied.new for report in fetched)
    quarantined = sum(report.applied.quarantined for report in fetched)
    summary = f"{len(fetched)} of {len(reports)} feeds fetched, {new} new entries"
    summary += f", {quarantined} quarantined" if quarantined else ""
    failed = [report for report in fetched if not report.ok]
    if failed:
        message = "; ".join([summary, *(f"{report.feed_id} {report.message}" for report in failed)])
        names = [report.feed_id for report in failed]
        raise FeedsFailedError(message, retry=_all_unreachable(refresher.store, feeds), feeds=names)
    return summary
