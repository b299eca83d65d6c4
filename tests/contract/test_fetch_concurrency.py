"""How many documents are fetched at once, and what a slow caller changes: without a network, threads or real time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import httpx
import pytest

from pipeline.ingest.http.fetcher import HttpFetcher
from pipeline.ingest.http.transport import NetworkTransport
from pipeline.model.fetch import FetchLimits, FetchOutcome, FetchRequest
from tests.contract.loopback_fetch import NOW, limits, request, to_loopback
from tests.http_server import FEED

STEPS_OF_A_CONNECTION = 9
"""Iterations of the event loop that a connection to a server nearby needs, none of them waiting for anything."""


class StepTransport(httpx.AsyncBaseTransport):
    """Answers every request after a number of iterations of the event loop, and counts the requests in flight."""

    def __init__(self) -> None:
        self.requested = 0
        self.in_flight: Counter[str] = Counter()
        self.most_in_flight = 0
        self.most_per_host = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return a feed, or raise the timeout of a slow host."""
        host = request.url.host
        self.requested += 1
        if host.startswith("slow"):
            raise httpx.ReadTimeout("no data arrived in time")
        self.in_flight[host] += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight.total())
        self.most_per_host = max(self.most_per_host, self.in_flight[host])
        for _ in range(STEPS_OF_A_CONNECTION):
            await asyncio.sleep(0)
        self.in_flight[host] -= 1
        return httpx.Response(200, content=FEED)


class ManualClockLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still until the test advances it."""

    seconds = 0.0

    def time(self) -> float:
        """Return seconds."""
        return self.seconds


class IgnoredWriter:
    """The end of a connection that takes a request and sends it nowhere."""

    @property
    def transport(self) -> IgnoredWriter:
        return self

    def write(self, data: bytes) -> None:
        """Ignore the data."""

    async def drain(self) -> None:
        """Return at once."""

    def abort(self) -> None:
        """Do nothing."""


@dataclass(slots=True)
class ScriptedConnector:
    """Opens connections whose responses the test writes; those of ``quick`` hosts are there at once."""

    connections: dict[str, asyncio.StreamReader] = field(default_factory=dict)

    async def connect(self, host: str, port: int, **options: object) -> tuple[asyncio.StreamReader, IgnoredWriter]:
        """Return a connection to a host."""
        self.connections[host] = asyncio.StreamReader()
        if host.startswith("quick"):
            self.respond(host)
        return self.connections[host], IgnoredWriter()

    def respond(self, host: str) -> None:
        """Let a host's response arrive."""
        self.connections[host].feed_data(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(FEED) + FEED)
        self.connections[host].feed_eof()


def from_hosts(number: int, name: str = "h") -> list[FetchRequest]:
    """Return one request to each of a number of hosts."""
    return [request(f"http://{name}{n}.example/feed") for n in range(number)]


async def fetch_from(
    transport: httpx.AsyncBaseTransport, requests: Iterable[FetchRequest], within: FetchLimits
) -> list[FetchOutcome]:
    """Return the outcomes of all requests."""
    async with HttpFetcher(within, transport=transport, resolve=to_loopback) as fetcher:
        return [outcome async for outcome in fetcher.fetch_all(requests, now=NOW)]


def test_concurrency_is_limited() -> None:
    """``concurrency`` requests are in flight over all hosts, and never more."""
    transport = StepTransport()
    outcomes = asyncio.run(fetch_from(transport, from_hosts(12), limits(concurrency=3)))
    assert (len(outcomes), transport.most_in_flight) == (12, 3)


def test_one_request_per_host_at_a_time() -> None:
    """Requests to one host follow each other, while other hosts are contacted in parallel."""
    transport = StepTransport()
    requests = [request(f"http://busy.example/{n}") for n in range(6)] + from_hosts(6)
    outcomes = asyncio.run(fetch_from(transport, requests, limits()))
    assert (len(outcomes), transport.most_per_host, transport.most_in_flight) == (12, 1, 7)


def test_slow_caller_does_not_delay_requests() -> None:
    """While a caller processes the first documents, all hosts are contacted, so that a slow one is found early."""
    transport = StepTransport()

    async def run() -> list[int]:
        async with HttpFetcher(limits(concurrency=10), transport=transport) as fetcher:
            # Nothing happens while a caller that does not await is busy, however long that takes.
            return [transport.requested async for _ in fetcher.fetch_all(from_hosts(30), now=NOW)]

    requested = asyncio.run(run())
    assert len(requested) == 30
    assert requested[5] == 30, requested


def test_slow_caller_causes_no_timeouts() -> None:
    """A response that arrived while the caller was busy is read before its timeout fires."""
    connector = ScriptedConnector()

    async def run(loop: ManualClockLoop) -> list[str]:
        kinds = []
        transport = NetworkTransport(connector)  # type: ignore[arg-type]
        async with HttpFetcher(limits(timeout_seconds=10), transport=transport) as fetcher:
            async for outcome in fetcher.fetch_all([*from_hosts(1, "slower"), *from_hosts(9, "quick")], now=NOW):
                kinds.append(outcome.kind)
                loop.seconds += 4
                if len(kinds) == 2:
                    connector.respond("slower0.example")
        return kinds

    with asyncio.Runner(loop_factory=ManualClockLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, ManualClockLoop)
        assert runner.run(run(loop)) == ["ok"] * 10


@pytest.mark.parametrize("iterations", [0, 1, 5, 200])
def test_caller_that_awaits_gets_every_outcome(iterations: int) -> None:
    """No outcome is lost if requests finish while the caller lets the event loop run."""

    async def run() -> int:
        count = 0
        async with HttpFetcher(limits(concurrency=10), transport=StepTransport()) as fetcher:
            async for _ in fetcher.fetch_all(from_hosts(25), now=NOW):
                count += 1
                for _ in range(iterations):
                    await asyncio.sleep(0)
        return count

    assert asyncio.run(run()) == 25


def test_a_host_that_is_always_too_slow_is_given_up() -> None:
    """Its other documents are not asked for in this run; those of other hosts are."""
    transport = StepTransport()
    requests = [request(f"http://slow.example/{n}") for n in range(8)] + from_hosts(1)
    outcomes = asyncio.run(fetch_from(transport, requests, limits()))
    assert transport.requested == 3 + 1
    assert Counter(outcome.kind for outcome in outcomes) == {"timeout": 8, "ok": 1}
    details = [outcome.detail for outcome in outcomes if "was not fetched" in outcome.detail]
    assert details == ["was not fetched: slow.example was too slow 3 times"] * 5
