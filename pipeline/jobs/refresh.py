"""Bring feeds up to date: fetch, parse, normalise, dedupe, keep.

In: feeds, a store, a fetcher, the moment. Out: one FeedReport a feed, as each is done. Trouble with one feed is a
value in its report and never stops the others; a bug propagates.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from pipeline.ingest import poll
from pipeline.jobs.articles import MOST_PAGES, Articles, read_articles
from pipeline.model.entry import Applied
from pipeline.model.errors import NotAFeed, SecretMissing
from pipeline.model.feed import Feed, FeedState
from pipeline.model.fetch import FetchOutcome, FetchRequest
from pipeline.store import Store


class Fetcher(Protocol):
    """What this job needs of ``ingest.fetch.Fetcher``."""

    def fetch_all(self, requests: Iterable[FetchRequest], *, now: datetime) -> AsyncIterator[FetchOutcome]:
        """Fetch documents, each as soon as it is there."""
        ...


class OpenFetcher(Protocol):
    """Opens a fetcher that leaves these hosts alone until then."""

    def __call__(self, *, holds: Mapping[str, datetime]) -> AbstractAsyncContextManager[Fetcher]:
        """Open it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedReport:
    """What came of one feed."""

    feed_id: str
    outcome: str
    """The outcome's word (``ok``, ``timeout`` …), or ``waiting`` for a feed that was not asked."""
    sentence: str
    """What happened and, where there is something to do, what."""
    ok: bool
    applied: Applied = field(default_factory=Applied)


Due = Callable[[FeedState, datetime], bool]
Headers = tuple[tuple[str, str], ...]


