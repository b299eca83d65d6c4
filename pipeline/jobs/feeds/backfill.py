"""Read the archive behind a feed, page by page.

In: a feed, a store, a fetcher, the moment. Out: a report. What it brings is archive: it may be shown as something
older that is related, and it belongs to the week of its date, should anybody make a digest of that week now; it is
never news. What is too recent to be archive is left to the ordinary fetch, which alone knows what is new.

How far it came is kept with every page, in one transaction with what the page brought: however it is stopped, it goes
on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from pipeline.ingest import polling as poll
from pipeline.ingest.pagination import next_page_url, numbered_page_url, page_hash
from pipeline.jobs.ports import OpenFeedFetcher
from pipeline.model.archive import ArchivePosition
from pipeline.model.entry import Entry
from pipeline.model.errors import NotAFeedError, RefusedError
from pipeline.model.feed import Feed
from pipeline.model.fetch import FetchOutcome, FetchRequest, Headers
from pipeline.store import Store
from pipeline.text.format import pluralize

MAX_PAGES = 2_000
"""An archive that is longer is taken for one without an end."""
_NO_MORE = ("not_found", "gone")


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillResult:
    """What came of it."""

    position: ArchivePosition
    message: str
    ok: bool = True
    """False when it broke off before the end: run it again and it goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfiller:
    """Reads the archive behind one feed."""

    store: Store
    feed: Feed
    now: datetime
    archive_before: datetime
    """Entries dated from here on are no archive yet: the opening of the newest week whose digest may still be made."""
    headers: Headers = ()
    on_page: Callable[[ArchivePosition], None] = lambda position: None

    def run(self, open_fetcher: OpenFeedFetcher, *, restart: bool = False) -> BackfillResult:
        """Read on from where it stopped, or ``again`` from the newest page, to the end."""
        states = self.store.feeds.states()
        state = states.get(self.feed.id)
        if state is None or state.first_read_at is None:
            raise RefusedError(f"{self.feed.id} was never read: run `pipeline fetch {self.feed.id}` first.")
        position = None if restart else self.store.archive.positions().get(self.feed.id)
        if position and position.done:
            return BackfillResult(position=position, message=f"{_summary(position)}; --again reads it once more")
        url = state.current_url or self.feed.url
        start = position or ArchivePosition(feed_id=self.feed.id, next_url=url, read_at=self.now)
        return asyncio.run(self._run(start, url, open_fetcher, poll.blocked_hosts(states.values(), self.now)))

    async def _run(
        self, position: ArchivePosition, feed_url: str, open_fetcher: OpenFeedFetcher, holds: Mapping[str, datetime]
    ) -> BackfillResult:
        async with open_fetcher(blocked_hosts=holds) as fetcher:
            while not position.done:
                outcome = await fetcher.fetch(self._request(position.next_url, feed_url), now=self.now)
                if position.page_hashes and outcome.kind in _NO_MORE:
                    position = self._finish(position)
                    break
                try:
                    position = self._save_page(position, outcome, feed_url)
                except NotAFeedError as trouble:
                    return self._failed(position, str(trouble))
                self.on_page(position)
        return BackfillResult(position=position, message=_summary(position))

    def _request(self, url: str, feed_url: str) -> FetchRequest:
        """Ask for a page; what only the feed's own host may know stays with that host."""
        trusted = urlsplit(url)[:2] == urlsplit(feed_url)[:2]
        return FetchRequest(key=self.feed.id, url=url, headers=self.headers if trusted else ())

    def _save_page(self, position: ArchivePosition, outcome: FetchOutcome, feed_url: str) -> ArchivePosition:
        """Keep what a page brought, and where the next one is; NotAFeed when it cannot be read."""
        from pipeline.ingest.dedupe import decide
        from pipeline.ingest.normalise import normalise
        from pipeline.ingest.parse import parser as sources

        if not outcome.has_body:
            self._save_retry_at(outcome)
            raise NotAFeedError(outcome.message)
        parsed = sources.parse_feed(outcome.body, content_type=outcome.content_type, url=outcome.final_url)
        entries = normalise(parsed, self.feed, url=outcome.final_url, now=self.now)
        mark = page_hash(entry.guid for entry in entries)
        if not entries or mark in position.page_hashes:
            return self._finish(position)
        following = _next_page_url(position, outcome, feed_url)
        reached = replace(position, next_url=following, page_hashes=(*position.page_hashes, mark), read_at=self.now)
        reached = replace(reached, done=not following or len(reached.page_hashes) >= MAX_PAGES)
        # The newest page is the fetch's own; it is read here for nothing but the way to the next.
        archive = [entry for entry in entries if self._is_archive(entry)] if position.page_hashes else []
        new = [
            each for each in decide(archive, self.store.entries.identities(self.feed.id)).entries if each.kind == "new"
        ]
        reached = replace(reached, entry_count=position.entry_count + len(new))
        self.store.archive.save_page(reached, new, now=self.now)
        return reached

    def _is_archive(self, entry: Entry) -> bool:
        return entry.dated_by == "first_seen" or entry.published_at < self.archive_before

    def _finish(self, position: ArchivePosition) -> ArchivePosition:
        finished = replace(position, next_url="", done=True, read_at=self.now)
        self.store.archive.save_page(finished, (), now=self.now)
        return finished

    def _save_retry_at(self, outcome: FetchOutcome) -> None:
        """Let the ordinary fetch, too, do what the host asked for."""
        state = self.store.feeds.states()[self.feed.id]
        if outcome.retry_at:
            self.store.feeds.save(replace(state, retry_at=outcome.retry_at, retry_host=outcome.retry_host))

    def _failed(self, position: ArchivePosition, why: str) -> BackfillResult:
        page = len(position.page_hashes) + 1
        sentence = f"page {page} {why}; run `pipeline backfill {self.feed.id}` again to go on from there"
        return BackfillResult(position=position, message=sentence, ok=False)


def _next_page_url(position: ArchivePosition, outcome: FetchOutcome, feed_url: str) -> str:
    """Find the page behind a page: what it names itself, else the next by number, where numbers have led so far."""
    announced = next_page_url(outcome.body, outcome.content_type, outcome.final_url)
    number = len(position.page_hashes) + 1
    counting = number == 1 or position.next_url == numbered_page_url(feed_url, number)
    return announced or (numbered_page_url(feed_url, number + 1) if counting else "")


def _summary(position: ArchivePosition) -> str:
    behind = len(position.page_hashes) - 1
    if behind < 1:
        return "there is no archive behind this feed"
    return f"read to its end: {pluralize(behind, 'page')} behind the feed, {position.entry_count:,} older entries"
