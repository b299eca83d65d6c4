"""Useful links an editor collects: added one by one, told in turn, never twice.

In: an address, a store, a fetcher, the moment. Out: what was added, listed or removed; Refused with the reason. A link
is an entry like any other, of a feed that nobody fetches: it is told, reserved, released and explained as all are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from pipeline.jobs.ports import OpenFetcher
from pipeline.model.entry import Entry, StoredEntry
from pipeline.model.errors import FeedError, RefusedError, UsageError
from pipeline.model.feed import Feed, FeedState
from pipeline.model.fetch import FetchRequest
from pipeline.model.update import EntryChange, FeedChanges, FeedUpdate
from pipeline.store import Store
from pipeline.text.urls import clean_url, url_key

ADDED_LINKS_FEED_ID = "links.added"
"""The feed of the links added by hand; no feed of config.toml can be called so."""
_LOOKED_BACK = timedelta(days=366)
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectedLink:
    """One link at a glance."""

    url: str
    title: str
    note: str
    feed_id: str
    added_at: datetime
    used_in: str
    """Where it was told: ``edition 12 (2026-W07)``; empty while it waits."""


def added_links_feed(feeds: Iterable[Feed]) -> Feed:
    """Give the feed of the links added by hand; its section is that of the first feed of links."""
    section = next((feed.section for feed in feeds if feed.kind == "links"), "")
    return Feed(id=ADDED_LINKS_FEED_ID, url="", kind="links", section=section)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCollection:
    """The editor's collection of links, beside those that feeds bring."""

    store: Store
    feeds: Sequence[Feed]
    now: datetime

    def add(self, url: str, open_fetcher: OpenFetcher, *, note: str = "", title: str = "") -> CollectedLink:
        """Look at a page and keep it as a link, in its own words where ``note`` and ``title`` have none."""
        entry = self._found(url, open_fetcher, note, title)
        self._keep(entry)
        return _collected(entry, self.now)

    def preview(self, url: str, open_fetcher: OpenFetcher, *, note: str = "", title: str = "") -> CollectedLink:
        """Look at a page as ``add`` does, and keep nothing."""
        return _collected(self._found(url, open_fetcher, note, title), self.now)

    def _found(self, url: str, open_fetcher: OpenFetcher, note: str, title: str) -> Entry:
        asked = clean_url(url)
        if not asked:
            raise UsageError(f"{url!r} is no address of a web page: give one that begins with https://.")
        self._refuse_known(asked)
        entry = asyncio.run(_look(asked, open_fetcher, self.now, note.strip(), title.strip()))
        self._refuse_known(entry.url)
        return entry

    def recent(self) -> tuple[CollectedLink, ...]:
        """List the links of the last year, those that wait first, each in the order they came."""
        ids = [feed.id for feed in self.feeds if feed.kind == "links"] + [ADDED_LINKS_FEED_ID]
        found = self.store.entries.between(self.now - _LOOKED_BACK, self.now + _LOOKED_BACK, ids)
        listed = [_collected(each.entry, each.first_seen_at, self._used(each)) for each in found]
        return tuple(sorted(listed, key=lambda each: bool(each.used_in)))

    def remove(self, url: str) -> CollectedLink:
        """Forget a link that was added by hand and not told yet."""
        key = url_key(url)
        mine = self.store.entries.between(_EVER, self.now + _LOOKED_BACK, [ADDED_LINKS_FEED_ID])
        found = next((each for each in mine if url_key(each.entry.url) == key), None)
        if found is None:
            raise RefusedError(f"{url} is not among the links added by hand; `pipeline links list` shows them.")
        if used := self._used(found):
            raise RefusedError(f"{url} was told in {used} and stays known, so that it is not told again.")
        self.store.entries.delete([found.entry_id], now=self.now)
        return _collected(found.entry, found.first_seen_at)

    def _refuse_known(self, url: str) -> None:
        key = url_key(url)
        ids = [feed.id for feed in self.feeds] + [ADDED_LINKS_FEED_ID]
        known = [
            one.entry_id for feed_id in ids for one in self.store.entries.identities(feed_id) if one.url_key == key
        ]
        for stored in self.store.entries.by_id(known):
            if used := self._used(stored):
                raise RefusedError(f"{url} was already used in {used}.")
            if stored.entry.feed_id in [feed.id for feed in self.feeds if feed.kind != "links"]:
                raise RefusedError(
                    f"{url} is a page of your own feed {stored.entry.feed_id}, which tells it by itself."
                )
            raise RefusedError(f"{url} is in the list already: “{stored.entry.title}”.")
        if used := self._written_before(key):
            raise RefusedError(f"{url} was already used in {used}.")

    def _written_before(self, key: str) -> str:
        """Find the sealed edition whose editor had written a link into its file."""
        for week, standing in self.store.editions.all().items():
            seal = self.store.editions.sealed(week) if standing.number else None
            if seal and any(url_key(link.url) == key for link in seal.overrides.links):
                return _edition(standing.number, week)
        return ""

    def _used(self, stored: StoredEntry) -> str:
        week = stored.edition_week or stored.assigned_week
        return _edition(self.store.editions.get(week).number, week) if week else ""

    def _keep(self, entry: Entry) -> None:
        from pipeline.ingest.dedupe import fingerprint

        if any(known.guid == entry.guid for known in self.store.entries.identities(ADDED_LINKS_FEED_ID)):
            # It was removed before; what was deleted stays deleted, so this is another one.
            entry = replace(entry, guid=f"{entry.guid} {self.now:%Y-%m-%dT%H:%M:%S}")
        state = self.store.feeds.states().get(ADDED_LINKS_FEED_ID) or FeedState(
            feed_id=ADDED_LINKS_FEED_ID, first_read_at=self.now
        )
        change = EntryChange(kind="new", entry=entry, fingerprint=fingerprint(entry))
        self.store.entries.apply([FeedUpdate(state=state, changes=FeedChanges(entries=[change]))], now=self.now)


async def _look(url: str, open_fetcher: OpenFetcher, now: datetime, note: str, title: str) -> Entry:
    """Make an entry of a page; FeedProblem when it cannot be had and nobody says what it is called."""
    from pipeline.ingest.webpage import read_metadata

    async with open_fetcher() as fetcher:
        outcome = await fetcher.fetch(FetchRequest(key=ADDED_LINKS_FEED_ID, url=url), now=now)
    if not outcome.has_body and not title:
        raise FeedError(f"{url} {outcome.detail}; look whether it is right, or add it unseen with --title.")
    page = read_metadata(outcome.body, outcome.content_type, outcome.final_url or url)
    where = page.url if outcome.has_body else url
    return Entry(
        feed_id=ADDED_LINKS_FEED_ID,
        guid=where,
        url=where,
        title=title or page.title or where,
        published_at=now,
        excerpt_text=note or page.description,
    )


def _edition(number: int | None, week: str) -> str:
    return f"edition {number} ({week})" if number else week


def _collected(entry: Entry, added_at: datetime, used: str = "") -> CollectedLink:
    return CollectedLink(
        url=entry.url,
        title=entry.title,
        note=entry.excerpt_text,
        feed_id=entry.feed_id,
        added_at=added_at,
        used_in=used,
    )
