"""Bring feeds up to date: fetch, parse, normalise, dedupe, keep.

In: feeds, a store, a fetcher, the moment. Out: one FeedReport a feed, as each is done. Trouble with one feed is a
value in its report and never stops the others; a bug propagates.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol, Self

from pipeline.ingest import poll
from pipeline.jobs.articles import MOST_PAGES
from pipeline.jobs.intake import Intake
from pipeline.model.entry import Applied
from pipeline.model.errors import NotAFeed, SecretMissing
from pipeline.model.feed import Feed, FeedState
from pipeline.model.fetch import FetchOutcome, FetchRequest
from pipeline.store import Store

STATES_AT_ONCE = 100
"""A run that is killed asks at most so many feeds again for nothing."""


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
        with _Remembered(self.store) as states:
            async with self.open_fetcher(holds=holds) as fetcher:
                intake = Intake(store=self.store, fetcher=fetcher, now=now, remember=states.add, pages=pages)
                async for outcome in fetcher.fetch_all(requests, now=now):
                    report = await self._keep(by_id[outcome.feed_id], outcome, intake)
                    reports[report.feed_id] = report
                    on_report(report)

    def _not_asked(self, state: FeedState, missing: SecretMissing, now: datetime) -> FeedReport:
        """Report a feed whose secret is missing; it stays due, so that it is asked as soon as there is one."""
        outcome = FetchOutcome(feed_id=state.feed_id, url=state.url, kind="no_secret", detail=str(missing))
        failing = replace(state, failures=state.failures + 1, failing_since=state.failing_since or now)
        seen = replace(failing, checked_at=now, outcome=outcome.kind, detail=outcome.sentence)
        self.store.save_state(seen)
        return _report(outcome, Applied())

    async def _keep(self, asked: _Asked, outcome: FetchOutcome, intake: Intake) -> FeedReport:
        """Read one outcome into the store: entries where there is a fresh document, the new state in any case."""
        interval = asked.feed.interval or self.interval
        if outcome.fresh:
            try:
                taken = await intake.take_in(asked.feed, asked.state, outcome, interval)
                return _report(taken.outcome, taken.applied, *taken.remarks)
            except NotAFeed as trouble:
                outcome = replace(outcome, kind="not_a_feed", detail=str(trouble).rstrip("."), body=b"")
        intake.remember(poll.next_state(asked.state, outcome, now=intake.now, interval=interval))
        return _report(outcome, Applied())


class _Remembered:
    """States of feeds that brought nothing to apply: kept many at a time, and all of them in the end."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._states: list[FeedState] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._save()

    def add(self, state: FeedState) -> None:
        """Keep a state, soon."""
        self._states.append(state)
        if len(self._states) >= STATES_AT_ONCE:
            self._save()

    def _save(self) -> None:
        if self._states:
            self._store.save_states(self._states)
            self._states = []


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


def _report(outcome: FetchOutcome, applied: Applied, *remarks: str) -> FeedReport:
    return FeedReport(
        feed_id=outcome.feed_id,
        outcome=outcome.kind,
        sentence="; ".join(part for part in (outcome.sentence, *remarks) if part),
        ok=outcome.ok,
        applied=applied,
    )
