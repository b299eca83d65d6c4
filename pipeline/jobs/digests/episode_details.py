"""Find out what the episodes of a week are about: their chapters, or how they begin.

In: a week's stories, a store, a fetcher, the moment. Out: what was learnt, kept in the store, so that each document is
asked for once and a digest only ever reads what is there. Nothing is asked for before a digest takes an episode.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from pipeline.jobs.ports import OpenFetcher
from pipeline.model.entry import Entry, StoredEntry
from pipeline.model.fetch import FetchRequest
from pipeline.store import Store

_READABLE = ("vtt", "srt", "subrip", "plain", "html")


Group = tuple[StoredEntry, ...]


def episode_detail_urls(groups: Iterable[Group]) -> tuple[str, ...]:
    """List the addresses that say what the episodes are about: of each its chapters, else its transcripts."""
    found = (url for group in groups for each in group for url in _addresses(each.entry))
    return tuple(dict.fromkeys(found))


def fetch_episode_details(store: Store, groups: Sequence[Group], open_fetcher: OpenFetcher, *, now: datetime) -> int:
    """Ask for what is not known yet, and keep it; count what was learnt. What cannot be had is asked for later."""
    wanted = episode_detail_urls(groups)
    known = store.episode_details(wanted)
    missing = [url for url in wanted if url not in known]
    return asyncio.run(_learn(store, missing, open_fetcher, now)) if missing else 0


async def _learn(store: Store, urls: Sequence[str], open_fetcher: OpenFetcher, now: datetime) -> int:
    from pipeline.ingest.chapters import chapter_titles, transcript_opening

    learnt = 0
    async with open_fetcher() as fetcher:
        async for outcome in fetcher.fetch_all([FetchRequest(key=url, url=url) for url in urls], now=now):
            if outcome.has_body:
                read = chapter_titles if outcome.body.lstrip()[:1] == b"{" else transcript_opening
                store.save_episode_details(outcome.key, read(outcome.body, outcome.content_type), now=now)
                learnt += 1
    return learnt


def _addresses(entry: Entry) -> Iterator[str]:
    if entry.is_episode and entry.chapters_url:
        yield entry.chapters_url
    elif entry.is_episode:
        readable = (each.url for each in entry.transcripts if any(kind in each.media_type for kind in _READABLE))
        yield from list(readable)[:1]
