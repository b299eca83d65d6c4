"""Read the archive of a feed, page by page.

Its entries are stored as archive: they may be shown as related content and belong to the week of their date, but they
are never new. Entries that are too recent are left to the ordinary fetch. The position is saved in the same transaction
as the entries of each page, so an interrupted backfill continues where it stopped.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from pipeline.ingest import polling
from pipeline.ingest.pagination import next_page_url, numbered_page_url, page_hash
from pipeline.jobs.ports import OpenFeedFetcher
from pipeline.model.cpu_budget import cpu_budget
from pipeline.model.errors import NotAFeedError, RefusedError
from pipeline.model.feed import ArchivePosition, Feed
from pipeline.model.fetch import FetchOutcome, FetchRequest, Headers
from pipeline.store import Store
from pipeline.text.format import pluralize

MAX_PAGES = 2_000
"""A longer archive is assumed to be endless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillResult:
    """The result of a backfill."""

    position: ArchivePosition
    message: str
    ok: bool = True
    """False if it stopped before the end; another run continues."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfiller:
    """Reads the archive of one feed."""

    store: Store
    feed: Feed
    now: datetime
    archive_before: datetime
    """Only entries published before this are archive: the opening of the newest week that has closed."""
    headers: Headers = ()
    on_page: Callable[[ArchivePosition], None] = lambda position: None
    """Called after each page is stored."""

    def run(self, open_fetcher: OpenFeedFetcher, *, restart: bool = False) -> BackfillResult:
        """Read to the end of the archive, from the saved position or with ``restart`` from the newest page.

        Raises RefusedError if the feed was never fetched.
        """
        states = self.store.feeds.states()
        state = states.get(self.feed.id)
        if state is None or state.first_read_at is None:
            raise RefusedError(f"{self.feed.id} was never fetched: run `pipeline fetch {self.feed.id}` first.")
        position = None if restart else self.store.archive.positions().get(self.feed.id)
        if position and position.done:
            return BackfillResult(position=position, message=f"{_summary(position)}; --again reads it once more")
        url = state.current_url or self.feed.url
        start = position or ArchivePosition(feed_id=self.feed.id, next_url=url, read_at=self.now)
        return asyncio.run(self._run(start, url, open_fetcher, polling.blocked_hosts(states.values(), self.now)))

    async def _run(
        self,
        position: ArchivePosition,
        feed_url: str,
        open_fetcher: OpenFeedFetcher,
        blocked_hosts: Mapping[str, datetime],
    ) -> BackfillResult:
        async with open_fetcher(blocked_hosts=blocked_hosts) as fetcher:
            while not position.done:
                outcome = await fetcher.fetch(self._request(position.next_url, feed_url), now=self.now)
                if position.page_hashes and outcome.kind in ("not_found", "gone"):
                    position = self._finish(position)
                    break
                try:
                    position = self._save_page(position, outcome, feed_url)
                except NotAFeedError as error:
                    page = len(position.page_hashes) + 1
                    message = f"page {page} {error}; run `pipeline backfill {self.feed.id}` again to continue"
                    return BackfillResult(position=position, message=message, ok=False)
                self.on_page(position)
        return BackfillResult(position=position, message=_summary(position))

    def _request(self, url: str, feed_url: str) -> FetchRequest:
        """Return the request for a page; the headers of the feed are sent to its own host only."""
        same_host = urlsplit(url)[:2] == urlsplit(feed_url)[:2]
        return FetchRequest(key=self.feed.id, url=url, headers=self.headers if same_host else ())

    def _save_page(self, position: ArchivePosition, outcome: FetchOutcome, feed_url: str) -> ArchivePosition:
        """Store the entries of a page and return the next position. Raises NotAFeedError if it cannot be read."""
        from pipeline.ingest.dedupe import decide
        from pipeline.ingest.normalise import normalise
        from pipeline.ingest.parse.parser import parse_feed

        if not outcome.has_body:
            self._save_retry_at(outcome)
            raise NotAFeedError(outcome.detail, outcome.advice)
        with cpu_budget(time.thread_time):
            parsed = parse_feed(outcome.body, content_type=outcome.content_type, url=outcome.final_url)
            entries = normalise(parsed, self.feed, url=outcome.final_url, now=self.now)
        own_hash = page_hash(entry.guid for entry in entries)
        if not entries or own_hash in position.page_hashes:
            return self._finish(position)
        next_url = _next_url(position, outcome, feed_url)
        page_hashes = (*position.page_hashes, own_hash)
        # The ordinary fetch stores the entries of the newest page; here only its link to the next page is used.
        archive = [
            entry
            for entry in entries
            if position.page_hashes and (entry.dated_by == "first_seen" or entry.published_at < self.archive_before)
        ]
        changes = decide(archive, self.store.entries.identities(self.feed.id)).entries
        new = [change for change in changes if change.kind == "new"]
        reached = replace(
            position,
            next_url=next_url,
            page_hashes=page_hashes,
            entry_count=position.entry_count + len(new),
            done=not next_url or len(page_hashes) >= MAX_PAGES,
            read_at=self.now,
        )
        self.store.archive.save_page(reached, new, now=self.now)
        return reached

    def _finish(self, position: ArchivePosition) -> ArchivePosition:
        finished = replace(position, next_url="", done=True, read_at=self.now)
        self.store.archive.save_page(finished, (), now=self.now)
        return finished

    def _save_retry_at(self, outcome: FetchOutcome) -> None:
        """Save the pause that the host asked for, so that the ordinary fetch respects it as well."""
        state = self.store.feeds.states()[self.feed.id]
        if outcome.retry_at:
            self.store.feeds.save(replace(state, retry_at=outcome.retry_at, retry_host=outcome.retry_host))


def _next_url(position: ArchivePosition, outcome: FetchOutcome, feed_url: str) -> str:
    """Return the next page: the one that the document links to, else by number if numbers were used so far, else ""."""
    linked = next_page_url(outcome.body, outcome.content_type, outcome.final_url)
    number = len(position.page_hashes) + 1
    is_numbered = number == 1 or position.next_url == numbered_page_url(feed_url, number)
    return linked or (numbered_page_url(feed_url, number + 1) if is_numbered else "")


def _summary(position: ArchivePosition) -> str:
    pages = len(position.page_hashes) - 1
    if pages < 1:
        return "this feed has no archive"
    return f"complete: {pluralize(pages, 'archive page')}, {position.entry_count:,} older entries"
