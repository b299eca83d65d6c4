"""Manners, against a real server: turns, gaps, and hosts that want to be left alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

import pytest

from tests.contract.loopback_fetch import NOW, fetch, fetch_all, limits, request
from tests.http_server import CannedResponse, HttpServer, redirect

pytestmark = pytest.mark.loopback


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running


def test_a_host_is_asked_one_thing_at_a_time(server: HttpServer) -> None:
    """Ten feeds of one host are asked one after the other, while other hosts are asked meanwhile."""
    server.respond("/feed", CannedResponse(delay_seconds=0.02))
    urls = [server.url("/feed", "busy.example")] * 6 + [server.url("/feed", f"h{n}.example") for n in range(6)]
    fetch_all(request(url) for url in urls)
    busy = [seen for seen in server.requests if seen.host == "busy.example"]
    assert len(busy) == 6
    assert all(before.ended <= after.started for before, after in pairwise(busy))
    others = [seen for seen in server.requests if seen.host != "busy.example"]
    assert all(seen.started < busy[1].ended for seen in others)


def test_a_host_has_a_pause_between_two_requests(server: HttpServer) -> None:
    """The gap is kept from the end of one request to the start of the next, failures included."""
    server.respond("/feed", CannedResponse(), CannedResponse(status=500), CannedResponse())
    fetch_all([request(server.url("/feed", "blog.example"))] * 3, limits(host_gap_seconds=0.1))
    assert all(after.started - before.ended >= 0.09 for before, after in pairwise(server.requests))


def test_a_redirect_within_a_host_does_not_pause(server: HttpServer) -> None:
    """From http to https, or from /feed to /feed/, is one visit; the gap comes after it."""
    server.respond("/feed", redirect("/feed/", 301))
    server.respond("/feed/", CannedResponse())
    fetch(server.url("/feed", "blog.example"), limits(host_gap_seconds=1.5))
    first, second = server.requests
    assert second.started - first.ended < 1


def test_a_redirect_takes_its_turn_at_the_other_host(server: HttpServer) -> None:
    """Feeds that redirect to one host come to it one at a time, and nobody waits for ever."""
    server.respond("/feed", lambda seen: redirect(server.url("/real", "real.example")))
    server.respond("real.example/feed", redirect(server.url("/real", "h0.example")))
    server.respond("/real", CannedResponse(delay_seconds=0.02))
    urls = [server.url("/feed", f"h{n}.example") for n in range(5)] + [server.url("/feed", "real.example")]
    assert {outcome.kind for outcome in fetch_all(request(url) for url in urls)} == {"ok"}
    real = [seen for seen in server.requests if seen.host == "real.example"]
    assert all(before.ended <= after.started for before, after in pairwise(real))


def test_this_machine_is_asked_at_once(server: HttpServer) -> None:
    """127.0.0.1 has nobody on it to annoy: neither turns nor gaps."""
    server.respond("/feed", CannedResponse(delay_seconds=0.05))
    fetch_all([request(server.url("/feed"))] * 4, limits(host_gap_seconds=30))
    assert max(seen.started for seen in server.requests) < min(seen.ended for seen in server.requests)


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
def test_a_host_may_ask_to_be_left_alone(server: HttpServer, status: int, retry_after: str, wait: timedelta) -> None:
    """Retry-After is understood as seconds and as a date, within reason."""
    server.respond("/feed", CannedResponse(status=status, headers={"Retry-After": retry_after} if retry_after else {}))
    outcome = fetch(server.url("/feed", "blog.example"))
    assert (outcome.kind, outcome.status) == ("rate_limited", 0 if not outcome.status else status)
    assert outcome.retry_at is not None
    assert abs(outcome.retry_at - NOW - wait) < timedelta(seconds=5)
    assert outcome.retry_host == f"blog.example:{server.port}"


def test_a_throttled_host_is_not_asked_again_by_anybody(server: HttpServer) -> None:
    """After one 429 the host's other feeds are told so without a request; other hosts are asked."""
    server.respond("busy.example/1", CannedResponse(status=429, headers={"Retry-After": "60"}))
    server.respond("/2", CannedResponse())
    urls = [server.url("/1", "busy.example"), server.url("/2", "busy.example"), server.url("/2", "calm.example")]
    kinds = {outcome.url: outcome.kind for outcome in fetch_all(request(url) for url in urls)}
    assert list(map(kinds.get, urls)) == ["rate_limited", "rate_limited", "ok"]
    assert not server.requests_for("busy.example/2")


def test_a_wait_is_remembered_from_run_to_run(server: HttpServer) -> None:
    """A fetcher that is told of a host's wish keeps to it until it is over, redirects included."""
    server.respond("/feed", CannedResponse())
    server.respond("/away", redirect(server.url("/feed", "busy.example")))
    busy = f"busy.example:{server.port}"
    urls = [server.url("/feed", "busy.example"), server.url("/away", "calm.example")]
    held = fetch_all(map(request, urls), blocked_hosts={busy: NOW + timedelta(minutes=1)})
    assert [(outcome.kind, outcome.retry_host) for outcome in held] == [("rate_limited", busy)] * 2
    assert not server.requests_for("/feed")
    over = fetch_all(map(request, urls), blocked_hosts={busy: NOW})
    assert [outcome.kind for outcome in over] == ["ok", "ok"]