def _no_headers(feed_id: str) -> Headers:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresher:
    """Brings feeds up to date."""

    store: Store
    open_fetcher: OpenFetcher
    interval: timedelta
    """How often a feed is asked when nothing speaks against it."""
    headers: Callable[[str], Headers] = _no_headers
    """The extra headers of a feed, by id; raises SecretMissing."""

    def refresh(
        self,
        feeds: Sequence[Feed],
        *,
        now: datetime,
        due: Due = poll.may_ask,
        on_report: Callable[[FeedReport], None] = lambda report: None,
    ) -> tuple[FeedReport, ...]:
        """Ask the feeds that are ``due``; give a report for every one, in their order.

        ``poll.is_due`` is the schedule's due, ``may_ask`` that of a person, ``may_force`` that of ``--force``.
        """
        states = self.store.feed_states()
        reports: dict[str, FeedReport] = {}
        asked: list[_Asked] = []
        for feed in feeds:
            one = _asked(feed, states.get(feed.id))
            try:
                if due(one.state, now):
                    asked.append(replace(one, headers=self.headers(feed.id)))
                    continue
                report = _waiting(one.state)
            except SecretMissing as missing:
                report = self._not_asked(one.state, missing, now)
            reports[feed.id] = report
            on_report(report)
        if asked:
            asyncio.run(self._ask(asked, poll.holds(states.values(), now), now, reports, on_report))
        return tuple(reports[feed.id] for feed in feeds)

    async def _ask(
        self,
        asked: Sequence[_Asked],
        holds: Mapping[str, datetime],
        now: datetime,
        reports: dict[str, FeedReport],
        on_report: Callable[[FeedReport], None],
    ) -> None:
        by_id = {one.feed.id: one for one in asked}
        requests = (one.request(now) for one in asked)
        pages = iter(range(MOST_PAGES))
        async with self.open_fetcher(holds=holds) as fetcher:
            async for outcome in fetcher.fetch_all(requests, now=now):
                report = await self._keep(by_id[outcome.feed_id], outcome, now, fetcher, pages)
                reports[report.feed_id] = report
                on_report(report)

    def _not_asked(self, state: FeedState, missing: SecretMissing, now: datetime) -> FeedReport:
        """Report a feed whose secret is missing; it stays due, so that it is asked as soon as there is one."""
        outcome = FetchOutcome(feed_id=state.feed_id, url=state.url, kind="no_secret", detail=str(missing))
        failures = state.failures + 1
        seen = replace(state, checked_at=now, outcome=outcome.kind, detail=outcome.sentence, failures=failures)
        self.store.save_state(seen)
        return _report(outcome, Applied())

    async def _keep(
        self, asked: _Asked, outcome: FetchOutcome, now: datetime, fetcher: Fetcher, pages: Iterator[int]
    ) -> FeedReport:
        """Read one outcome into the store: entries where there is a fresh document, the new state in any case."""
        if outcome.fresh:
            try:
                return await self._read(asked, outcome, now, fetcher, pages)
            except NotAFeed as trouble:
                outcome = replace(outcome, kind="not_a_feed", detail=str(trouble), body=b"")
        interval = asked.feed.interval or self.interval
        self.store.save_state(poll.next_state(asked.state, outcome, now=now, interval=interval))
        return _report(outcome, Applied())

    async def _read(
        self, asked: _Asked, outcome: FetchOutcome, now: datetime, fetcher: Fetcher, pages: Iterator[int]
    ) -> FeedReport:
        # Only a document that changed is parsed: a run of 304s never imports the parsers.
        from pipeline.ingest import sources
        from pipeline.ingest.dedupe import decide
        from pipeline.ingest.normalise import normalise

        parsed = sources.parse(outcome.body, content_type=outcome.content_type, url=outcome.final_url)
        if parsed.broken:
            outcome = replace(outcome, kind="partly_broken", detail=f"{outcome.detail}, but its {parsed.broken}")
        entries = normalise(parsed, asked.feed, url=outcome.final_url, now=now)
        known = self.store.known_entries(asked.feed.id)
        verdict = decide(entries, known, whole=not parsed.broken)
        state = poll.next_state(
            asked.state,
            outcome,
            now=now,
            interval=asked.feed.interval or self.interval,
            channel=parsed.channel,
            news=any(change.kind != "same" for change in verdict.changes),
            same_feed=not known or any(change.entry_id is not None for change in verdict.changes),
        )
        articles = Articles(changes=verdict.changes)
        if asked.feed.full_text:
            articles = await read_articles(verdict.changes, fetcher, now=now, allowance=pages)
        applied = self.store.apply(
            _held(state, articles.throttled),
            articles.changes,
            verdict.vanished,
            now=now,
            backlog=asked.state.first_read_at is None or bool(verdict.suspicious),
            reappeared=verdict.reappeared,
            quarantined=bool(verdict.suspicious),
        )
        return _report(outcome, applied, articles.sentence, _quarantine(verdict.suspicious, asked.feed.id))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A feed and what is remembered of it."""

    feed: Feed
    state: FeedState
    headers: Headers = ()

    def request(self, now: datetime) -> FetchRequest:
        """Ask at the address it moved to; where headers go along, at the address they were written down for."""
        state = replace(self.state, address="") if self.headers else self.state
        return poll.request(state, now, headers=self.headers)


def _asked(feed: Feed, state: FeedState | None) -> _Asked:
    remembered = state or FeedState(feed_id=feed.id, url=feed.url)
    if remembered.url != feed.url:
        # Another address starts afresh but for one thing: what it brings is news, not the backlog of a new feed.
        remembered = FeedState(feed_id=feed.id, url=feed.url, first_read_at=remembered.first_read_at)
    return _Asked(feed=feed, state=remembered)


def _waiting(state: FeedState) -> FeedReport:
    well = not state.failures and state.gone_at is None
    return FeedReport(feed_id=state.feed_id, outcome="waiting", sentence=poll.why_waiting(state), ok=well)


def _held(state: FeedState, throttled: FetchOutcome | None) -> FeedState:
    """Remember what the host of a feed's pages wants, as if the feed had been told."""
    if throttled is None:
        return state
    return replace(state, retry_at=throttled.retry_at, retry_host=throttled.retry_host)


def _quarantine(suspicious: str, feed_id: str) -> str:
    """Say that the new entries are held back, why, and what takes them in; "" when they are not."""
    return suspicious and f"held back: {suspicious}; if all is well, `pipeline feeds accept {feed_id}` takes them in"


def _report(outcome: FetchOutcome, applied: Applied, *remarks: str) -> FeedReport:
    return FeedReport(
        feed_id=outcome.feed_id,
        outcome=outcome.kind,
        sentence="; ".join(part for part in (outcome.sentence, *remarks) if part),
        ok=outcome.ok,
        applied=applied,
    )
