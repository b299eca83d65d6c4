"""Fetch the web pages of entries that are only excerpts, for feeds with ``full_text``."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.jobs.ports import Fetcher
from pipeline.model.cpu_budget import CpuClock, cpu_budget
from pipeline.model.entry import Entry
from pipeline.model.errors import ExpensiveDocumentError
from pipeline.model.fetch import FetchOutcome, FetchRequest
from pipeline.model.update import EntryChange

log = logging.getLogger(__name__)

MAX_PAGES = 20
"""Maximum number of pages to fetch in one run for all feeds; the newest entries of a feed come first."""

MAX_SECONDS = 60.0
"""Maximum time for all pages of a feed: the documents of other feeds wait meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FullTextResult:
    """The changes of a feed with the full text that was found."""

    changes: tuple[EntryChange, ...]
    """The fingerprints are still those of the feed's own text."""
    excerpts: int = 0
    """Number of entries that are only excerpts."""
    completed: int = 0
    """Number of those whose full text was found."""
    rate_limited: FetchOutcome | None = None
    """The outcome of a host that asked for a pause."""

    @property
    def summary(self) -> str:
        """The result in words; "" if there were no excerpts."""
        return f"{self.completed} of {self.excerpts} entries with their full text" if self.excerpts else ""


async def fetch_full_text(
    changes: Sequence[EntryChange],
    fetcher: Fetcher,
    *,
    now: datetime,
    page_budget: Iterator[int],
    max_seconds: float = MAX_SECONDS,
    cpu_clock: CpuClock = time.thread_time,
) -> FullTextResult:
    """Return changes with the full text of new and changed excerpts.

    An entry keeps its excerpt if its page fails, does not arrive within ``max_seconds`` or takes too much CPU time.

    ``page_budget`` yields once for each page that may be fetched. The headers of the feed are not sent.
    """
    # Slow to import, and needed by feeds with full_text only.
    from pipeline.ingest.full_text import needs_full_text

    excerpts = [change.entry for change in changes if change.kind != "same" and needs_full_text(change.entry)]
    excerpts.sort(key=lambda entry: entry.published_at, reverse=True)
    entries = {entry.guid: entry for entry, _ in zip(excerpts, page_budget, strict=False)}
    requests = [FetchRequest(key=guid, url=entry.url) for guid, entry in entries.items()]
    completed, rate_limited = {}, None
    with suppress(TimeoutError):
        async with asyncio.timeout(max_seconds):
            async for outcome in fetcher.fetch_all(requests, now=now):
                rate_limited = outcome if outcome.kind == "rate_limited" else rate_limited
                if outcome.has_body:
                    excerpt = entries[outcome.key]
                    entry = _completed(excerpt, outcome, cpu_clock)
                    if entry is not excerpt:
                        completed[entry.guid] = entry
    return FullTextResult(
        changes=tuple(replace(change, entry=completed.get(change.entry.guid, change.entry)) for change in changes),
        excerpts=len(excerpts),
        completed=len(completed),
        rate_limited=rate_limited,
    )


def _completed(excerpt: Entry, outcome: FetchOutcome, cpu_clock: CpuClock) -> Entry:
    """Return an entry with the full text of its page, or as it is."""
    from pipeline.ingest.full_text import with_full_text

    try:
        with cpu_budget(cpu_clock):
            return with_full_text(excerpt, outcome.body, content_type=outcome.content_type, url=outcome.final_url)
    except ExpensiveDocumentError as error:
        log.warning("%s %s; the excerpt stays", outcome.final_url, error.detail)
        return excerpt
