"""Collect useful links by hand.

A link is stored as an entry of a feed that is never fetched, so it is published once, carried over and explained like
any other entry.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pipeline.digest.editor.apply import EDITOR_FEED_ID
from pipeline.jobs.ports import OpenFetcher
from pipeline.model.edition import EditorLink
from pipeline.model.entry import Entry, StoredEntry
from pipeline.model.errors import FeedError, RefusedError, UsageError
from pipeline.model.feed import Feed, FeedState
from pipeline.model.fetch import FetchRequest
from pipeline.model.update import EntryChange, FeedChanges, FeedUpdate
from pipeline.store import Store
from pipeline.text.markdown import to_plain
from pipeline.text.urls import clean_url, url_key, with_scheme

ADDED_LINKS_FEED_ID = "links.added"
"""The feed of links added by hand; feeds in config.toml cannot have this id."""
_MIN_DATE, _MAX_DATE = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectedLink:
    """One link of the collection."""

    url: str
    title: str
    note: str
    feed_id: str
    added_at: datetime
    published_at: datetime
    """Its date, by which the links that wait are ordered."""
    used_in: str
    """The edition that has it, as in ``edition 12 (2026-W07)``; empty if none has."""
    file: str = ""
    """The editor's file that has it, while its edition is not sealed."""


def added_links_feed(feeds: Iterable[Feed]) -> Feed:
    """Return the feed of links added by hand; it has the section of the first link feed in ``feeds``."""
    section = next((feed.section for feed in feeds if feed.kind == "links"), "")
    return Feed(id=ADDED_LINKS_FEED_ID, url="", kind="links", section=section)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCollection:
    """The links added by hand, and those from link feeds."""

    store: Store
    feeds: Sequence[Feed]
    now: datetime
    editor_links: Callable[[], Iterable[tuple[str, datetime, EditorLink]]] = tuple
    """Returns the links in the editor's files, each with its week and when that opens."""

    def add(self, url: str, open_fetcher: OpenFetcher, *, note: str = "", title: str = "") -> CollectedLink:
        """Fetch a page and add it as a link, with the page's own title and description where none are given.

        Raise RefusedError if the link is known already, FeedError if the page cannot be fetched and there is no title.
        """
        entry = self._fetch_new(url, open_fetcher, note, title)
        self._save(entry)
        return _to_link(entry, self.now)

    def preview(self, url: str, open_fetcher: OpenFetcher, *, note: str = "", title: str = "") -> CollectedLink:
        """Return the link that ``add`` would add; store nothing."""
        return _to_link(self._fetch_new(url, open_fetcher, note, title), self.now)

    def all(self) -> tuple[CollectedLink, ...]:
        """Return every link, unused ones first, then in the order of their dates."""
        feed_ids = [feed.id for feed in self.feeds if feed.kind == "links"] + [ADDED_LINKS_FEED_ID]
        entries = self.store.entries.between(_MIN_DATE, _MAX_DATE, feed_ids)
        stored_links = [_to_link(stored.entry, stored.first_seen_at, self._used_in(stored)) for stored in entries]
        # An item without a URL is identified by its title.
        links = {url_key(link.url) or link.title: link for link in (*self._written_by_editor(), *stored_links)}
        return tuple(sorted(links.values(), key=_sort_key))

    def remove(self, url: str) -> CollectedLink:
        """Delete a link that was added by hand; raise RefusedError if there is none or an edition has it."""
        key = url_key(url)
        added = self.store.entries.between(_MIN_DATE, _MAX_DATE, [ADDED_LINKS_FEED_ID])
        stored = next((stored for stored in added if url_key(stored.entry.url) == key), None)
        if stored is None:
            raise RefusedError(f"{url} is not among the links that were added by hand: look at the list again.")
        if used_in := self._used_in(stored):
            raise RefusedError(f"{url} was used in {used_in} and stays in the list, so that it is not used again.")
        self.store.entries.delete([stored.entry_id], now=self.now)
        return _to_link(stored.entry, stored.first_seen_at)

    def restore(self, link: CollectedLink) -> None:
        """Add a link that was removed as it was, with its date; raise RefusedError if it is known again."""
        self._require_new(link.url)
        self._save(_entry(link.url, link.title, link.note, link.published_at))

    def _fetch_new(self, url: str, open_fetcher: OpenFetcher, note: str, title: str) -> Entry:
        cleaned = clean_url(with_scheme(url))
        if not cleaned:
            raise UsageError(f"{url!r} is not the URL of a web page: enter one that begins with https://.")
        self._require_new(cleaned)
        entry = asyncio.run(_fetch_entry(cleaned, open_fetcher, self.now, note.strip(), title.strip()))
        self._require_new(entry.url)
        return entry

    def _require_new(self, url: str) -> None:
        """Raise RefusedError if a feed, the collection or an editor's file had a link already."""
        key = url_key(url)
        kinds = {feed.id: feed.kind for feed in self.feeds} | {ADDED_LINKS_FEED_ID: "links"}
        known = [
            identity.entry_id
            for feed_id in kinds
            for identity in self.store.entries.identities(feed_id)
            if identity.url_key == key
        ]
        for stored in self.store.entries.by_id(known):
            if used_in := self._used_in(stored):
                raise RefusedError(f"{url} was already used in {used_in}.")
            if kinds.get(stored.entry.feed_id) != "links":
                raise RefusedError(
                    f"{url} is a page of your own feed {stored.entry.feed_id}, which is published anyway."
                )
            raise RefusedError(f"{url} is in the list already: “{stored.entry.title}”.")
        if used_in := self._used_in_editor_file(key):
            raise RefusedError(f"{url} was already used in {used_in}.")

    def _used_in(self, stored: StoredEntry) -> str:
        week = stored.edition_week or stored.assigned_week
        return _describe_edition(self.store.editions.get(week).number, week) if week else ""

    def _written_by_editor(self) -> Iterator[CollectedLink]:
        """Yield the links of editor's files: of sealed editions as they were sealed, of others as they are now."""
        sealed_weeks = set()
        for week, record in self.store.editions.all().items():
            sealed = self.store.editions.sealed(week) if record.is_sealed else None
            if sealed:
                sealed_weeks.add(week)
                used_in = _describe_edition(record.number, week)
                for link in sealed.overrides.links:
                    yield _editor_link(link, sealed.sealed_at, used_in=used_in)
        for week, opens_at, link in self.editor_links():
            if week not in sealed_weeks:
                yield _editor_link(link, opens_at, file=f"{week}.md")

    def _used_in_editor_file(self, key: str) -> str:
        """Return the sealed edition whose editor's file had a link."""
        for week, record in self.store.editions.all().items():
            sealed = self.store.editions.sealed(week) if record.number else None
            if sealed and any(url_key(link.url) == key for link in sealed.overrides.links):
                return _describe_edition(record.number, week)
        return ""

    def _save(self, entry: Entry) -> None:
        from pipeline.ingest.dedupe import fingerprint

        if any(identity.guid == entry.guid for identity in self.store.entries.identities(ADDED_LINKS_FEED_ID)):
            # The link was removed before, and a deleted entry stays deleted: add it under another guid.
            entry = replace(entry, guid=f"{entry.guid} {self.now:%Y-%m-%dT%H:%M:%S}")
        state = self.store.feeds.states().get(ADDED_LINKS_FEED_ID)
        state = state or FeedState(feed_id=ADDED_LINKS_FEED_ID, first_read_at=self.now)
        change = EntryChange(kind="new", entry=entry, fingerprint=fingerprint(entry))
        update = FeedUpdate(state=state, changes=FeedChanges(entries=[change]))
        self.store.entries.apply([update], now=self.now)


