"""Fetch feeds that are due, process their documents and store the changes.

A failure of one feed is reported and does not stop the others; a bug propagates.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from pipeline.ingest import polling
from pipeline.jobs.feeds.full_text import MAX_PAGES
from pipeline.jobs.feeds.process import FeedProcessor, ProcessedFeed
from pipeline.jobs.feeds.write_batch import WriteBatch
from pipeline.jobs.ports import OpenFeedFetcher
from pipeline.model.cpu_budget import CpuClock
from pipeline.model.errors import MissingSecretError, NotAFeedError
from pipeline.model.feed import Feed, FeedState
from pipeline.model.fetch import FetchOutcome, FetchRequest, Headers
from pipeline.model.update import FeedUpdate, UpdateCounts
from pipeline.store import Store

IsDue = Callable[[FeedState, datetime], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedReport:
    """The result of refreshing one feed."""

    feed_id: str
    outcome: str
    """Kind of the outcome (``ok``, ``timeout`` …), or ``waiting`` for a feed that was not due."""
    message: str
    """The outcome in words and, if something can be done about it, what."""
    ok: bool
    applied: UpdateCounts = field(default_factory=UpdateCounts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresher:
    """Updates the stored entries and states of feeds."""

    store: Store
    open_fetcher: OpenFeedFetcher
    interval: timedelta
    """How often to fetch a feed that has no interval of its own."""
    headers: Callable[[str], Headers] = lambda feed_id: ()
    """Returns the extra headers of a feed by id, or raises MissingSecretError."""
    cpu_clock: CpuClock = time.thread_time

    def refresh(
        self,
        feeds: Sequence[Feed],
        *,
        now: datetime,
        is_due: IsDue = polling.can_fetch,
        on_report: Callable[[FeedReport], None] = lambda report: None,
    ) -> tuple[FeedReport, ...]:
        """Fetch the feeds that are due, and return a report for each feed, in their order.

        ``is_due`` is ``polling.is_due`` for scheduled runs, ``can_fetch`` for a person and ``can_force`` for
        ``--force``. ``on_report`` is called with each report once its changes are stored.
        """
        states = self.store.feeds.states()
        reports: dict[str, FeedReport] = {}
        due_feeds: list[_DueFeed] = []
        for feed in feeds:
            state = _current_state(feed, states.get(feed.id))
            try:
                if is_due(state, now):
                    due_feeds.append(_DueFeed(feed=feed, state=state, headers=self.headers(feed.id)))
                    continue
                report = FeedReport(
                    feed_id=feed.id,
                    outcome="waiting",
                    message=polling.explain_wait(state),
                    ok=not state.failures and state.gone_at is None,
                )
            except MissingSecretError as error:
                report = self._report_missing_secret(state, error, now)
            reports[feed.id] = report
            on_report(report)
        if due_feeds:
            blocked_hosts = polling.blocked_hosts(states.values(), now)
            asyncio.run(self._fetch(due_feeds, blocked_hosts, now, reports, on_report))
        return tuple(reports[feed.id] for feed in feeds)

    async def _fetch(
        self,
        due_feeds: Sequence[_DueFeed],
        blocked_hosts: Mapping[str, datetime],
        now: datetime,
        reports: dict[str, FeedReport],
        on_report: Callable[[FeedReport], None],
    ) -> None:
        by_id = {due.feed.id: due for due in due_feeds}
        # Start failing feeds first, so that waiting for their timeouts overlaps with parsing the others.
        requests = [due.request(now) for due in sorted(due_feeds, key=lambda due: due.state.failures == 0)]
        page_budget = iter(range(MAX_PAGES))

        def report(processed: ProcessedFeed, counts: UpdateCounts) -> None:
            counts = replace(counts, same=counts.same + processed.update.changes.untouched)
            omission = processed.update.state.channel.omission if processed.outcome.has_body else ""
            feed_report = replace(_report(processed.outcome, omission, *processed.notes), applied=counts)
            reports[feed_report.feed_id] = feed_report
            on_report(feed_report)

        with WriteBatch(self.store, now) as batch:
            async with self.open_fetcher(blocked_hosts=blocked_hosts) as fetcher:
                processor = FeedProcessor(
                    store=self.store, fetcher=fetcher, now=now, page_budget=page_budget, cpu_clock=self.cpu_clock
                )
                async for outcome in batch.flush_when_idle(fetcher.fetch_all(requests, now=now)):
                    processed = await self._process(by_id[outcome.key], outcome, processor)
                    batch.add(processed.update, partial(report, processed))

    async def _process(self, due: _DueFeed, outcome: FetchOutcome, processor: FeedProcessor) -> ProcessedFeed:
        """Return the changes of an outcome: of the state, and of entries if there is a new document."""
        interval = due.feed.interval or self.interval
        if outcome.has_body:
            try:
                return await processor.process(due.feed, due.state, outcome, interval)
            except NotAFeedError as error:
                outcome = replace(outcome, kind=error.kind, detail=error.detail, specific_advice=error.advice, body=b"")
        state = polling.next_state(due.state, outcome, now=processor.now, interval=interval)
        return ProcessedFeed(outcome=outcome, update=FeedUpdate(state=state))

    def _report_missing_secret(self, state: FeedState, error: MissingSecretError, now: datetime) -> FeedReport:
        """Save and report a feed whose secret is missing; it stays due, to be fetched as soon as there is one."""
        outcome = FetchOutcome(key=state.feed_id, url=state.url, kind="no_secret", detail=str(error))
        self.store.feeds.save(
            replace(
                state,
                failures=state.failures + 1,
                failing_since=state.failing_since or now,
                checked_at=now,
                outcome=outcome.kind,
                detail=outcome.detail,
                advice=outcome.advice,
            )
        )
        return _report(outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class _DueFeed:
    feed: Feed
    state: FeedState
    headers: Headers

    def request(self, now: datetime) -> FetchRequest:
        """Return the request, for the URL the feed moved to. Headers are only sent to the configured URL."""
        state = replace(self.state, current_url="") if self.headers else self.state
        return polling.build_request(state, now, headers=self.headers)


def _current_state(feed: Feed, state: FeedState | None) -> FeedState:
    """Return the stored state, or a new one if the feed or its URL is new."""
    if state and state.url == feed.url:
        return state
    # After a change of URL, entries are new; those of a new feed would be archive.
    return FeedState(feed_id=feed.id, url=feed.url, first_read_at=state.first_read_at if state else None)


def _report(outcome: FetchOutcome, *notes: str) -> FeedReport:
    return FeedReport(
        feed_id=outcome.key,
        outcome=outcome.kind,
        message="; ".join(part for part in (outcome.message, *notes) if part),
        ok=outcome.ok,
    )
