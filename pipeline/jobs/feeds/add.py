"""Find feeds to add to config.toml: at a URL, or in an OPML file."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count

from pipeline.ingest.opml import Outline
from pipeline.jobs.feeds.probe import FeedProbe, probe_address, probe_outcome
from pipeline.jobs.ports import OpenFetcher
from pipeline.model.errors import RefusedError, UsageError
from pipeline.model.feed import Feed, FeedKind, FeedState
from pipeline.model.fetch import FetchRequest
from pipeline.text.urls import clean_url, domain, replace_feed_scheme, url_key, with_scheme

MAX_ID_CHARS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedOptions:
    """Choices of the editor for a new feed; empty ones are made by the program."""

    id: str = ""
    kind: FeedKind | None = None
    section: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRegistry:
    """The configured feeds, and the ids under which entries are stored."""

    feeds: Sequence[Feed]
    states: Mapping[str, FeedState]
    """State of every feed ever fetched, by id."""

    def feed_at(self, url: str) -> str:
        """Return the id of the configured feed at a URL, by any spelling or after a move, or "" if there is none."""
        key = url_key(url)
        return next((feed.id for feed in self.feeds if key in self._keys(feed)), "")

    def with_feed(self, feed: Feed) -> FeedRegistry:
        """Return a registry with one more feed."""
        return replace(self, feeds=(*self.feeds, feed))

    def available_id(self, url: str, names: Iterable[str]) -> str:
        """Return an id for a new feed: its former one if it was removed before, else the first unused of ``names``."""
        key = url_key(url)
        used = {feed.id.lower() for feed in self.feeds}
        former_ids = (feed_id for feed_id, state in self.states.items() if url_key(state.url) == key)
        if (former := next(former_ids, "")) and former.lower() not in used:
            return former
        used |= {feed_id.lower() for feed_id in self.states}
        slugs = [slug for name in (*names, domain(url).partition(".")[0], "feed") if (slug := slugify(name))]
        return next((slug for slug in slugs if slug.lower() not in used), "") or next(
            numbered for number in count(2) if (numbered := f"{slugs[0]}-{number}").lower() not in used
        )

    def _keys(self, feed: Feed) -> set[str]:
        state = self.states.get(feed.id)
        moved = {url_key(state.current_url)} if state and state.current_url and state.url == feed.url else set()
        return {url_key(feed.url)} | moved


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveredFeed:
    """A feed to add."""

    feed: Feed
    probe: FeedProbe
    alternatives: tuple[FeedProbe, ...]
    """Other readable feeds of the same web page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedFeed:
    """A feed that is not imported, with the reason."""

    url: str
    reason: str
    failed: bool = False
    """True if it was fetched and could not be read."""


def discover_feed(
    url: str, registry: FeedRegistry, open_fetcher: OpenFetcher, *, now: datetime, options: FeedOptions
) -> DiscoveredFeed:
    """Return the feed at a URL, or the best feed that the web page there links to.

    Raises UsageError if ``url`` is not a web address or the id is taken, RefusedError if the feed is configured already
    or none can be read.
    """
    address, url = url, with_scheme(replace_feed_scheme(url.strip()))
    if not _is_allowed_in_config(url):
        raise UsageError(
            "give a web address without user name and password; add a feed that needs them by hand, with username and "
            "password_env."
        )
    if options.id.lower() in {feed.id.lower() for feed in registry.feeds}:
        raise UsageError(
            f'no feed was added: a [[feeds]] table has the id "{options.id}"; choose another one with --id.'
        )
    _require_unknown(url, registry)
    best, *others = probe_address(address, open_fetcher, now=now)
    if not best.ok:
        raise RefusedError(f"no feed was added: {best.url} {best.message.rstrip('.')}.")
    _require_unknown(best.feed_url, registry, others)
    kind = options.kind or best.kind
    title = best.parsed.channel.title if best.parsed else ""
    feed = Feed(
        id=options.id or registry.available_id(best.feed_url, (kind, title)),
        url=best.feed_url,
        kind=kind,
        section=options.section,
    )
    return DiscoveredFeed(feed=feed, probe=best, alternatives=tuple(probe for probe in others if probe.ok))


