"""The changes of many feeds are stored in few transactions, and reported once they are stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.ingest import polling
from pipeline.jobs.feeds.refresh import FeedReport, Refresher
from pipeline.jobs.feeds.write_batch import IDLE_SECONDS, MAX_ENTRIES
from pipeline.model.feed import Feed
from pipeline.model.fetch import FetchOutcome, FetchRequest
from pipeline.store import Store

NOW = datetime(2026, 2, 9, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ITEM = "<item><guid>{0}</guid><title>Post {0}</title></item>"


def document(*numbers: int) -> bytes:
    """Return a feed with these entries."""
    return f"<rss version='2.0'><channel>{''.join(map(ITEM.format, numbers))}</channel></rss>".encode()


@dataclass(slots=True)
class FakeFetcher:
    """A fetcher with canned bodies that records the order of requests."""

    bodies: Mapping[str, bytes]
    pause_seconds: float = 0
    """After each answer."""
    breaks_after: int = 99
    """So many answers, and then a bug."""
    asked: list[str] = field(default_factory=list)

    async def fetch_all(self, requests: Iterable[FetchRequest], *, now: datetime) -> AsyncIterator[FetchOutcome]:
        """Answer one after the other."""
        for number, request in enumerate(requests):
            if number == self.breaks_after:
                raise ZeroDivisionError
            self.asked.append(request.key)
            body = self.bodies.get(request.key, b"")
            kind = "ok" if body else "timeout"
            yield FetchOutcome(key=request.key, url=request.url, kind=kind, body=body, final_url=request.url)
            await asyncio.sleep(self.pause_seconds)

    @asynccontextmanager
    async def open(self, *, blocked_hosts: Mapping[str, datetime]) -> AsyncIterator[FakeFetcher]:
        """Open it."""
        yield self


def refresh(store: Store, network: FakeFetcher, feeds: int, *, now: datetime = NOW) -> list[tuple[str, int, int]]:
    """Refresh feeds and return, per report, the feed, its new entries and how many feeds had stored entries by then."""
    reported: list[tuple[str, int, int]] = []

    def listen(report: FeedReport) -> None:
        reported.append((report.feed_id, report.applied.new, len(store.feeds.stats())))

    all_feeds = [Feed(id=f"f{number}", url=f"https://f{number}.example/", kind="blog") for number in range(feeds)]
    refresher = Refresher(store=store, open_fetcher=network.open, interval=timedelta(hours=1))
    refresher.refresh(all_feeds, now=now, is_due=polling.can_fetch, on_report=listen)
    return reported


def test_simultaneous_outcomes_share_a_transaction(store: Store) -> None:
    """If all outcomes are available, nothing is reported before all of them are stored."""
    reported = refresh(store, FakeFetcher({f"f{number}": document(number) for number in range(5)}), 5)
    assert reported == [(f"f{number}", 1, 5) for number in range(5)]


def test_a_single_outcome_is_written_at_once(store: Store) -> None:
    """An outcome that is followed by a pause is written immediately."""
    bodies = {f"f{number}": document(number) for number in range(2)}
    reported = refresh(store, FakeFetcher(bodies, pause_seconds=6 * IDLE_SECONDS), 2)
    assert reported == [("f0", 1, 1), ("f1", 1, 2)]


def test_a_full_batch_is_written(store: Store) -> None:
    """A batch with enough entries is written, whether more are pending or not."""
    bodies = {"f0": document(*range(MAX_ENTRIES)), "f1": document(1), "f2": document(2)}
    assert refresh(store, FakeFetcher(bodies), 3) == [("f0", MAX_ENTRIES, 1), ("f1", 1, 3), ("f2", 1, 3)]


def test_an_exception_loses_no_changes(store: Store) -> None:
    """It propagates, and the changes of other feeds are stored."""
    bodies = {f"f{number}": document(number) for number in range(3)}
    with pytest.raises(ZeroDivisionError):
        refresh(store, FakeFetcher(bodies, breaks_after=2), 3)
    assert [count.entries for count in store.feeds.stats().values()] == [1, 1]


def test_failing_feeds_are_fetched_first(store: Store) -> None:
    """The timeout of a failing feed overlaps with reading the others."""
    bodies = {"f0": document(1), "f2": document(2)}
    refresh(store, FakeFetcher(bodies), 3)
    later = FakeFetcher(bodies)
    refresh(store, later, 3, now=NOW + DAY)
    assert later.asked == ["f1", "f0", "f2"]
