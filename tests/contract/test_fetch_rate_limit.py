"""Rate limiting against a real server: one request per host, pauses, and Retry-After."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from pipeline.ingest.http.rate_limit import HostLimiter
from pipeline.ingest.http.semantics import MAX_RETRY_AFTER, parse_retry_after
from pipeline.model.errors import FetchError
from tests.contract.loopback_fetch import NOW, fetch, fetch_all, limits, request
from tests.http_server import CannedResponse, HttpServer, ReceivedRequest, redirect

pytestmark = pytest.mark.loopback


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running


def test_pause_between_requests_to_a_host(server: HttpServer) -> None:
    """The pause is from the end of a request to the start of the next, after errors, too."""
    server.respond("/feed", CannedResponse(), CannedResponse(status=500), CannedResponse())
    fetch_all([request(server.url("/feed", "blog.example"))] * 3, limits(host_gap_seconds=0.1))
    assert all(after.started - before.ended >= 0.09 for before, after in pairwise(server.requests))


def test_no_pause_for_redirects_within_a_host(server: HttpServer) -> None:
    """A redirect from http to https, or from /feed to /feed/, belongs to the request; the pause follows it."""
    server.respond("/feed", redirect("/feed/", 301))
    server.respond("/feed/", CannedResponse())
    fetch(server.url("/feed", "blog.example"), limits(host_gap_seconds=60))
    first, second = server.requests
    assert second.started - first.ended < 50


def test_redirects_to_another_host_are_limited_there(server: HttpServer) -> None:
    """Feeds that redirect to one host reach it one at a time, without a deadlock."""
    server.respond("/feed", lambda seen: redirect(server.url("/real", "real.example")))
    server.respond("real.example/feed", redirect(server.url("/real", "h0.example")))
    server.respond("/real", CannedResponse(delay_seconds=0.02))
    urls = [server.url("/feed", f"h{n}.example") for n in range(5)] + [server.url("/feed", "real.example")]
    assert {outcome.kind for outcome in fetch_all(request(url) for url in urls)} == {"ok"}
    real = [seen for seen in server.requests if seen.host == "real.example"]
    assert all(before.ended <= after.started for before, after in pairwise(real))


def test_this_machine_is_not_limited(server: HttpServer) -> None:
    """127.0.0.1 has neither slots nor pauses."""
    together = threading.Barrier(4, timeout=30)

    def respond_together(seen: ReceivedRequest) -> CannedResponse:
        together.wait()
        return CannedResponse()

    server.respond("/feed", respond_together)
    outcomes = fetch_all([request(server.url("/feed"))] * 4, limits(host_gap_seconds=60, timeout_seconds=40))
    assert [outcome.kind for outcome in outcomes] == ["ok"] * 4


@pytest.mark.parametrize(
    ("status", "retry_after", "wait"),
    [
        (429, "120", timedelta(minutes=2)),
        (503, "120", timedelta(minutes=2)),
        (429, "Mon, 09 Feb 2026 13:30:00 GMT", timedelta(minutes=90)),
        (503, "Mon, 09 Feb 2026 13:30:00 GMT", timedelta(minutes=90)),
        (429, "", timedelta(minutes=15)),
        (429, "99999999999999999999", timedelta(days=7)),
    ],
)
def test_retry_after(server: HttpServer, status: int, retry_after: str, wait: timedelta) -> None:
    """Retry-After is seconds or a date, and is limited."""
    server.respond("/feed", CannedResponse(status=status, headers={"Retry-After": retry_after} if retry_after else {}))
    outcome = fetch(server.url("/feed", "blog.example"))
    assert (outcome.kind, outcome.status) == ("rate_limited", 0 if not outcome.status else status)
    assert outcome.retry_at is not None
    assert abs(outcome.retry_at - NOW - wait) < timedelta(seconds=5)
    assert outcome.retry_host == f"blog.example:{server.port}"


def test_rate_limit_applies_to_all_feeds_of_a_host(server: HttpServer) -> None:
    """After a 429 the host's other feeds are not fetched; other hosts are."""
    server.respond("busy.example/1", CannedResponse(status=429, headers={"Retry-After": "60"}))
    server.respond("/2", CannedResponse())
    urls = [server.url("/1", "busy.example"), server.url("/2", "busy.example"), server.url("/2", "calm.example")]
    kinds = {outcome.url: outcome.kind for outcome in fetch_all(request(url) for url in urls)}
    assert list(map(kinds.get, urls)) == ["rate_limited", "rate_limited", "ok"]
    assert not server.requests_for("busy.example/2")


