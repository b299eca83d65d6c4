"""Bring feeds up to date: fetch, parse, normalise, dedupe, keep.

In: feeds, a store, a fetcher, the moment. Out: one FeedReport a feed, as each is done. Trouble with one feed is a
value in its report and never stops the others; a bug propagates.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from pipeline.ingest import polling as poll
from pipeline.jobs.feeds.full_text import MAX_PAGES
from pipeline.jobs.feeds.process import FeedProcessor, ProcessedFeed
from pipeline.jobs.feeds.write_batch import WriteBatch
from pipeline.jobs.ports import OpenFeedFetcher
from pipeline.model.errors import MissingSecretError, NotAFeedError
from pipeline.model.feed import Feed, FeedState
from pipeline.model.fetch import FetchOutcome, FetchRequest, Headers
from pipeline.model.update import FeedUpdate, UpdateCounts
from pipeline.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedReport:
    """What came of one feed."""

    feed_id: str
    outcome: str
    """The outcome's word (``ok``, ``timeout`` …), or ``waiting`` for a feed that was not asked."""
    message: str
    """What happened and, where there is something to do, what."""
    ok: bool
    applied: UpdateCounts = field(default_factory=UpdateCounts)


IsDue = Callable[[FeedState, datetime], bool]


def _no_headers(feed_id: str) -> Headers:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresher:
    """Brings feeds up to date."""

    store: Store
    open_fetcher: OpenFeedFetcher
    interval: timedelta
    """How often a feed is asked when nothing speaks against it."""
    headers: Callable[[str], Headers] = _no_headers
    """The extra headers of a feed, by id; raises SecretMissing."""

    def refresh(
        self,
        feeds: Sequence[Feed],
        *,
        now: datetime,
        is_due: IsDue = poll.can_fetch,
        on_report: Callable[[FeedReport], None] = lambda report: None,
    ) -> tuple[FeedReport, ...]:
        """Ask the feeds that are ``due``; give a report for every one, in their order.

        ``poll.is_due`` is the schedule's due, ``can_fetch`` that of a person, ``can_force`` that of ``--force``.
        """
        states = self.store.feeds.states()
        reports: dict[str, FeedReport] = {}
        asked: list[_DueFeed] = []
        for feed in feeds:
            one = _due_feed(feed, states.get(feed.id))
            try:
                if is_due(one.state, now):
                    asked.append(replace(one, headers=self.headers(feed.id)))
                    continue
                report = _waiting(one.state)
            except MissingSecretError as missing:
                report = self._missing_secret(one.state, missing, now)
            reports[feed.id] = report
            on_report(report)
        if asked:
            asyncio.run(self._fetch(asked, poll.blocked_hosts(states.values(), now), now, reports, on_report))
        return tuple(reports[feed.id] for feed in feeds)

    async def _fetch(
        self,
        asked: Sequence[_DueFeed],
        holds: Mapping[str, datetime],
        now: datetime,
        reports: dict[str, FeedReport],
        on_report: Callable[[FeedReport], None],
    ) -> None:
        by_id = {one.feed.id: one for one in asked}
        # Who kept silent the last time is asked first: the others are read while it is waited for.
        requests = [one.request(now) for one in sorted(asked, key=lambda one: one.state.failures == 0)]
        pages = iter(range(MAX_PAGES))

        def tell(taken: ProcessedFeed, applied: UpdateCounts) -> None:
            report = reports[taken.outcome.key] = _report_processed(taken, applied)
            on_report(report)

        with WriteBatch(self.store, now) as batch:
            async with self.open_fetcher(blocked_hosts=holds) as fetcher:
                intake = FeedProcessor(store=self.store, fetcher=fetcher, now=now, page_budget=pages)
                async for outcome in batch.flush_when_idle(fetcher.fetch_all(requests, now=now)):
                    taken = await self._process(by_id[outcome.key], outcome, intake)
                    batch.add(taken.update, partial(tell, taken))

    def _missing_secret(self, state: FeedState, missing: MissingSecretError, now: datetime) -> FeedReport:
        """Report a feed whose secret is missing; it stays due, so that it is asked as soon as there is one."""
        outcome = FetchOutcome(key=state.feed_id, url=state.url, kind="no_secret", detail=str(missing))
        failing = replace(state, failures=state.failures + 1, failing_since=state.failing_since or now)
        seen = replace(failing, checked_at=now, outcome=outcome.kind, detail=outcome.message)
        self.store.feeds.save(seen)
        return _report(outcome)

    async def _process(self, asked: _DueFeed, outcome: FetchOutcome, intake: FeedProcessor) -> ProcessedFeed:
        """Decide what an outcome changes: entries where there is a fresh document, the state in any case."""
        interval = asked.feed.interval or self.interval
        if outcome.has_body:
            try:
                return await intake.process(asked.feed, asked.state, outcome, interval)
            except NotAFeedError as trouble:
                outcome = replace(outcome, kind="not_a_feed", detail=str(trouble).rstrip("."), body=b"")
        state = poll.next_state(asked.state, outcome, now=intake.now, interval=interval)
        return ProcessedFeed(outcome=outcome, update=FeedUpdate(state=state))


@dataclass(frozen=True, slots=True, kw_only=True)
class _DueFeed:
    """A feed and what is remembered of it."""

    feed: Feed
    state: FeedState
    headers: Headers = ()

    def request(self, now: datetime) -> FetchRequest:
        """Ask at the address it moved to; where headers go along, at the address they were written down for."""
        state = replace(self.state, current_url="") if self.headers else self.state
        return poll.build_request(state, now, headers=self.headers)


def _due_feed(feed: Feed, state: FeedState | None) -> _DueFeed:
    remembered = state or FeedState(feed_id=feed.id, url=feed.url)
    if remembered.url != feed.url:
        # Another address starts afresh but for one thing: what it brings is news, not the backlog of a new feed.
        remembered = FeedState(feed_id=feed.id, url=feed.url, first_read_at=remembered.first_read_at)
    return _DueFeed(feed=feed, state=remembered)


def _waiting(state: FeedState) -> FeedReport:
    well = not state.failures and state.gone_at is None
    return FeedReport(feed_id=state.feed_id, outcome="waiting", message=poll.explain_wait(state), ok=well)


def _report(outcome: FetchOutcome, *remarks: str) -> FeedReport:
    return FeedReport(
        feed_id=outcome.key,
        outcome=outcome.kind,
        message="; ".join(part for part in (outcome.message, *remarks) if part),
        ok=outcome.ok,
    )


def _report_processed(taken: ProcessedFeed, applied: UpdateCounts) -> FeedReport:
    applied = replace(applied, same=applied.same + taken.update.changes.untouched)
    return replace(_report(taken.outcome, *taken.notes), applied=applied)
