"""What joins the feeds: found at an address, or listed in an OPML file.

In: an address or outlines, the feeds there are, what is remembered of earlier ones. Out: the feeds to write into
config.toml, and why others are not among them. Writes nothing.
"""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.ingest.opml import Outline
from pipeline.jobs.feeds import probe as inspect
from pipeline.jobs.feeds.probe import FeedProbe
from pipeline.jobs.ports import OpenFetcher
from pipeline.model.errors import FeedError, RefusedError, UsageError
from pipeline.model.feed import Feed, FeedKind, FeedState
from pipeline.model.fetch import FetchRequest
from pipeline.text.urls import clean_url, domain, url_key

MAX_ID_CHARS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedOptions:
    """What the editor said about a feed; what is empty is for the program to choose."""

    id: str = ""
    kind: FeedKind | None = None
    section: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRegistry:
    """The feeds there are, and the ids that entries are stored under."""

    feeds: Sequence[Feed]
    states: Mapping[str, FeedState]

    def feed_at(self, url: str) -> str:
        """Name the feed that has an address; "" when none has."""
        key = url_key(url)
        return next((feed.id for feed in self.feeds if url_key(feed.url) == key), "")

    def with_feed(self, feed: Feed) -> FeedRegistry:
        """Know one more."""
        return replace(self, feeds=(*self.feeds, feed))

    def available_id(self, url: str, names: Iterable[str]) -> str:
        """Choose an id: the one the feed had before it was removed, else the first name that nobody has or had."""
        before = (id_ for id_, state in self.states.items() if url_key(state.url) == url_key(url))
        taken = {feed.id.lower() for feed in self.feeds}
        if (own := next(before, "")) and own.lower() not in taken:
            return own
        taken |= {id_.lower() for id_ in self.states}
        slugs = [slug for name in (*names, domain(url).partition(".")[0], "feed") if (slug := slugify(name))]
        return next((slug for slug in slugs if slug.lower() not in taken), "") or _numbered(slugs[0], taken)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveredFeed:
    """A feed to be added, and what it was chosen from."""

    feed: Feed
    probe: FeedProbe
    alternatives: tuple[FeedProbe, ...]
    """What else was found and reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedFeed:
    """An outline that is not imported, and why."""

    url: str
    reason: str
    failed: bool = False
    """True when it was asked and could not be read."""


def discover_feed(
    url: str, registry: FeedRegistry, open_fetcher: OpenFetcher, *, now: datetime, options: FeedOptions
) -> DiscoveredFeed:
    """Find the feed at an address or behind a home page.

    UsageError for what is no address, Refused when the feed is there already, FeedProblem when none can be read.
    """
    url = url if "://" in url else f"https://{url}"
    if not _is_allowed_in_config(url):
        raise UsageError(
            "give an address on the web, without user name and password; a feed that needs them is added by hand, "
            "with username and password_env."
        )
    _require_unknown(url, registry)
    findings = inspect.probe_url(url, open_fetcher, now=now)
    best, *others = findings
    if not best.ok:
        raise FeedError(f"no feed was added: {best.url} {best.message}")
    _require_unknown(best.feed_url, registry, others)
    kind = options.kind or best.kind
    title = best.parsed.channel.title if best.parsed else ""
    feed = Feed(
        id=options.id or registry.available_id(best.feed_url, (kind, title)),
        url=best.feed_url,
        kind=kind,
        section=options.section,
    )
    return DiscoveredFeed(feed=feed, probe=best, alternatives=tuple(each for each in others if each.ok))


def plan_import(outlines: Sequence[Outline], registry: FeedRegistry) -> tuple[list[Feed], list[SkippedFeed]]:
    """Choose what to import: every feed with a web address that is not there yet, once."""
    chosen: list[Feed] = []
    skipped: list[SkippedFeed] = []
    for outline in outlines:
        holder, reason = registry.feed_at(outline.url), ""
        if not _is_allowed_in_config(outline.url):
            reason = "is no address on the web, or has a user name and password in it"
        elif holder:
            reason = f"is there already, as {holder}"
        if reason:
            skipped.append(SkippedFeed(url=re.sub(r"//\S*@", "//…@", outline.url), reason=reason))
            continue
        feed = Feed(
            id=registry.available_id(outline.url, (outline.name, outline.title)),
            url=outline.url,
            kind=outline.kind or "blog",
            section=outline.folder,
        )
        chosen.append(feed)
        registry = registry.with_feed(feed)
    return chosen, skipped


def verify_feeds(
    feeds: Sequence[Feed], open_fetcher: OpenFetcher, *, now: datetime
) -> tuple[list[Feed], list[SkippedFeed]]:
    """Read each feed first: give those that read, podcasts taken for blogs put right, and the others."""
    findings = asyncio.run(_probe_all(feeds, open_fetcher, now))
    good = [feed for feed in feeds if findings[feed.id].ok]
    failed = [
        SkippedFeed(url=feed.url, reason=findings[feed.id].message, failed=True) for feed in feeds if feed not in good
    ]
    return [replace(feed, kind=findings[feed.id].kind) if feed.kind == "blog" else feed for feed in good], failed


async def _probe_all(feeds: Sequence[Feed], open_fetcher: OpenFetcher, now: datetime) -> dict[str, FeedProbe]:
    requests = [FetchRequest(key=feed.id, url=feed.url) for feed in feeds]
    async with open_fetcher() as fetcher:
        return {
            outcome.key: inspect.probe_outcome(outcome, now=now)
            async for outcome in fetcher.fetch_all(requests, now=now)
        }


def to_outline(feed: Feed, title: str) -> Outline:
    """Describe a feed for other readers; its id comes back when the list is imported again."""
    return Outline(url=feed.url, name=feed.id, title=title, kind=feed.kind, folder=feed.section)


def slugify(name: str) -> str:
    """Write a name as an id.

    >>> slugify("The Harbour Table: Café & Co."), slugify("港"), slugify("Blog_2")
    ('the-harbour-table-cafe-co', '', 'Blog_2')
    """
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name):
        return name
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9_]+", "-", plain).strip("-_")[:MAX_ID_CHARS].rstrip("-_")


def _is_allowed_in_config(url: str) -> bool:
    return bool(clean_url(url)) and re.fullmatch(r"https?://[^\s/@]+(/\S*)?", url, re.IGNORECASE) is not None


def _numbered(slug: str, taken: Collection[str]) -> str:
    number = 2
    while f"{slug}-{number}".lower() in taken:
        number += 1
    return f"{slug}-{number}"


def _require_unknown(url: str, known: FeedRegistry, others: Sequence[FeedProbe] = ()) -> None:
    if not (holder := known.feed_at(url)):
        return
    fresh = [each.feed_url for each in others if each.ok and not known.feed_at(each.feed_url)]
    more = f"; add another by its own address: {', '.join(fresh)}" if fresh else ", so nothing was added"
    raise RefusedError(f"{url} is in config.toml already, as {holder}{more}.")
