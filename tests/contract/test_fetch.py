"""Fetching from a real server: documents, validators, redirects and errors."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from datetime import timedelta

import pytest

from pipeline.ingest.http.fetcher import HttpFetcher
from pipeline.model.fetch import ADVICE, BLOCKED_ADVICE, FetchOutcome
from tests.contract.loopback_fetch import NOW, fetch, fetch_all, limits, request, to_loopback
from tests.http_server import FEED, CannedResponse, HttpServer, redirect

pytestmark = pytest.mark.loopback


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running


def test_outcome_has_the_document_and_its_headers(server: HttpServer) -> None:
    """A 200 is ok; the outcome has the body, its hash, type, validators and max-age."""
    headers = {"ETag": '"1"', "Last-Modified": "Mon, 09 Feb 2026 08:00:00 GMT", "Cache-Control": "max-age=600"}
    server.respond("/feed", CannedResponse(headers={**headers, "Content-Type": "application/rss+xml"}))
    outcome = fetch(server.url("/feed"))
    assert (outcome.kind, outcome.status, outcome.body) == ("ok", 200, FEED)
    assert outcome.ok
    assert outcome.has_body
    assert outcome.body_sha256 == hashlib.sha256(FEED).hexdigest()
    assert (outcome.etag, outcome.last_modified) == ('"1"', headers["Last-Modified"])
    assert (outcome.content_type, outcome.max_age_seconds) == ("application/rss+xml", 600)


def test_request_headers(server: HttpServer) -> None:
    """The User-Agent is the configured one, compression is accepted, and the feed's own headers are sent."""
    server.respond("/feed", CannedResponse())
    fetch(server.url("/feed"), limits(user_agent="harbour/1"), headers=(("X-Token", "s3cret"),))
    (seen,) = server.requests
    assert seen.headers["user-agent"] == "harbour/1"
    assert seen.headers["accept-encoding"] == "gzip, deflate"
    assert seen.headers["x-token"] == "s3cret"


def test_validators_make_a_request_conditional(server: HttpServer) -> None:
    """An unchanged document is a 304, and its validators are kept even if the response does not repeat them all."""
    server.respond("/feed", CannedResponse(headers={"ETag": '"1"'}))
    date = "Mon, 09 Feb 2026 08:00:00 GMT"
    outcome = fetch(server.url("/feed"), etag='"1"', last_modified=date, body_sha256="abc")
    assert (outcome.kind, outcome.ok, outcome.has_body, outcome.body) == ("not_modified", True, False, b"")
    assert (outcome.etag, outcome.last_modified, outcome.body_sha256) == ('"1"', date, "abc")
    assert server.requests[0].headers["if-modified-since"] == date


def test_equal_body_is_unchanged_with_new_validators(server: HttpServer) -> None:
    """If a server ignores If-None-Match, the body is compared, and the new ETag is kept."""
    server.respond("/feed", CannedResponse(headers={"ETag": '"2"'}))
    outcome = fetch(server.url("/feed"), etag='"1"', body_sha256=hashlib.sha256(FEED).hexdigest())
    assert (outcome.kind, outcome.body, outcome.etag) == ("unchanged", b"", '"2"')


def test_304_to_an_unconditional_request_is_an_error(server: HttpServer) -> None:
    """Without validators a 304 says nothing."""
    server.respond("/feed", CannedResponse(status=304, body=b""))
    assert fetch(server.url("/feed")).kind == "protocol_error"


def test_unusable_validators_are_dropped(server: HttpServer) -> None:
    """A non-ASCII ETag is neither kept nor sent."""
    server.respond("/feed", CannedResponse(headers={"ETag": '"caf\xe9"'}))
    assert fetch(server.url("/feed"), etag='"caf\xe9"').etag == ""
    assert "if-none-match" not in server.requests[0].headers


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, "blocked"),
        (402, "blocked"),
        (403, "blocked"),
        (451, "blocked"),
        (404, "not_found"),
        (410, "gone"),
        (418, "blocked"),
        (500, "server_error"),
        (503, "server_error"),
        (526, "server_error"),
        (300, "protocol_error"),
    ],
)
def test_every_error_status_has_an_outcome(server: HttpServer, status: int, kind: str) -> None:
    """A status becomes an outcome, stays readable in the detail, and the message says what to do."""
    server.respond("/feed", CannedResponse(status=status))
    outcome = fetch(server.url("/feed"))
    assert (outcome.kind, outcome.ok, outcome.body) == (kind, False, b"")
    assert outcome.message.startswith(f"answered {status}")
    assert f": {BLOCKED_ADVICE.get(status, ADVICE[outcome.kind])}" in outcome.message


def test_a_permanent_redirect_is_a_move(server: HttpServer) -> None:
    """A chain of only 301 and 308 gives the new address; the document is parsed all the same."""
    server.respond("/old", redirect("/newer", 301))
    server.respond("/newer", redirect(server.url("/new"), 308))
    server.respond("/new", CannedResponse())
    outcome = fetch(server.url("/old"))
    assert (outcome.kind, outcome.has_body, outcome.body) == ("moved", True, FEED)
    assert outcome.moved_to == outcome.final_url == server.url("/new")


def test_a_temporary_redirect_is_no_move(server: HttpServer) -> None:
    """302, 303 and 307 are followed without consequence."""
    for status in (302, 303, 307):
        server.respond("/old", redirect("/new", status))
        server.respond("/new", CannedResponse())
        outcome = fetch(server.url("/old"))
        assert (outcome.kind, outcome.moved_to, outcome.final_url) == ("ok", "", server.url("/new"))


