"""Asking ahead: silent hosts hold up nobody, and no more documents are in memory for all that."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import cast

import httpx
import pytest

from pipeline.ingest.fetch import Fetcher
from pipeline.model.fetch import FetchOutcome
from tests.contract.fetching import NOW, fetch_all, limits, request, to_loopback
from tests.loopback import FEED, Answer, Loopback

TIMEOUT_SECONDS = 2.0


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback() as running:
        yield running


class Counting(httpx.AsyncBaseTransport):
    """Answers every request, some bytes at a time, and counts the documents that were begun and not handed over."""

    def __init__(self) -> None:
        self.asked = self.held = self.most_held = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer at once."""
        self.asked += 1
        return httpx.Response(200, stream=_Document(self))


class _Document(httpx.AsyncByteStream):
    def __init__(self, transport: Counting) -> None:
        self._transport = transport

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self._transport.held += 1
        self._transport.most_held = max(self._transport.held, self._transport.most_held)
        for at in range(0, len(FEED), 50):
            await asyncio.sleep(0)
            yield FEED[at : at + 50]


@pytest.mark.loopback
def test_silent_hosts_are_waited_for_all_at_once(server: Loopback) -> None:
    """Of twelve times as many silent hosts as are asked at once the last is asked before the first is given up."""
    server.on("/silent", Answer(delay_seconds=2 * TIMEOUT_SECONDS))
    server.on("/quick", Answer())
    silent = [request(server.url("/silent", f"s{number}.example")) for number in range(60)]
    quick = [request(server.url("/quick", f"q{number}.example")) for number in range(60)]
    found = fetch_all([*silent, *quick], limits(concurrency=5, timeout_seconds=TIMEOUT_SECONDS))
    asked = [seen.started for seen in server.seen]
    assert max(asked) - min(asked) < TIMEOUT_SECONDS  # not the whole run's time: it depends on what else runs here
    assert sorted(outcome.kind for outcome in found) == ["ok"] * 60 + ["timeout"] * 60


def test_no_more_documents_are_held_than_allowed() -> None:
    """``concurrency`` bounds the documents that are being read or wait to be taken, however slowly they are taken."""
    transport = Counting()

    async def run() -> list[str]:
        kinds: list[str] = []
        async with Fetcher(limits(concurrency=3), transport=transport) as fetcher:
            requests = [request(f"https://h{number}.example/") for number in range(40)]
            async for outcome in fetcher.fetch_all(requests, now=NOW):
                transport.held -= 1
                kinds.append(outcome.kind)
                await asyncio.sleep(0.001)
        return kinds

    assert asyncio.run(run()) == ["ok"] * 40
    assert transport.most_held == 3


def test_no_more_is_asked_than_is_bounded() -> None:
    """However many feeds there are, only so many are asked ahead of those that are read."""
    transport = Counting()

    async def run() -> int:
        async with Fetcher(limits(concurrency=2), transport=transport) as fetcher:
            outcomes = fetcher.fetch_all((request(f"https://h{number}.example/") for number in range(200)), now=NOW)
            await anext(outcomes)
            asked = transport.asked
            await cast("AsyncGenerator[FetchOutcome, None]", outcomes).aclose()
            return asked

    assert asyncio.run(run()) == 40


@pytest.mark.loopback
def test_waiting_to_be_read_takes_none_of_a_feeds_time(server: Loopback) -> None:
    """Whoever has answered and waits for its turn is given neither time-out nor deadline meanwhile."""
    server.on("/feed", Answer())

    async def run() -> list[str]:
        kinds: list[str] = []
        short = limits(concurrency=1, timeout_seconds=0.3, deadline_seconds=0.3)
        async with Fetcher(short, resolve=to_loopback) as fetcher:
            requests = [request(server.url("/feed", f"h{number}.example")) for number in range(5)]
            async for outcome in fetcher.fetch_all(requests, now=NOW):
                kinds.append(outcome.kind)
                await asyncio.sleep(0.2)
        return kinds

    assert asyncio.run(run()) == ["ok"] * 5


@pytest.mark.loopback
def test_what_waits_to_be_read_is_left_to_the_operating_system(server: Loopback) -> None:
    """A host whose document waits for its turn takes up a few kilobytes, however long the document is."""
    document_bytes, hosts, concurrency = 200_000, 60, 3
    server.on("/feed", Answer(body=bytes(document_bytes)))

    async def run() -> int:
        async with Fetcher(limits(concurrency=concurrency), resolve=to_loopback) as fetcher:
            requests = [request(server.url("/feed", f"h{number}.example")) for number in range(hosts)]
            outcomes = fetcher.fetch_all(requests, now=NOW)
            tracemalloc.start()
            await anext(outcomes)
            while len(server.seen) < hosts:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            await cast("AsyncGenerator[FetchOutcome, None]", outcomes).aclose()
            return peak

    peak = asyncio.run(run())
    assert peak < (concurrency + 1) * 2 * document_bytes + hosts * 25_000


@pytest.mark.loopback
def test_hosts_that_answer_are_asked_a_few_at_a_time(server: Loopback) -> None:
    """While hosts answer soon, no more than ``concurrency`` are asked at once: many may be one machine."""
    server.on("/feed", Answer(delay_seconds=0.02))
    patient = limits(concurrency=3, timeout_seconds=60.0)
    fetch_all([request(server.url("/feed", f"h{number}.example")) for number in range(12)], patient)
    most = max(sum(other.started <= seen.started < other.ended for other in server.seen) for seen in server.seen)
    assert most == 3