def plan_import(outlines: Sequence[Outline], registry: FeedRegistry) -> tuple[list[Feed], list[SkippedFeed]]:
    """Return the outlines of an OPML file to import as feeds, each URL once, and the ones to skip."""
    feeds: list[Feed] = []
    skipped: list[SkippedFeed] = []
    for outline in outlines:
        reason = ""
        if outline.is_damaged:
            reason = "is damaged in the file"
        elif not _is_allowed_in_config(outline.url):
            reason = "is not a web address, or contains a user name and password"
        elif existing := registry.feed_at(outline.url):
            reason = f"is configured already, as {existing}"
        if reason:
            skipped.append(SkippedFeed(url=re.sub(r"//(?:(?!//)\S)*@", "//…@", outline.url), reason=reason))
            continue
        feed = Feed(
            id=registry.available_id(outline.url, (outline.name, outline.title)),
            url=outline.url,
            kind=outline.kind or "blog",
            section=outline.folder,
        )
        feeds.append(feed)
        registry = registry.with_feed(feed)
    return feeds, skipped


def verify_feeds(
    feeds: Sequence[Feed], open_fetcher: OpenFetcher, *, now: datetime
) -> tuple[list[Feed], list[SkippedFeed]]:
    """Fetch feeds, and return the readable ones, with podcasts recognised, and the others."""
    probes = asyncio.run(_probe_all(feeds, open_fetcher, now))
    readable: list[Feed] = []
    skipped: list[SkippedFeed] = []
    for feed in feeds:
        probe = probes[feed.id]
        if probe.ok:
            readable.append(replace(feed, kind=probe.kind) if feed.kind == "blog" else feed)
        else:
            skipped.append(SkippedFeed(url=feed.url, reason=probe.message, failed=True))
    return readable, skipped


async def _probe_all(feeds: Sequence[Feed], open_fetcher: OpenFetcher, now: datetime) -> dict[str, FeedProbe]:
    requests = [FetchRequest(key=feed.id, url=feed.url) for feed in feeds]
    async with open_fetcher() as fetcher:
        return {outcome.key: probe_outcome(outcome, now=now) async for outcome in fetcher.fetch_all(requests, now=now)}


def to_outline(feed: Feed, title: str) -> Outline:
    """Return a feed as an OPML outline, from which an import restores its id."""
    return Outline(url=feed.url, name=feed.id, title=title, kind=feed.kind, folder=feed.section)


def slugify(name: str) -> str:
    """Return a name as an id, or "" if nothing of it can be used.

    >>> slugify("The Harbour Table: Café & Co."), slugify("港"), slugify("Blog_2")
    ('the-harbour-table-cafe-co', '', 'Blog_2')
    """
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name):
        return name
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9_]+", "-", ascii_name).strip("-_")[:MAX_ID_CHARS].rstrip("-_")


def _is_allowed_in_config(url: str) -> bool:
    return bool(clean_url(url)) and re.fullmatch(r"https?://[^\s/@]+(/\S*)?", url, re.IGNORECASE) is not None


def _require_unknown(url: str, registry: FeedRegistry, others: Sequence[FeedProbe] = ()) -> None:
    """Raise RefusedError if a URL is configured already, naming others that are not."""
    if not (existing := registry.feed_at(url)):
        return
    new_urls = [probe.feed_url for probe in others if probe.ok and not registry.feed_at(probe.feed_url)]
    hint = f"; to add another one, give its own URL: {', '.join(new_urls)}" if new_urls else ", so nothing was added"
    raise RefusedError(f"{url} is in config.toml already, as {existing}{hint}.")
