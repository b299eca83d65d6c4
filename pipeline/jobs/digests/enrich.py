"""Fetch what feeds do not carry: chapters and transcripts of a week's episodes, and the sizes of its images.

Everything is stored, so each document is fetched once, and only when a digest includes its entry. What could not be
fetched is tried again by a later digest, but not by each: one server that never ends would make all of them wait.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from pipeline.digest.checks.images import read_image_size
from pipeline.digest.compose.images import image_urls
from pipeline.jobs.ports import OpenFetcher
from pipeline.model.cpu_budget import CpuClock, cpu_budget
from pipeline.model.entry import Entry, Picture, StoredEntry, TimedText
from pipeline.model.errors import ExpensiveDocumentError
from pipeline.model.fetch import FetchOutcome, FetchRequest
from pipeline.store import Store
from pipeline.text.format import pluralize

log = logging.getLogger(__name__)

IMAGE_PREFIX_BYTES = 32_768
"""Bytes of an image to fetch. PNG, GIF and WebP have their size in the first 30; a JPEG has it after its metadata."""
MAX_SECONDS = 60.0
"""Maximum time for all episode details, and again for all images, however many slow servers they are on."""
MIN_RETRY_INTERVAL, MAX_RETRY_INTERVAL = timedelta(hours=1), timedelta(hours=24)
"""How long a document that could not be fetched is left alone; the interval doubles with each failure."""
_READABLE_TRANSCRIPTS = ("vtt", "srt", "subrip", "plain", "html")


Stories = Sequence[Sequence[StoredEntry]]


def enrich(
    store: Store, stories: Stories, open_fetcher: OpenFetcher, own_images: Sequence[str] = (), *, now: datetime
) -> None:
    """Fetch and store the episode details and image sizes of stories; what fails is tried again later."""
    fetch_episode_details(store, stories, open_fetcher, now=now)
    fetch_image_sizes(store, stories, open_fetcher, own_images=own_images, now=now)


def episode_detail_urls(stories: Iterable[Sequence[StoredEntry]]) -> tuple[str, ...]:
    """Return the URLs of each episode's chapters and of its first readable transcript."""
    return tuple(dict.fromkeys(url for story in stories for stored in story for url in _detail_urls(stored.entry)))


def fetch_episode_details(
    store: Store,
    stories: Stories,
    open_fetcher: OpenFetcher,
    *,
    now: datetime,
    max_seconds: float = MAX_SECONDS,
    cpu_clock: CpuClock = time.thread_time,
) -> int:
    """Fetch and store chapters and transcripts that are not stored yet; return their number.

    A document that takes too much CPU time is given up: nothing is stored for it, and it is not fetched again.
    """
    wanted = episode_detail_urls(stories)
    stored = store.media.episode_details(wanted)
    requests = [FetchRequest(key=url, url=url) for url in wanted if url not in stored]

    def save(outcome: FetchOutcome) -> None:
        from pipeline.ingest.chapters import read_chapters, read_transcript

        parse = read_chapters if outcome.body.lstrip()[:1] == b"{" else read_transcript
        details: tuple[TimedText, ...] = ()
        try:
            with cpu_budget(cpu_clock):
                details = parse(outcome.body, outcome.content_type)
        except ExpensiveDocumentError as error:
            log.warning("%s %s; the episode goes without it", outcome.key, error.detail)
        store.media.save_episode_details(outcome.key, details, now=now)

    return _fetch(store, requests, open_fetcher, save, now, max_seconds)


def fetch_image_sizes(
    store: Store,
    stories: Stories,
    open_fetcher: OpenFetcher,
    *,
    own_images: Sequence[str] = (),
    now: datetime,
    max_seconds: float = MAX_SECONDS,
) -> int:
    """Measure images by their first bytes and store the sizes that are not stored yet; return their number."""
    wanted = image_urls(stories, own_images)
    stored = store.media.image_sizes(wanted)
    requests = [FetchRequest(key=url, url=url, first_bytes=IMAGE_PREFIX_BYTES) for url in wanted if url not in stored]

    def save(outcome: FetchOutcome) -> None:
        width, height = read_image_size(outcome.body) or (None, None)
        picture = Picture(url=outcome.key, width=width, height=height, length_bytes=outcome.length_bytes)
        store.media.save_image_size(picture, now=now)

    return _fetch(store, requests, open_fetcher, save, now, max_seconds)


def _fetch(
    store: Store,
    requests: Sequence[FetchRequest],
    open_fetcher: OpenFetcher,
    save: Callable[[FetchOutcome], None],
    now: datetime,
    max_seconds: float,
) -> int:
    """Fetch documents and save those that arrive in time and have a body; return their number.

    The others are remembered and left out until they may be tried again.
    """
    failures = store.media.failures([request.url for request in requests])
    due = [request for request in requests if request.url not in failures or _is_due(*failures[request.url], now)]
    missing = dict.fromkeys(request.url for request in due)

    async def fetch_all() -> None:
        async with open_fetcher() as fetcher:
            with suppress(TimeoutError):
                async with asyncio.timeout(max_seconds):
                    async for outcome in fetcher.fetch_all(due, now=now):
                        if outcome.has_body:
                            save(outcome)
                            missing.pop(outcome.key, None)

    if due:
        asyncio.run(fetch_all())
    counts = {url: failures[url][0] + 1 if url in failures else 1 for url in missing}
    if new := [url for url in missing if url not in failures]:
        message = "the digest goes without %s that could not be fetched in time, such as %s; a later one tries again"
        log.warning(message, pluralize(len(new), "document"), new[0])
    store.media.save_failures(counts, now=now)
    return len(due) - len(missing)


def _is_due(failures: int, failed_at: datetime, now: datetime) -> bool:
    """Check whether a document that failed ``failures`` times may be fetched again."""
    return now - failed_at >= min(MIN_RETRY_INTERVAL * (1 << min(failures - 1, 9)), MAX_RETRY_INTERVAL)


def _detail_urls(entry: Entry) -> Iterator[str]:
    if not entry.is_episode:
        return
    if entry.chapters_url:
        yield entry.chapters_url
    for transcript in entry.transcripts:
        if any(media_type in transcript.media_type for media_type in _READABLE_TRANSCRIPTS):
            yield transcript.url
            return
