"""A month of polling real servers with typical faults, in simulated time: fetcher and polling together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest

from pipeline.ingest import polling
from pipeline.ingest.http.fetcher import HttpFetcher
from pipeline.model.feed import FeedState
from pipeline.model.fetch import FetchOutcome
from tests.contract.loopback_fetch import limits, to_loopback
from tests.http_server import FEED, CannedResponse, HttpServer, ReceivedRequest, gzip_bomb, redirect

pytestmark = [pytest.mark.loopback, pytest.mark.xdist_group("month")]  # one month for all, not one for each worker

START = datetime(2026, 2, 9, tzinfo=UTC)
TICK = timedelta(hours=6)
DAYS = 30
Script = Callable[[ReceivedRequest, int, datetime], CannedResponse]
"""What to answer: to a request, on a day counted from 0, at a moment."""


def version(day: int) -> bytes:
    """Return the document of a day: it changes every third day."""
    return FEED + f"<!-- {day // 3} -->".encode()


def healthy(seen: ReceivedRequest, day: int, now: datetime) -> CannedResponse:
    """Respond with validators."""
    return CannedResponse(body=version(day), headers={"ETag": f'"{day // 3}"'})


def unconditional(seen: ReceivedRequest, day: int, now: datetime) -> CannedResponse:
    """Respond without validators."""
    return CannedResponse(body=version(day))


def always_304(seen: ReceivedRequest, day: int, now: datetime) -> CannedResponse:
    """Respond 304 to every conditional request."""
    return CannedResponse(status=304, body=b"") if "if-none-match" in seen.headers else healthy(seen, day, now)


def flaky(seen: ReceivedRequest, day: int, now: datetime) -> CannedResponse:
    """Fail in four ways a day on the sixth and seventh day."""
    broken = (
        CannedResponse(status=500),
        CannedResponse(reset_after_bytes=20),
        CannedResponse(content_length=10**6),
        CannedResponse(status=503),
    )
    return broken[now.hour // 6] if 6 <= day < 8 else healthy(seen, day, now)


def rate_limiting(wait: Callable[[datetime], str], every: int) -> Script:
    """Return a script that responds 429 on every n-th day."""

    def script(seen: ReceivedRequest, day: int, now: datetime) -> CannedResponse:
        if day % every == 1:
            return CannedResponse(status=429, headers={"Retry-After": wait(now)})
        return healthy(seen, day, now)

    return script


def gone(seen: ReceivedRequest, day: int, now: datetime) -> CannedResponse:
    """Respond 410 from the tenth day on."""
    return CannedResponse(status=410) if day >= 10 else healthy(seen, day, now)


@dataclass(slots=True)
class PollingMonth:
    """Thirty days of ticks: the outcomes, the states and the times of requests."""

    server: HttpServer
    scripts: dict[str, Script]
    now: datetime = START
    states: dict[str, FeedState] = field(default_factory=dict)
    outcomes: dict[str, list[FetchOutcome]] = field(default_factory=dict)
    asked: list[tuple[str, datetime]] = field(default_factory=list)

    def run(self) -> None:
        self.server.respond("/feed", self.answer)
        for host in self.scripts:
            url = self.server.url("/feed", host)
            self.states[host] = FeedState(feed_id=host, url=url)
            self.outcomes[host] = []
        for tick in range(DAYS * (timedelta(days=1) // TICK)):
            self.now = START + tick * TICK
            asyncio.run(self.tick())

    def answer(self, seen: ReceivedRequest) -> CannedResponse:
        self.asked.append((seen.host, self.now))
        script = self.scripts.get(seen.host, healthy)
        return script(seen, (self.now - START).days, self.now)

    async def tick(self) -> None:
        due = [state for state in self.states.values() if polling.is_due(state, self.now)]
        held = polling.blocked_hosts(self.states.values(), self.now)
        async with HttpFetcher(limits(max_bytes=10**6), resolve=to_loopback, blocked_hosts=held) as fetcher:
            requests = [polling.build_request(state, self.now) for state in due]
            async for outcome in fetcher.fetch_all(requests, now=self.now):
                self.outcomes[outcome.key].append(outcome)
                state = self.states[outcome.key]
                self.states[outcome.key] = polling.next_state(state, outcome, now=self.now, interval=TICK)

    def bodies(self, host: str) -> list[bytes]:
        return [outcome.body for outcome in self.outcomes[host] if outcome.has_body]


@pytest.fixture(scope="module")
def month() -> Iterator[PollingMonth]:
    """Simulate the month once for all tests."""
    bomb = gzip_bomb(16)
    with HttpServer() as server:
        month = PollingMonth(server, {})
        month.scripts = {
            "healthy.example": healthy,
            "unconditional.example": unconditional,
            "always_304.example": always_304,
            "flaky.example": flaky,
            "seconds.example": rate_limiting(lambda now: "86400", 7),
            "date.example": rate_limiting(lambda now: format_datetime(now + timedelta(hours=20), usegmt=True), 5),
            "gone.example": gone,
            "old.example": lambda seen, day, now: redirect(server.url("/feed", "new.example"), 301),
            "loop.example": lambda seen, day, now: redirect(server.url("/feed", "loop.example")),
            "bomb.example": lambda seen, day, now: bomb,
        }
        month.run()
        yield month


@pytest.mark.parametrize("host", ["healthy", "unconditional", "flaky", "seconds", "date", "old"])
def test_every_version_is_fetched_once(month: PollingMonth, host: str) -> None:
    """With and without validators, failures, waits and a move, each version is fetched exactly once."""
    assert month.bodies(f"{host}.example") == [version(day) for day in range(0, DAYS, 3)]


def test_endless_304_is_overcome(month: PollingMonth) -> None:
    """Its news are at most a week late, and nothing is fetched twice."""
    assert month.bodies("always_304.example") == [version(day) for day in (0, 7, 14, 21, 28)]


def test_retry_after_is_observed(month: PollingMonth) -> None:
    """No request reaches a host before the time in its Retry-After."""
    for host in ("seconds.example", "date.example"):
        waits = [outcome.retry_at for outcome in month.outcomes[host] if outcome.kind == "rate_limited"]
        moments = [now for asked, now in month.asked if asked == host]
        assert len(waits) >= 4
        for until in filter(None, waits):
            assert not [now for now in moments if until - timedelta(hours=19) < now < until]


def test_requests_to_a_host_do_not_overlap(month: PollingMonth) -> None:
    """A host never has two requests in flight."""
    for host in {seen.host for seen in month.server.requests}:
        seen = sorted((each for each in month.server.requests if each.host == host), key=lambda each: each.started)
        assert all(before.ended <= after.started for before, after in pairwise(seen))


def test_gone_feed_is_not_fetched_again(month: PollingMonth) -> None:
    """There is no request after the first 410."""
    assert [outcome.kind for outcome in month.outcomes["gone.example"]].count("gone") == 1
    assert max(now for host, now in month.asked if host == "gone.example") < START + timedelta(days=11)


def test_moved_feed_is_fetched_from_its_new_host(month: PollingMonth) -> None:
    """After three sightings over a day only the new host is contacted."""
    assert max(now for host, now in month.asked if host == "old.example") <= START + timedelta(days=2)
    assert month.states["old.example"].current_url == month.server.url("/feed", "new.example")


def test_failing_feeds_are_fetched_about_once_a_day(month: PollingMonth) -> None:
    """Backoff keeps feeds that never work cheap."""
    for host, kind in (("loop.example", "redirect_loop"), ("bomb.example", "too_large")):
        assert {outcome.kind for outcome in month.outcomes[host]} == {kind}
        assert DAYS <= len(month.outcomes[host]) <= DAYS + 8