def test_a_move_ends_where_the_chain_turns_temporary(server: HttpServer) -> None:
    """Of 301, 302, 301 only the first step is permanent."""
    server.respond("/a", redirect("/b", 301))
    server.respond("/b", redirect("/c", 302))
    server.respond("/c", redirect("/d", 301))
    server.respond("/d", CannedResponse())
    outcome = fetch(server.url("/a"))
    assert (outcome.moved_to, outcome.final_url) == (server.url("/b"), server.url("/d"))


def test_validators_are_sent_after_redirects(server: HttpServer) -> None:
    """They belong to the document at the end of the chain."""
    server.respond("/old", redirect("/new", 301))
    server.respond("/new", CannedResponse(headers={"ETag": '"1"'}))
    outcome = fetch(server.url("/old"), etag='"1"')
    assert (outcome.kind, outcome.moved_to) == ("not_modified", server.url("/new"))


def test_redirect_loop_is_detected(server: HttpServer) -> None:
    """A URL that was visited before ends the chain."""
    server.respond("/a", redirect("/b"))
    server.respond("/b", redirect("/a"))
    assert fetch(server.url("/a")).kind == "redirect_loop"
    assert len(server.requests) == 2


def test_redirects_are_limited(server: HttpServer) -> None:
    """A chain of new URLs ends after ten redirects."""
    for step in range(12):
        server.respond(f"/{step}", redirect(f"/{step + 1}"))
    assert fetch(server.url("/0")).kind == "redirect_loop"
    assert len(server.requests) == 11


@pytest.mark.parametrize("location", ["file:///etc/passwd", "javascript:alert(1)", "http://[::1", ""])
def test_only_web_redirects_are_followed(server: HttpServer, location: str) -> None:
    """A redirect to anything but http and https is an error."""
    server.respond("/feed", redirect(location))
    assert fetch(server.url("/feed")).kind == "protocol_error"


@pytest.mark.parametrize("url", ["", "feed", "ftp://harbour.example/feed", "http://", "http://[::1", "http://a:99999/"])
def test_invalid_url_is_an_outcome(url: str) -> None:
    """A mistake in the configuration is an outcome, without a request."""
    outcome = fetch(url)
    assert (outcome.kind, outcome.status) == ("invalid_url", 0)


def test_secrets_stay_with_their_host(server: HttpServer) -> None:
    """The feed's headers and the password in its URL are not sent to another host, nor are they in the outcome."""
    server.respond("blog.example/feed", redirect(server.url("/stolen", "evil.example")))
    server.respond("/stolen", CannedResponse())
    address = server.url("/feed", "reader:s3cret@blog.example")
    outcome = fetch(address, headers=(("X-Token", "s3cret"),))
    home, abroad = server.requests
    assert home.headers["authorization"] == "Basic cmVhZGVyOnMzY3JldA=="
    assert home.headers["x-token"] == "s3cret"
    assert {"authorization", "x-token"}.isdisjoint(abroad.headers)
    assert outcome.kind == "ok"
    assert "s3cret" not in f"{outcome.url} {outcome.final_url} {outcome.message}"


def test_one_bad_feed_does_not_stop_the_others(server: HttpServer) -> None:
    """Each request has its outcome, in the order of arrival, whatever happens to the others."""
    server.respond("/good", CannedResponse())
    server.respond("/bad", CannedResponse(status=500))
    urls = [server.url("/bad"), "nonsense", server.url("/good"), "http://127.0.0.1:1/closed"]
    kinds = {outcome.key: outcome.kind for outcome in fetch_all(request(url) for url in urls)}
    assert list(map(kinds.get, urls)) == ["server_error", "invalid_url", "ok", "unreachable"]


def test_a_host_that_does_not_exist_is_unreachable() -> None:
    """The detail names the host."""

    async def nobody(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    outcome = fetch("http://nowhere.example/", options={"resolve": nobody})
    assert (outcome.kind, outcome.detail) == ("unreachable", "there is no host named nowhere.example")


def test_a_bug_is_not_swallowed() -> None:
    """An exception that no network raises reaches the caller."""

    async def broken(host: str, port: int) -> list[str]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fetch("http://blog.example/", options={"resolve": broken})


def test_iteration_can_stop_early(server: HttpServer) -> None:
    """A caller that stops iterating neither waits for the other requests nor leaves them running."""
    server.respond("/quick", CannedResponse())
    server.respond("/slow", CannedResponse(delay_seconds=60))

    async def run() -> tuple[FetchOutcome, int]:
        async with HttpFetcher(limits()) as fetcher:
            outcomes = fetcher.fetch_all([request(server.url("/slow")), request(server.url("/quick"))], now=NOW)
            first = await anext(outcomes)
            await outcomes.aclose()
            return first, len(asyncio.all_tasks())

    first, tasks = asyncio.run(run())
    assert (first.key, tasks) == (server.url("/quick"), 1)
    assert not any(seen.ended for seen in server.requests_for("/slow"))


def test_fetch_of_single_documents(server: HttpServer) -> None:
    """``fetch`` returns one outcome; a fetcher may be used for several."""
    server.respond("/feed", CannedResponse())

    async def run() -> list[str]:
        async with HttpFetcher(limits(), resolve=to_loopback) as fetcher:
            later = NOW + timedelta(days=1)
            return [(await fetcher.fetch(request(server.url("/feed")), now=now)).kind for now in (NOW, later)]

    assert asyncio.run(run()) == ["ok", "ok"]


def test_non_ascii_host_names_are_encoded(server: HttpServer) -> None:
    """Host names are sent in ASCII (IDNA), paths percent-encoded as UTF-8."""
    server.respond("/caf%C3%A9", CannedResponse())
    outcome = fetch(server.url("/café", "bücher.example"), limits(user_agent="Café"))
    assert (outcome.kind, server.requests[0].host) == ("ok", "xn--bcher-kva.example")