async def _fetch_entry(url: str, open_fetcher: OpenFetcher, now: datetime, note: str, title: str) -> Entry:
    """Return an entry for a page; raise FeedError if it cannot be fetched and ``title`` is empty."""
    from pipeline.ingest.webpage import read_metadata

    async with open_fetcher() as fetcher:
        outcome = await fetcher.fetch(FetchRequest(key=ADDED_LINKS_FEED_ID, url=url), now=now)
    if not outcome.has_body and not title:
        raise FeedError(f"{url} {outcome.detail}; check the URL, or give it a title to add it without a check.")
    page = read_metadata(outcome.body, outcome.content_type, outcome.final_url or url)
    page_url = page.url if outcome.has_body else url
    return _entry(page_url, title or page.title or page_url, to_plain(note) or page.description, now)


def _entry(url: str, title: str, note: str, published_at: datetime) -> Entry:
    return Entry(
        feed_id=ADDED_LINKS_FEED_ID, guid=url, url=url, title=title, published_at=published_at, excerpt_text=note
    )


def _sort_key(link: CollectedLink) -> tuple[bool, datetime, str, str]:
    """Return what sorts a link: those that wait have the order in which editions take them."""
    return bool(link.used_in), link.published_at, link.feed_id, link.url


def _describe_edition(number: int | None, week: str) -> str:
    return f"edition {number} ({week})" if number else week


def _editor_link(link: EditorLink, added_at: datetime, *, used_in: str = "", file: str = "") -> CollectedLink:
    return CollectedLink(
        url=link.url,
        title=link.title or link.url,
        note=link.note_md,
        feed_id=EDITOR_FEED_ID,
        added_at=added_at,
        published_at=added_at,
        used_in=used_in,
        file=file,
    )


def _to_link(entry: Entry, added_at: datetime, used_in: str = "") -> CollectedLink:
    return CollectedLink(
        url=entry.url,
        title=entry.title,
        note=entry.excerpt_text,
        feed_id=entry.feed_id,
        added_at=added_at,
        published_at=entry.published_at,
        used_in=used_in,
    )
