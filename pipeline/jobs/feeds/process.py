"""Parse a fetched document and decide what it changes in the store.

Only new and changed entries are parsed, normalised and looked up, so an unchanged document costs little more than
hashing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.ingest import polling
from pipeline.jobs.feeds.full_text import FullTextResult, fetch_full_text
from pipeline.jobs.ports import Fetcher
from pipeline.model.cpu_budget import CpuClock, cpu_budget
from pipeline.model.feed import Feed, FeedState
from pipeline.model.fetch import FetchOutcome
from pipeline.model.update import FeedChanges, FeedUpdate
from pipeline.store import Store

if TYPE_CHECKING:
    from pipeline.ingest.parse.result import IncrementalResult


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessedFeed:
    """The result of one fetch: its outcome and what to write."""

    outcome: FetchOutcome
    update: FeedUpdate
    notes: tuple[str, ...] = ()
    """Sentences for the feed's report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedProcessor:
    """Processes the documents of one run."""

    store: Store
    fetcher: Fetcher
    now: datetime
    page_budget: Iterator[int]
    """Yields once for each web page that may still be fetched for its full text."""
    cpu_clock: CpuClock

    async def process(self, feed: Feed, state: FeedState, outcome: FetchOutcome, interval: timedelta) -> ProcessedFeed:
        """Return what an outcome with a body changes. Raises NotAFeedError and ExpensiveDocumentError."""
        present = self.store.entries.raw_hashes(feed.id)
        with cpu_budget(self.cpu_clock):
            parsed = _parse(feed, state, outcome, present)
            changes = self._compare(parsed, feed, outcome, present)
        if damage := parsed.parsed.damage:
            outcome = replace(outcome, kind="partial", detail=f"{outcome.detail}, but its {damage}")
        same_feed = not (present and outcome.moved_to) or self._shares_entry(feed, parsed, changes, present)
        if not same_feed:
            changes = replace(changes, quarantine_reason=f"it redirects to {outcome.moved_to}, another feed")
        next_state = polling.next_state(
            state,
            outcome,
            now=self.now,
            interval=interval,
            channel=parsed.parsed.channel,
            has_news=any(change.kind != "same" for change in changes.entries),
            same_feed=same_feed,
        )
        full_text = FullTextResult(changes=tuple(changes.entries))
        if feed.full_text and changes.entries:
            full_text = await fetch_full_text(
                changes.entries,
                self.fetcher,
                now=self.now,
                page_budget=self.page_budget,
                cpu_clock=self.cpu_clock,
            )
        if limited := full_text.rate_limited:
            next_state = replace(next_state, retry_at=limited.retry_at, retry_host=limited.retry_host)
        reason = changes.quarantine_reason
        update = FeedUpdate(
            state=next_state,
            changes=replace(changes, entries=full_text.changes),
            archived=state.first_read_at is None or bool(reason),
        )
        quarantine = f"quarantined: {reason}; if all is well, run `pipeline feeds accept {feed.id}`" if reason else ""
        return ProcessedFeed(outcome=outcome, update=update, notes=(full_text.summary, quarantine))

    def _shares_entry(
        self, feed: Feed, parsed: IncrementalResult, changes: FeedChanges, present: dict[int, str]
    ) -> bool:
        """Check whether a document has a stored entry; what is in quarantine may have come from another feed."""
        quarantined = {stored.entry_id for stored in self.store.entries.quarantined(feed.id)}
        known = {raw_hash for entry_id, raw_hash in present.items() if entry_id not in quarantined}
        ids = {change.entry_id for change in changes.entries} - {None}
        return not known.isdisjoint(parsed.known_hashes) or bool(ids - quarantined)

    def _compare(
        self, parsed: IncrementalResult, feed: Feed, outcome: FetchOutcome, present: dict[int, str]
    ) -> FeedChanges:
        """Return the changes between a document and the stored entries; ``present`` maps entry ids to raw hashes."""
        complete = not parsed.parsed.damage
        if not parsed.parsed.entries and not (complete and set(present.values()) - parsed.known_hashes):
            return FeedChanges(untouched=len(parsed.known_hashes))
        from pipeline.ingest.dedupe import decide  # a run without new entries does without these
        from pipeline.ingest.normalise import normalise

        entries = normalise(parsed.parsed, feed, url=outcome.final_url, now=self.now)
        candidates = self.store.entries.match_candidates(feed.id, entries)
        return decide(parsed.in_document_order(entries, candidates), candidates, complete=complete)


def _parse(feed: Feed, state: FeedState, outcome: FetchOutcome, present: dict[int, str]) -> IncrementalResult:
    from pipeline.ingest.parse import parser, result  # a run of 304s never imports a parser

    return parser.parse_incrementally(
        outcome.body,
        result.PreviousDocument(raw_hashes=set(present.values()), channel=state.channel),
        content_type=outcome.content_type,
        url=outcome.final_url,
        context=f"{feed.kind} {feed.language}",
    )
