"""Fetch the feeds at a URL and describe them, without storing anything."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.ingest.discover import find_feeds
from pipeline.ingest.normalise import normalise
from pipeline.ingest.parse.parser import parse_feed
from pipeline.ingest.polling import moved_hint
from pipeline.jobs.ports import OpenFetcher
from pipeline.model.cpu_budget import cpu_budget
from pipeline.model.entry import Entry, ParsedFeed
from pipeline.model.errors import NotAFeedError
from pipeline.model.feed import Feed, FeedKind
from pipeline.model.fetch import FetchOutcome, FetchRequest, Headers, OutcomeKind
from pipeline.text.urls import replace_feed_scheme, with_scheme

MAX_FEEDS_PER_PAGE = 5
"""Maximum number of feeds to fetch that a web page links to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedProbe:
    """The result of fetching one URL."""

    url: str
    """The URL after all redirects."""
    feed_url: str
    """The URL for config.toml: the requested one, or the target of a permanent redirect."""
    ok: bool
    message: str
    """The outcome in words."""
    outcome: OutcomeKind = "ok"
    parsed: ParsedFeed | None = None
    entries: tuple[Entry, ...] = ()
    kind: FeedKind = "blog"
    """The kind that its entries suggest."""
    warnings: tuple[str, ...] = ()


def probe_address(
    address: str, open_fetcher: OpenFetcher, *, now: datetime, headers: Headers = ()
) -> tuple[FeedProbe, ...]:
    """Return the feeds at an address as it was typed, as ``probe_url`` does: without a scheme, https, then http."""
    address = replace_feed_scheme(address.strip())
    url = with_scheme(address)
    probes = probe_url(url, open_fetcher, now=now, headers=headers)
    if url == address or probes[0].ok:
        return probes
    plain = probe_url(f"http://{address}", open_fetcher, now=now)
    return plain if plain[0].ok else probes


def probe_url(url: str, open_fetcher: OpenFetcher, *, now: datetime, headers: Headers = ()) -> tuple[FeedProbe, ...]:
    """Return the feed at a URL, or the feeds that the web page there links to, the best first.

    ``headers`` are sent to that URL only.
    """
    return asyncio.run(_probe_url(FetchRequest(key=url, url=url, headers=headers), open_fetcher, now))


async def _probe_url(request: FetchRequest, open_fetcher: OpenFetcher, now: datetime) -> tuple[FeedProbe, ...]:
    async with open_fetcher() as fetcher:
        outcome = await fetcher.fetch(request, now=now)
        probe = probe_outcome(outcome, now=now)
        if probe.ok or not outcome.body:
            return (probe,)
        urls = find_feeds(outcome.body, outcome.final_url)[:MAX_FEEDS_PER_PAGE]
        linked = [probe_outcome(await fetcher.fetch(FetchRequest(key=url, url=url), now=now), now=now) for url in urls]
    # The order of the page is the best guess; broken and empty feeds are moved to the end.
    return tuple(sorted(linked, key=lambda probe: (not probe.ok, not probe.entries))) or (probe,)


def probe_outcome(outcome: FetchOutcome, *, now: datetime) -> FeedProbe:
    """Parse the body of an outcome and return what it contains."""
    url, feed_url = outcome.final_url or outcome.url, outcome.moved_to or outcome.url
    if not outcome.body:
        return FeedProbe(url=url, feed_url=feed_url, ok=False, message=outcome.probe_message, outcome=outcome.kind)
    try:
        with cpu_budget(time.thread_time):
            parsed = parse_feed(outcome.body, content_type=outcome.content_type, url=url)
            entries = normalise(parsed, Feed(id="feed", url=url, kind="podcast"), url=url, now=now)
    except NotAFeedError as error:
        return FeedProbe(url=url, feed_url=feed_url, ok=False, message=str(error), outcome=error.kind)
    if parsed.damage:
        outcome = replace(outcome, kind="partial", detail=f"{outcome.detail}, but its {parsed.damage}")
    episodes = sum(entry.is_episode for entry in entries)
    return FeedProbe(
        url=url,
        feed_url=feed_url,
        ok=True,
        message=outcome.probe_message,
        outcome=outcome.kind,
        parsed=parsed,
        entries=entries,
        kind="podcast" if episodes * 2 > len(entries) else "blog",
        warnings=(*parsed.warnings, *_warnings(entries, moved_hint(parsed.channel, url), parsed.channel.omission)),
    )


def _warnings(entries: tuple[Entry, ...], moved: str, omission: str) -> tuple[str, ...]:
    total = len(entries)
    unusable = [entry.unusable_date for entry in entries if entry.unusable_date]
    undated = sum(entry.dated_by == "first_seen" for entry in entries) - len(unusable)
    untitled = sum(not entry.title for entry in entries)
    without_url = sum(not entry.url for entry in entries)
    warnings = (
        (moved, f"it says that it moved to {moved}: check that address, and write it into config.toml"),
        (omission, f"it {omission}"),
        (not total, "it has no entries"),
        (undated, f"{undated} of {total} entries have no date: they are dated by when they are first seen"),
        (
            unusable,
            f"{len(unusable)} of {total} entries have a date that cannot be used, such as “{''.join(unusable[:1])}”: "
            "they are dated by when they are first seen",
        ),
        (untitled, f"{untitled} of {total} entries have no title"),
        (without_url, f"{without_url} of {total} entries have no page to link to"),
    )
    return tuple(text for applies, text in warnings if applies)
