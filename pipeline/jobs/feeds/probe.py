"""Look at one address as a feed reader would, keeping nothing.

In: an address, a fetcher, the moment. Out: a Finding: what is there, what is odd about it, in words.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.ingest.discover import find_feeds
from pipeline.ingest.normalise import normalise
from pipeline.ingest.parse import parser as sources
from pipeline.ingest.polling import moved_hint
from pipeline.jobs.ports import OpenFetcher
from pipeline.model.entry import Entry, ParsedFeed
from pipeline.model.errors import NotAFeedError
from pipeline.model.feed import Feed, FeedKind
from pipeline.model.fetch import FetchOutcome, FetchRequest, Headers, OutcomeKind

MAX_FEEDS_PER_PAGE = 5
"""So many of a page's feeds are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedProbe:
    """What one address holds."""

    url: str
    """Where it was found, after all redirects."""
    feed_url: str
    """What to write into config.toml: the address asked for, or where a permanent redirect leads."""
    ok: bool
    message: str
    """What happened: the outcome in words."""
    outcome: OutcomeKind = "ok"
    parsed: ParsedFeed | None = None
    entries: tuple[Entry, ...] = ()
    kind: FeedKind = "blog"
    """The kind it looks like."""
    warnings: tuple[str, ...] = ()


def probe_url(
    url: str,
    open_fetcher: OpenFetcher,
    *,
    now: datetime,
    headers: Headers = (),
) -> tuple[FeedProbe, ...]:
    """Read the feed at an address, or the feeds behind a home page; one finding each, the best first.

    ``headers`` go to that address alone.
    """
    request = FetchRequest(key=url, url=url, headers=headers)
    return asyncio.run(_probe_url(request, open_fetcher, now))


async def _probe_url(request: FetchRequest, open_fetcher: OpenFetcher, now: datetime) -> tuple[FeedProbe, ...]:
    async with open_fetcher() as fetcher:
        outcome = await fetcher.fetch(request, now=now)
        found = probe_outcome(outcome, now=now)
        if found.ok or not outcome.body:
            return (found,)
        behind = find_feeds(outcome.body, outcome.final_url)[:MAX_FEEDS_PER_PAGE]
        findings = [
            probe_outcome(await fetcher.fetch(FetchRequest(key=each, url=each), now=now), now=now) for each in behind
        ]
    # The page's own order is the best guess (a feed of comments comes last), but for feeds that are broken or empty.
    return tuple(sorted(findings, key=lambda each: (not each.ok, not each.entries))) or (found,)


def probe_outcome(outcome: FetchOutcome, *, now: datetime) -> FeedProbe:
    """Say what an answer holds."""
    url, address = outcome.final_url or outcome.url, outcome.moved_to or outcome.url
    if not outcome.body:
        return FeedProbe(url=url, feed_url=address, ok=False, message=outcome.message, outcome=outcome.kind)
    try:
        parsed = sources.parse_feed(outcome.body, content_type=outcome.content_type, url=url)
    except NotAFeedError as trouble:
        return FeedProbe(url=url, feed_url=address, ok=False, message=str(trouble), outcome="not_a_feed")
    if parsed.damage:
        outcome = replace(outcome, kind="partial", detail=f"{outcome.detail}, but its {parsed.damage}")
    entries = normalise(parsed, Feed(id="feed", url=url, kind="blog"), url=url, now=now)
    kind: FeedKind = "podcast" if sum(each.is_episode for each in entries) * 2 > len(entries) else "blog"
    return FeedProbe(
        url=url,
        feed_url=address,
        ok=True,
        message=outcome.message,
        outcome=outcome.kind,
        parsed=parsed,
        entries=entries,
        kind=kind,
        warnings=(*parsed.warnings, *_warnings(entries, moved_hint(parsed.channel, url))),
    )


def _warnings(entries: tuple[Entry, ...], moved: str) -> tuple[str, ...]:
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
