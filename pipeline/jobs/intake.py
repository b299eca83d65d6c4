"""Take a fresh document in: read what is not known of it, and decide what that means.

In: a feed and what is remembered of it, the answer that brought a document, a store. Out: what is to be written. Only
what is new is parsed, normalised and looked up; a document without news costs one look at the marks of its items.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.ingest import poll
from pipeline.jobs.articles import Articles, Fetcher, read_articles
from pipeline.model.entry import Entry
from pipeline.model.feed import Feed, FeedState
from pipeline.model.fetch import FetchOutcome
from pipeline.model.update import FeedUpdate
from pipeline.store import Store

if TYPE_CHECKING:
    from pipeline.ingest.dedupe import Verdict
    from pipeline.ingest.delta import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """What a document came to."""

    outcome: FetchOutcome
    update: FeedUpdate
    untouched: int = 0
    """How many of its entries were known to be there as they were."""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What documents are taken in with, in one run."""

    store: Store
    fetcher: Fetcher
    now: datetime
    pages: Iterator[int]
    """One for each page of an article that may still be read."""

    async def take_in(self, feed: Feed, state: FeedState, outcome: FetchOutcome, interval: timedelta) -> TakenIn:
        """Read a document. Raises NotAFeed."""
        from pipeline.ingest import delta  # a run of 304s never imports a parser

        present = self.store.marks(feed.id)
        remembered = delta.Remembered(marks=set(present.values()), channel=state.channel)
        reading = delta.read(
            outcome.body,
            remembered,
            content_type=outcome.content_type,
            url=outcome.final_url,
            context=f"{feed.kind} {feed.language}",
        )
        if broken := reading.parsed.broken:
            outcome = replace(outcome, kind="partly_broken", detail=f"{outcome.detail}, but its {broken}")
        entries = self._normalised(reading, feed, outcome)
        verdict = self._decided(reading, entries, feed, present)
        known = verdict.untouched or any(change.entry_id is not None for change in verdict.changes)
        following = poll.next_state(
            state,
            outcome,
            now=self.now,
            interval=interval,
            channel=reading.parsed.channel,
            news=any(change.kind != "same" for change in verdict.changes),
            same_feed=not present or bool(known),
        )
        return await self._taken(feed, state, following, outcome, verdict)

    def _normalised(self, reading: Reading, feed: Feed, outcome: FetchOutcome) -> tuple[Entry, ...]:
        if not reading.parsed.entries:
            return ()
        from pipeline.ingest.normalise import normalise  # a run without news does without it

        return normalise(reading.parsed, feed, url=outcome.final_url, now=self.now)

    def _decided(self, reading: Reading, entries: tuple[Entry, ...], feed: Feed, present: dict[int, str]) -> Verdict:
        from pipeline.ingest.dedupe import Verdict, decide

        whole = not reading.parsed.broken
        if not entries and not (whole and set(present.values()) - reading.known):
            return Verdict(changes=(), untouched=len(reading.known))
        known = self.store.known_among(feed.id, entries)
        return decide(reading.in_order(entries, known), known, whole=whole)

    async def _taken(
        self, feed: Feed, before: FeedState, after: FeedState, outcome: FetchOutcome, verdict: Verdict
    ) -> TakenIn:
        articles = Articles(changes=verdict.changes)
        if feed.full_text and verdict.changes:
            articles = await read_articles(verdict.changes, self.fetcher, now=self.now, allowance=self.pages)
        update = FeedUpdate(
            state=_held(after, articles.throttled),
            changes=articles.changes,
            vanished=verdict.vanished,
            reappeared=verdict.reappeared,
            withdrawn=verdict.withdrawn,
            backlog=before.first_read_at is None or bool(verdict.suspicious),
            quarantined=bool(verdict.suspicious),
        )
        remarks = (articles.sentence, _quarantine(verdict.suspicious, feed.id))
        return TakenIn(outcome=outcome, update=update, untouched=verdict.untouched, remarks=remarks)


def _held(state: FeedState, throttled: FetchOutcome | None) -> FeedState:
    """Remember what the host of a feed's pages wants, as if the feed had been told."""
    if throttled is None:
        return state
    return replace(state, retry_at=throttled.retry_at, retry_host=throttled.retry_host)


def _quarantine(suspicious: str, feed_id: str) -> str:
    """Say that the new entries are held back, why, and what takes them in; "" when they are not."""
    return suspicious and f"held back: {suspicious}; if all is well, `pipeline feeds accept {feed_id}` takes them in"
