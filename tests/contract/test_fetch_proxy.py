"""Fetching through an HTTP proxy, played by a real server."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from pipeline.model.fetch import FetchOutcome, Proxy
from tests.contract.loopback_fetch import fetch, limits
from tests.http_server import CannedResponse, HttpServer

pytestmark = pytest.mark.loopback


@pytest.fixture
def proxy() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running


def fetch_through(proxy: HttpServer, url: str, *bypass: str, **changes: bool) -> FetchOutcome:
    return fetch(url, limits(**changes), options={"proxy": Proxy(url=proxy.url(""), bypass=bypass)})


def test_a_request_goes_through_the_proxy(proxy: HttpServer) -> None:
    """The proxy gets the whole URL and resolves the name itself."""
    proxy.respond("http://blog.example/feed", CannedResponse(body=b"<rss/>"))
    outcome = fetch_through(proxy, "http://blog.example/feed", allow_private_networks=False)
    assert (outcome.kind, outcome.body, outcome.final_url) == ("ok", b"<rss/>", "http://blog.example/feed")
    assert [request.path for request in proxy.requests] == ["http://blog.example/feed"]


def test_bypassed_hosts_are_contacted_directly(proxy: HttpServer) -> None:
    """A host in NO_PROXY, or a subdomain of one, never reaches the proxy."""
    with HttpServer() as server:
        server.respond("/feed", CannedResponse())
        assert fetch_through(proxy, server.url("/feed", "wiki.intranet.example"), "intranet.example").kind == "ok"
    assert proxy.requests == []


@pytest.mark.parametrize("host", ["10.0.0.1", "169.254.169.254", "[::1]", "localhost", "feeds.localhost"])
def test_private_literal_addresses_are_refused(proxy: HttpServer, host: str) -> None:
    """An address that needs no resolving is checked before the proxy sees it."""
    outcome = fetch_through(proxy, f"http://{host}/feed", allow_private_networks=False)
    assert (outcome.kind, proxy.requests) == ("unsafe_address", [])


def test_a_refused_tunnel_is_unreachable(proxy: HttpServer) -> None:
    """A proxy that does not allow CONNECT to a host answers with an error status."""
    outcome = fetch_through(proxy, "https://blog.example/feed")
    assert outcome.kind == "unreachable"
    assert outcome.detail.startswith("could not be reached through the proxy (")


def test_a_missing_proxy_is_unreachable() -> None:
    """No proxy at the address: every feed fails with a reason that names it."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    outcome = fetch("http://blog.example/feed", options={"proxy": Proxy(url=f"http://127.0.0.1:{port}")})
    assert outcome.kind == "unreachable"
    assert "proxy" in outcome.detail
