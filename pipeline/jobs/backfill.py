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
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from urllib.parse import urlsplit

from pipeline.ingest import poll
from pipeline.ingest.paging import announced_page, numbered_page, page_mark
from pipeline.model.archive import ArchivePosition
from pipeline.model.entry import Entry
from pipeline.model.errors import NotAFeed, Refused
from pipeline.model.feed import Feed
from pipeline.model.fetch import FetchOutcome, FetchRequest
from pipeline.store import Store

MOST_PAGES = 2_000
"""An archive that is longer is taken for one without an end."""
_NO_MORE = ("not_found", "gone")


class Fetcher(Protocol):
    """What this job needs of ``ingest.fetch.Fetcher``."""

    async def fetch(self, request: FetchRequest, *, now: datetime) -> FetchOutcome:
        """Fetch one document."""
        ...


class OpenFetcher(Protocol):
    """Opens a fetcher that leaves these hosts alone until then."""

    def __call__(self, *, holds: Mapping[str, datetime]) -> AbstractAsyncContextManager[Fetcher]:
        """Open it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfilled:
    """What came of it."""

    position: ArchivePosition
    sentence: str
    ok: bool = True
    """False when it broke off before the end: run it again and it goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archivist:
    """Reads the archive behind one feed."""

    store: Store
    feed: Feed
    now: datetime
    before: datetime
    """Entries dated from here on are no archive yet: the opening of the newest week whose digest may still be made."""
    headers: tuple[tuple[str, str], ...] = ()
    on_page: Callable[[ArchivePosition], None] = lambda position: None

    def read(self, open_fetcher: OpenFetcher, *, again: bool = False) -> Backfilled:
        """Read on from where it stopped, or ``again`` from the newest page, to the end."""
        states = self.store.feed_states()
        state = states.get(self.feed.id)
        if state is None or state.first_read_at is None:
            raise Refused(f"{self.feed.id} was never read: run `pipeline fetch {self.feed.id}` first.")
        position = None if again else self.store.archive_positions().get(self.feed.id)
        if position and position.done:
            return Backfilled(position=position, sentence=f"{_came_to(position)}; --again reads it once more")
        url = state.address or self.feed.url
        start = position or ArchivePosition(feed_id=self.feed.id, next_url=url, read_at=self.now)
        return asyncio.run(self._read(start, url, open_fetcher, poll.holds(states.values(), self.now)))

    async def _read(
        self, position: ArchivePosition, feed_url: str, open_fetcher: OpenFetcher, holds: Mapping[str, datetime]
    ) -> Backfilled:
        async with open_fetcher(holds=holds) as fetcher:
            while not position.done:
                outcome = await fetcher.fetch(self._request(position.next_url, feed_url), now=self.now)
                if position.pages and outcome.kind in _NO_MORE:
                    position = self._finished(position)
                    break
                try:
                    position = self._keep(position, outcome, feed_url)
                except NotAFeed as trouble:
                    return self._broken_off(position, str(trouble))
                self.on_page(position)
        return Backfilled(position=position, sentence=_came_to(position))

    def _request(self, url: str, feed_url: str) -> FetchRequest:
        """Ask for a page; what only the feed's own host may know stays with that host."""
        trusted = urlsplit(url)[:2] == urlsplit(feed_url)[:2]
        return FetchRequest(feed_id=self.feed.id, url=url, headers=self.headers if trusted else ())

    def _keep(self, position: ArchivePosition, outcome: FetchOutcome, feed_url: str) -> ArchivePosition:
        """Keep what a page brought, and where the next one is; NotAFeed when it cannot be read."""
        from pipeline.ingest import sources
        from pipeline.ingest.dedupe import decide
        from pipeline.ingest.normalise import normalise

        if not outcome.fresh:
            self._remember_wait(outcome)
            raise NotAFeed(outcome.sentence)
        parsed = sources.parse(outcome.body, content_type=outcome.content_type, url=outcome.final_url)
        entries = normalise(parsed, self.feed, url=outcome.final_url, now=self.now)
        mark = page_mark(entry.guid for entry in entries)
        if not entries or mark in position.pages:
            return self._finished(position)
        following = _following(position, outcome, feed_url)
        reached = replace(position, next_url=following, pages=(*position.pages, mark), read_at=self.now)
        reached = replace(reached, done=not following or len(reached.pages) >= MOST_PAGES)
        # The newest page is the fetch's own; it is read here for nothing but the way to the next.
        archive = [entry for entry in entries if self._is_archive(entry)] if position.pages else []
        new = [each for each in decide(archive, self.store.known_entries(self.feed.id)).changes if each.kind == "new"]
        reached = replace(reached, entries=position.entries + len(new))
        self.store.keep_archive(reached, new, now=self.now)
        return reached

    def _is_archive(self, entry: Entry) -> bool:
        return entry.dated_by == "first_seen" or entry.published_at < self.before

    def _finished(self, position: ArchivePosition) -> ArchivePosition:
        finished = replace(position, next_url="", done=True, read_at=self.now)
        self.store.keep_archive(finished, (), now=self.now)
        return finished

    def _remember_wait(self, outcome: FetchOutcome) -> None:
        """Let the ordinary fetch, too, do what the host asked for."""
        state = self.store.feed_states()[self.feed.id]
        if outcome.retry_at:
            self.store.save_state(replace(state, retry_at=outcome.retry_at, retry_host=outcome.retry_host))

    def _broken_off(self, position: ArchivePosition, why: str) -> Backfilled:
        page = len(position.pages) + 1
        sentence = f"page {page} {why}; run `pipeline backfill {self.feed.id}` again to go on from there"
        return Backfilled(position=position, sentence=sentence, ok=False)


def _following(position: ArchivePosition, outcome: FetchOutcome, feed_url: str) -> str:
    """Find the page behind a page: what it names itself, else the next by number, where numbers have led so far."""
    announced = announced_page(outcome.body, outcome.content_type, outcome.final_url)
    number = len(position.pages) + 1
    counting = number == 1 or position.next_url == numbered_page(feed_url, number)
    return announced or (numbered_page(feed_url, number + 1) if counting else "")


def _came_to(position: ArchivePosition) -> str:
    behind = len(position.pages) - 1
    if behind < 1:
        return "there is no archive behind this feed"
    pages = "1 page" if behind == 1 else f"{behind:,} pages"
    return f"read to its end: {pages} behind the feed, {position.entries:,} older entries"
