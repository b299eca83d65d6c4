"""Take a fresh document in: read what is not known of it, and decide what that means.

In: a feed and what is remembered of it, the answer that brought a document, a store. Out: what is to be written. Only
what is new is parsed, normalised and looked up; a document without news costs one look at the marks of its items.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.ingest import polling as poll
from pipeline.jobs.feeds.full_text import FullTextResult, fetch_full_text
from pipeline.jobs.ports import Fetcher
from pipeline.model.entry import Entry
from pipeline.model.feed import Feed, FeedState
from pipeline.model.fetch import FetchOutcome
from pipeline.model.update import FeedUpdate
from pipeline.store import Store

if TYPE_CHECKING:
    from pipeline.ingest.dedupe import FeedChanges
    from pipeline.ingest.parse.result import IncrementalResult


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessedFeed:
    """What a document came to."""

    outcome: FetchOutcome
    update: FeedUpdate
    unchanged: int = 0
    """How many of its entries were known to be there as they were."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedProcessor:
    """What documents are taken in with, in one run."""

    store: Store
    fetcher: Fetcher
    now: datetime
    page_budget: Iterator[int]
    """One for each page of an article that may still be read."""

    async def process(self, feed: Feed, state: FeedState, outcome: FetchOutcome, interval: timedelta) -> ProcessedFeed:
        """Read a document. Raises NotAFeed."""
        from pipeline.ingest.parse import parser, result  # a run of 304s never imports a parser

        present = self.store.item_hashes(feed.id)
        remembered = result.PreviousDocument(raw_hashes=set(present.values()), channel=state.channel)
        reading = parser.parse_incrementally(
            outcome.body,
            remembered,
            content_type=outcome.content_type,
            url=outcome.final_url,
            context=f"{feed.kind} {feed.language}",
        )
        if broken := reading.parsed.damage:
            outcome = replace(outcome, kind="partial", detail=f"{outcome.detail}, but its {broken}")
        entries = self._normalise(reading, feed, outcome)
        verdict = self._decide(reading, entries, feed, present)
        known = verdict.untouched or any(change.entry_id is not None for change in verdict.changes)
        following = poll.next_state(
            state,
            outcome,
            now=self.now,
            interval=interval,
            channel=reading.parsed.channel,
            has_news=any(change.kind != "same" for change in verdict.changes),
            same_feed=not present or bool(known),
        )
        return await self._finish(feed, state, following, outcome, verdict)

    def _normalise(self, reading: IncrementalResult, feed: Feed, outcome: FetchOutcome) -> tuple[Entry, ...]:
        if not reading.parsed.entries:
            return ()
        from pipeline.ingest.normalise import normalise  # a run without news does without it

        return normalise(reading.parsed, feed, url=outcome.final_url, now=self.now)

    def _decide(
        self, reading: IncrementalResult, entries: tuple[Entry, ...], feed: Feed, present: dict[int, str]
    ) -> FeedChanges:
        from pipeline.ingest.dedupe import FeedChanges, decide

        whole = not reading.parsed.damage
        if not entries and not (whole and set(present.values()) - reading.known_hashes):
            return FeedChanges(changes=(), untouched=len(reading.known_hashes))
        known = self.store.match_candidates(feed.id, entries)
        return decide(reading.in_document_order(entries, known), known, complete=whole)

    async def _finish(
        self, feed: Feed, before: FeedState, after: FeedState, outcome: FetchOutcome, verdict: FeedChanges
    ) -> ProcessedFeed:
        articles = FullTextResult(changes=verdict.changes)
        if feed.full_text and verdict.changes:
            articles = await fetch_full_text(verdict.changes, self.fetcher, now=self.now, page_budget=self.page_budget)
        update = FeedUpdate(
            state=_with_rate_limit(after, articles.rate_limited),
            changes=articles.changes,
            vanished=verdict.vanished,
            reappeared=verdict.reappeared,
            withdrawn=verdict.withdrawn,
            archived=before.first_read_at is None or bool(verdict.quarantine_reason),
            quarantined=bool(verdict.quarantine_reason),
        )
        remarks = (articles.summary, _quarantine_note(verdict.quarantine_reason, feed.id))
        return ProcessedFeed(outcome=outcome, update=update, unchanged=verdict.untouched, notes=remarks)


def _with_rate_limit(state: FeedState, throttled: FetchOutcome | None) -> FeedState:
    """Remember what the host of a feed's pages wants, as if the feed had been told."""
    if throttled is None:
        return state
    return replace(state, retry_at=throttled.retry_at, retry_host=throttled.retry_host)


def _quarantine_note(suspicious: str, feed_id: str) -> str:
    """Say that the new entries are held back, why, and what takes them in; "" when they are not."""
    return suspicious and f"held back: {suspicious}; if all is well, `pipeline feeds accept {feed_id}` takes them in"
