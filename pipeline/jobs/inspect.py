"""Look at one address as a feed reader would, keeping nothing.

In: an address, a fetcher, the moment. Out: a Finding: what is there, what is odd about it, in words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from pipeline.ingest import sources
from pipeline.ingest.discover import find_feeds
from pipeline.ingest.normalise import normalise
from pipeline.ingest.poll import says_it_moved
from pipeline.model.entry import Entry, ParsedFeed
from pipeline.model.errors import NotAFeed
from pipeline.model.feed import Feed, FeedKind
from pipeline.model.fetch import FetchOutcome, FetchRequest, OutcomeKind

MOST_FEEDS = 5
"""So many of a page's feeds are looked at."""


class Fetcher(Protocol):
    """What this job needs of ``ingest.fetch.Fetcher``."""

    def fetch(self, request: FetchRequest, *, now: datetime) -> Awaitable[FetchOutcome]:
        """Fetch one document."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one address holds."""

    url: str
    """Where it was found, after all redirects."""
    address: str
    """What to write into config.toml: the address asked for, or where a permanent redirect leads."""
    ok: bool
    sentence: str
    """What happened: the outcome in words."""
    outcome: OutcomeKind = "ok"
    parsed: ParsedFeed | None = None
    entries: tuple[Entry, ...] = ()
    kind: FeedKind = "blog"
    """The kind it looks like."""
    oddities: tuple[str, ...] = ()


def inspect(
    url: str,
    open_fetcher: Callable[[], AbstractAsyncContextManager[Fetcher]],
    *,
    now: datetime,
    headers: tuple[tuple[str, str], ...] = (),
) -> tuple[Finding, ...]:
    """Read the feed at an address, or the feeds behind a home page; one finding each, the best first.

    ``headers`` go to that address alone.
    """
    request = FetchRequest(feed_id=url, url=url, headers=headers)
    return asyncio.run(_inspect(request, open_fetcher, now))


async def _inspect(
    request: FetchRequest, open_fetcher: Callable[[], AbstractAsyncContextManager[Fetcher]], now: datetime
) -> tuple[Finding, ...]:
    async with open_fetcher() as fetcher:
        outcome = await fetcher.fetch(request, now=now)
        found = read(outcome, now=now)
        if found.ok or not outcome.body:
            return (found,)
        behind = find_feeds(outcome.body, outcome.final_url)[:MOST_FEEDS]
        findings = [
            read(await fetcher.fetch(FetchRequest(feed_id=each, url=each), now=now), now=now) for each in behind
        ]
    # The page's own order is the best guess (a feed of comments comes last), but for feeds that are broken or empty.
    return tuple(sorted(findings, key=lambda each: (not each.ok, not each.entries))) or (found,)


def read(outcome: FetchOutcome, *, now: datetime) -> Finding:
    """Say what an answer holds."""
    url, address = outcome.final_url or outcome.url, outcome.moved_to or outcome.url
    if not outcome.body:
        return Finding(url=url, address=address, ok=False, sentence=outcome.sentence, outcome=outcome.kind)
    try:
        parsed = sources.parse(outcome.body, content_type=outcome.content_type, url=url)
    except NotAFeed as trouble:
        return Finding(url=url, address=address, ok=False, sentence=str(trouble), outcome="not_a_feed")
    if parsed.broken:
        outcome = replace(outcome, kind="partly_broken", detail=f"{outcome.detail}, but its {parsed.broken}")
    entries = normalise(parsed, Feed(id="feed", url=url, kind="blog"), url=url, now=now)
    kind: FeedKind = "podcast" if sum(each.is_episode for each in entries) * 2 > len(entries) else "blog"
    return Finding(
        url=url,
        address=address,
        ok=True,
        sentence=outcome.sentence,
        outcome=outcome.kind,
        parsed=parsed,
        entries=entries,
        kind=kind,
        oddities=(*parsed.oddities, *_oddities(entries, says_it_moved(parsed.channel, url))),
    )


def _oddities(entries: tuple[Entry, ...], moved: str) -> tuple[str, ...]:
    total = len(entries)
    undated = sum(each.dated_by == "first_seen" for each in entries)
    untitled = sum(not each.title for each in entries)
    pageless = sum(not each.url for each in entries)
    told = (
        (moved, f"it {moved}"),
        (not total, "it has no entries"),
        (undated, f"{undated} of {total} entries have no date: they count as published when first seen"),
        (untitled, f"{untitled} of {total} entries have no title"),
        (pageless, f"{pageless} of {total} entries have no page to link to"),
    )
    return tuple(words for applies, words in told if applies)
