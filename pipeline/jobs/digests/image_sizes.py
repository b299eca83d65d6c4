"""See how large the pictures of a week are, by their first bytes.

In: a week's stories, a store, a fetcher, the moment. Out: what was seen, kept in the store, so that each picture is
asked for once and a digest only ever reads what is there. Nothing is asked for before a digest takes an entry.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime

from pipeline.digest.checks.image_size import read_image_size
from pipeline.jobs.ports import OpenFetcher
from pipeline.model.entry import Picture, StoredEntry
from pipeline.model.fetch import FetchOutcome, FetchRequest
from pipeline.store import Store

IMAGE_PREFIX_BYTES = 32_768
"""PNG, GIF and WebP say their size in the first thirty; a JPEG behind what the camera wrote about itself."""


def fetch_image_sizes(
    store: Store,
    groups: Iterable[Sequence[StoredEntry]],
    open_fetcher: OpenFetcher,
    *,
    logo_url: str = "",
    now: datetime,
) -> int:
    """Ask for the beginning of pictures not seen yet, and keep their sizes; count them. A failure is asked again."""
    pictures = (each.entry.picture for group in groups for each in group)
    wanted = dict.fromkeys(filter(None, (logo_url, *(picture.url for picture in pictures if picture))))
    known = store.image_sizes(list(wanted))
    missing = [url for url in wanted if url not in known]
    return asyncio.run(_measure(store, missing, open_fetcher, now)) if missing else 0


async def _measure(store: Store, urls: Sequence[str], open_fetcher: OpenFetcher, now: datetime) -> int:
    seen = 0
    requests = [FetchRequest(key=url, url=url, first_bytes=IMAGE_PREFIX_BYTES) for url in urls]
    async with open_fetcher() as fetcher:
        async for outcome in fetcher.fetch_all(requests, now=now):
            if outcome.has_body:
                store.save_image_size(_picture(outcome), now=now)
                seen += 1
    return seen


def _picture(outcome: FetchOutcome) -> Picture:
    width, height = read_image_size(outcome.body) or (None, None)
    return Picture(url=outcome.key, width=width, height=height, length_bytes=outcome.length_bytes)