def test_blocked_hosts_of_an_earlier_run(server: HttpServer) -> None:
    """A fetcher observes the blocks it is given until they end, for redirects, too."""
    server.respond("/feed", CannedResponse())
    server.respond("/away", redirect(server.url("/feed", "busy.example")))
    busy = f"busy.example:{server.port}"
    urls = [server.url("/feed", "busy.example"), server.url("/away", "calm.example")]
    held = fetch_all(map(request, urls), blocked_hosts={busy: NOW + timedelta(minutes=1)})
    assert [(outcome.kind, outcome.retry_host) for outcome in held] == [("rate_limited", busy)] * 2
    assert not server.requests_for("/feed")
    over = fetch_all(map(request, urls), blocked_hosts={busy: NOW})
    assert [outcome.kind for outcome in over] == ["ok", "ok"]


def test_pause_after_a_request_that_failed() -> None:
    """A host that broke a connection is not contacted again at once."""

    async def seconds_until_next_slot() -> float:
        limiter = HostLimiter(0.05, {})
        with pytest.raises(FetchError):
            async with limiter.slot("blog.example"):
                raise FetchError("timeout", "did not answer")
        began = asyncio.get_running_loop().time()
        async with limiter.slot("blog.example"):
            return asyncio.get_running_loop().time() - began

    assert asyncio.run(seconds_until_next_slot()) >= 0.04


def test_the_longest_retry_after_of_a_host_counts() -> None:
    """A second answer with a shorter one does not end the first."""
    limiter = HostLimiter(0.0, {"blog.example": NOW + timedelta(hours=2)})
    limiter.back_off("blog.example", NOW + timedelta(minutes=5))
    assert limiter.blocked_until("blog.example", NOW) == NOW + timedelta(hours=2)
    limiter.back_off("blog.example", NOW + timedelta(hours=3))
    assert limiter.blocked_until("blog.example", NOW) == NOW + timedelta(hours=3)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("99999999999", MAX_RETRY_AFTER),
        ("Tue, 09 Feb 2027 12:00:00 GMT", MAX_RETRY_AFTER),
        ("Sun, 08 Feb 2026 12:00:00 GMT", timedelta()),
        ("Mon, 09 Feb 2026 12:30:00", timedelta(minutes=30)),
        ("0", timedelta()),
    ],
    ids=["centuries", "a year", "yesterday", "without a time zone", "now"],
)
def test_retry_after_is_between_now_and_a_week(value: str, wait: timedelta) -> None:
    """A host cannot block itself for a year, nor be blocked into the past."""
    now = datetime(2026, 2, 9, 12, tzinfo=UTC)
    assert parse_retry_after(value, now) == now + wait


def test_a_host_that_is_slow_now_and_then_is_not_given_up() -> None:
    """Three timeouts in a row count, not three in all."""
    limiter = HostLimiter(0.0, {})
    for timed_out in (True, True, False, True, True, False):
        limiter.count("blog.example", timed_out=timed_out)
        assert not limiter.is_given_up("blog.example")
    for _ in range(3):
        limiter.count("blog.example", timed_out=True)
    assert limiter.is_given_up("blog.example")
    assert not limiter.is_given_up("other.example")
