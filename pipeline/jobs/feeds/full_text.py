"""Read the pages of entries that came as an excerpt: ``full_text`` of config.toml.

In: what is to be kept, a fetcher, how many pages may still be read. Out: the same, with the articles that were found.
A page that cannot be had keeps its excerpt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.jobs.ports import Fetcher
from pipeline.model.fetch import FetchOutcome, FetchRequest
from pipeline.model.update import EntryChange

MAX_PAGES = 20
"""So many pages are read in one run, of all feeds together, the newest of each feed first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FullTextResult:
    """What became of a feed's changes."""

    changes: tuple[EntryChange, ...]
    """As they were, some with a longer body. The fingerprint stays that of the feed's own words."""
    wanted: int = 0
    found: int = 0
    rate_limited: FetchOutcome | None = None
    """The answer of a host that wants to be left alone."""

    @property
    def summary(self) -> str:
        """Say how it went; "" when nothing was wanted."""
        return f"{self.found} of {self.wanted} entries with their full text" if self.wanted else ""


async def fetch_full_text(
    changes: Sequence[EntryChange], fetcher: Fetcher, *, now: datetime, page_budget: Iterator[int]
) -> FullTextResult:
    """Read the pages of entries that are new or changed and have an excerpt only.

    ``allowance`` gives one item for each page that may be read; no password goes with the requests.
    """
    # Heavy, and for feeds with full_text only.
    from pipeline.ingest.full_text import needs_full_text, with_full_text

    wanted = [change for change in changes if change.kind != "same" and needs_full_text(change.entry)]
    wanted.sort(key=lambda change: change.entry.published_at, reverse=True)
    entries = {change.entry.guid: change.entry for change, _ in zip(wanted, page_budget, strict=False)}
    requests = [FetchRequest(key=guid, url=entry.url) for guid, entry in entries.items()]
    found, throttled = {}, None
    async for outcome in fetcher.fetch_all(requests, now=now):
        throttled = outcome if outcome.kind == "rate_limited" else throttled
        if not outcome.has_body:
            continue
        before = entries[outcome.key]
        after = with_full_text(before, outcome.body, content_type=outcome.content_type, url=outcome.final_url)
        if after is not before:
            found[before.guid] = after
    told = (replace(change, entry=found.get(change.entry.guid, change.entry)) for change in changes)
    return FullTextResult(changes=tuple(told), wanted=len(wanted), found=len(found), rate_limited=throttled)
