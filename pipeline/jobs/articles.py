"""Read the pages of entries that came as an excerpt: ``full_text`` of config.toml.

In: what is to be kept, a fetcher, how many pages may still be read. Out: the same, with the articles that were found.
A page that cannot be had keeps its excerpt.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from pipeline.model.entry import Change
from pipeline.model.fetch import FetchOutcome, FetchRequest

MOST_PAGES = 20
"""So many pages are read in one run, of all feeds together, the newest of each feed first."""


class Fetcher(Protocol):
    """What this job needs of ``ingest.fetch.Fetcher``."""

    def fetch_all(self, requests: Iterable[FetchRequest], *, now: datetime) -> AsyncIterator[FetchOutcome]:
        """Fetch documents, each as soon as it is there."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Articles:
    """What became of a feed's changes."""

    changes: tuple[Change, ...]
    """As they were, some with a longer body. The fingerprint stays that of the feed's own words."""
    wanted: int = 0
    found: int = 0
    throttled: FetchOutcome | None = None
    """The answer of a host that wants to be left alone."""

    @property
    def sentence(self) -> str:
        """Say how it went; "" when nothing was wanted."""
        return f"{self.found} of {self.wanted} entries with their full text" if self.wanted else ""


async def read_articles(
    changes: Sequence[Change], fetcher: Fetcher, *, now: datetime, allowance: Iterator[int]
) -> Articles:
    """Read the pages of entries that are new or changed and have an excerpt only.

    ``allowance`` gives one item for each page that may be read; no password goes with the requests.
    """
    # Heavy, and for feeds with full_text only.
    from pipeline.ingest.fulltext import wants_page, with_article

    wanted = [change for change in changes if change.kind != "same" and wants_page(change.entry)]
    wanted.sort(key=lambda change: change.entry.published_at, reverse=True)
    entries = {change.entry.guid: change.entry for change, _ in zip(wanted, allowance, strict=False)}
    requests = [FetchRequest(feed_id=guid, url=entry.url) for guid, entry in entries.items()]
    found, throttled = {}, None
    async for outcome in fetcher.fetch_all(requests, now=now):
        throttled = outcome if outcome.kind == "throttled" else throttled
        if not outcome.fresh:
            continue
        before = entries[outcome.feed_id]
        after = with_article(before, outcome.body, content_type=outcome.content_type, url=outcome.final_url)
        if after is not before:
            found[before.guid] = after
    told = (replace(change, entry=found.get(change.entry.guid, change.entry)) for change in changes)
    return Articles(changes=tuple(told), wanted=len(wanted), found=len(found), throttled=throttled)
