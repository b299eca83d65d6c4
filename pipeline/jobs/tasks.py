"""What the daemon and cron do at their times: reading feeds and making drafts.

In: rhythms and what the jobs need. Out: Tasks for ``tick``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import ClassVar

from pipeline.ingest import polling as poll
from pipeline.jobs.digests.build import write_digest
from pipeline.jobs.digests.context import DigestContext
from pipeline.jobs.feeds.refresh import FeedReport, IsDue, Refresher
from pipeline.jobs.run_log import log_feed
from pipeline.model.errors import FeedsFailedError, NothingToPublishError, RefusedError, ThinWeekError
from pipeline.model.feed import Feed
from pipeline.model.run import Run, is_claimable
from pipeline.model.schedule import At, Schedule
from pipeline.scheduler.engine import Deferred, Task
from pipeline.store import Store


def fetch_task(schedule: Schedule, refresher: Refresher, feeds: Sequence[Feed]) -> Task:
    """Look at the feeds that are due; at all of them, after none could be reached."""

    def run(period: str, now: datetime) -> str:
        return _read(refresher, feeds, now, _due(refresher.store, feeds))

    return Task(id="fetch", schedule=schedule, run=run)


def first_fetch_task(refresher: Refresher, feeds: Sequence[Feed]) -> Task:
    """Look at feeds that were added, or have another address, without waiting for the next round."""

    def run(period: str, now: datetime) -> str:
        return _read(refresher, never_fetched(refresher.store, feeds), now, poll.can_fetch)

    return Task(id="new feeds", schedule=NewFeedsSchedule(store=refresher.store, feeds=feeds), run=run)


def draft_task(schedule: Schedule, store: Store, build_context: Callable[[], DigestContext], out: Path) -> Task:
    """Make the digest of the week that was the newest closed one when the period began, or as soon as it has entries.

    What keeps it empty may pass: feeds that failed when it was due, entries that were still fresh.
    """

    def run(period: str, now: datetime) -> str | Deferred:
        press = build_context()
        began_at = schedule.began_at(now, press.calendar.zone) if isinstance(schedule, At) else now
        week = press.calendar.newest_closed(began_at)
        try:
            made = write_digest(store, press, week, out, now=now)
        except ThinWeekError as reason:
            return str(reason)
        except NothingToPublishError as reason:
            return Deferred(reason=str(reason), until=schedule.next_at(now, press.calendar.zone))
        except RefusedError as reason:
            return str(reason)  # one that somebody holds or skipped is no trouble
        return f"{week}: “{made.edition.subject}” in {made.paths[0].parent}"

    def fed(run: Run) -> bool:
        """Tell whether any feed has had news since."""
        return any(
            state.new_content_at and state.new_content_at > run.claimed_at for state in store.feed_states().values()
        )

    return Task(id="draft", schedule=schedule, run=run, is_ready=fed)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFeedsSchedule:
    """A rhythm with an occasion for every set of feeds that were never asked."""

    store: Store
    feeds: Sequence[Feed]
    never_repeats: ClassVar[bool] = True

    def period(self, now: datetime, zone: tzinfo) -> str:
        """Name the feeds that were never asked, briefly, and the day: who comes back later is new again."""
        fetch = self.store.runs.newest().get("fetch")
        if fetch is None or (fetch.status == "underway" and not is_claimable(fetch, now)):
            return ""  # they are being asked, or will be with all the others
        names = sorted(f"{feed.id} {feed.url}" for feed in never_fetched(self.store, self.feeds))
        return f"{now:%Y-%m-%d} {hashlib.sha256(' '.join(names).encode()).hexdigest()[:16]}" if names else ""

    def next_at(self, now: datetime, zone: tzinfo) -> None:
        """Nobody can know."""
        return


def never_fetched(store: Store, feeds: Sequence[Feed]) -> tuple[Feed, ...]:
    """Give the feeds that were never asked at the address they have now."""
    states = store.feed_states()
    return tuple(feed for feed in feeds if feed.id not in states or states[feed.id].url != feed.url)


def _due(store: Store, feeds: Sequence[Feed]) -> IsDue:
    """Choose whom to ask. Where none could be reached it was the way there: their own waits say nothing then."""
    return poll.can_fetch if _none_reached(store, feeds) else poll.is_due


def _none_reached(store: Store, feeds: Sequence[Feed]) -> bool:
    states = store.feed_states()
    known = [states[feed.id] for feed in feeds if feed.id in states and states[feed.id].gone_at is None]
    return bool(known) and all(state.outcome == "unreachable" for state in known)


def _read(refresher: Refresher, feeds: Sequence[Feed], now: datetime, due: IsDue) -> str:
    reports = refresher.refresh(feeds, now=now, is_due=due, on_report=log_feed)
    asked = [each for each in reports if each.outcome != "waiting"]
    line = f"{len(asked)} of {len(reports)} feeds asked, {_entries(asked)}"
    failed = [each for each in asked if not each.ok]
    if failed:
        told = "; ".join([line, *(f"{each.feed_id} {each.message}" for each in failed)])
        names = [each.feed_id for each in failed]
        raise FeedsFailedError(told, retry=_none_reached(refresher.store, feeds), feeds=names)
    return line


def _entries(reports: Iterable[FeedReport]) -> str:
    """Count what is new; what is held back has not come in."""
    new = sum(each.applied.new for each in reports)
    held = sum(each.applied.quarantined for each in reports)
    return f"{new} new entries" + (f", {held} held back" if held else "")
