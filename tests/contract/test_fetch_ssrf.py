"""Which addresses are connected to, and how a server proves its identity, against a real server."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from pipeline.ingest.http.connect import SafeConnector
from pipeline.ingest.http.fetcher import HttpFetcher
from pipeline.ingest.http.ip_filter import unsafe_reason
from pipeline.ingest.http.transport import NetworkTransport
from pipeline.model.fetch import FetchLimits, FetchOutcome
from tests.contract.loopback_fetch import NOW, fetch, limits, request, to_loopback
from tests.http_server import CannedResponse, HttpServer, redirect

pytestmark = pytest.mark.loopback


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running


def resolving_to(*addresses: str) -> Callable[[str, int], object]:
    """Return a resolver that gives every name the same addresses."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "0.0.0.0"])
def test_local_addresses_are_refused(server: HttpServer, host: str) -> None:
    """An address of this machine is refused in every spelling unless config allows it."""
    outcome = fetch(server.url("/feed", host), FetchLimits(), options={"resolve": _system_resolve})
    assert outcome.kind in ("unsafe_address", "unreachable")
    assert not server.requests


async def _system_resolve(host: str, port: int) -> Sequence[str]:
    from pipeline.ingest.http.connect import resolve

    return await resolve(host, port)


@pytest.mark.parametrize("address", ["10.0.0.8", "169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "ff02::1"])
def test_name_with_a_private_address_is_refused(address: str) -> None:
    """A public name does not make a private address public; the detail contains both."""
    outcome = fetch("http://inside.example/", FetchLimits(), options={"resolve": resolving_to(address)})
    assert outcome.kind == "unsafe_address"
    assert outcome.detail.startswith(f"inside.example resolves to {address}, ")


def test_redirect_to_a_private_address_is_refused(server: HttpServer) -> None:
    """Every hop is checked: a public page cannot redirect to the router."""
    server.respond("/feed", redirect("http://router.example/admin"))

    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["192.168.0.1" if host == "router.example" else "127.0.0.1"]

    outcome = _fetch_with(
        SafeConnector(resolve, address_filter=_all_but_loopback), server.url("/feed", "public.example")
    )
    assert (outcome.kind, outcome.final_url) == ("unsafe_address", "http://router.example/admin")


def test_the_checked_address_is_the_connected_one(server: HttpServer) -> None:
    """A name is resolved once, and the connection goes to the checked address."""
    server.respond("/feed", CannedResponse())
    answers = iter((["127.0.0.1"], ["192.168.0.1"]))

    async def rebinding(host: str, port: int) -> Sequence[str]:
        return next(answers)

    outcome = _fetch_with(
        SafeConnector(rebinding, address_filter=_all_but_loopback), server.url("/feed", "rebind.example")
    )
    assert (outcome.kind, next(answers)) == ("ok", ["192.168.0.1"])
    assert server.requests[0].host == "rebind.example"


def test_private_addresses_beside_a_public_one_are_skipped(server: HttpServer) -> None:
    """Of several addresses only the safe ones are tried."""
    server.respond("/feed", CannedResponse())
    dialler = SafeConnector(resolving_to("10.0.0.8", "127.0.0.1"), address_filter=_all_but_loopback)  # type: ignore[arg-type]
    assert _fetch_with(dialler, server.url("/feed", "both.example")).kind == "ok"


def test_next_address_is_tried(server: HttpServer) -> None:
    """A host with one dead address is reached at another."""
    server.respond("/feed", CannedResponse())
    outcome = fetch(server.url("/feed", "two.example"), options={"resolve": resolving_to("::1", "127.0.0.1")})
    assert outcome.kind == "ok"


def _all_but_loopback(address: str) -> str:
    return "" if address == "127.0.0.1" else unsafe_reason(address)


def _fetch_with(dialler: SafeConnector, url: str) -> FetchOutcome:
    async def run() -> FetchOutcome:
        async with HttpFetcher(limits(), transport=NetworkTransport(dialler)) as fetcher:
            return await fetcher.fetch(request(url), now=NOW)

    return asyncio.run(run())


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a certificate authority and a certificate of blog.example signed by it."""
    folder = tmp_path_factory.mktemp("tls")
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2"]
    ca = ["-subj", "/CN=Test", "-keyout", "ca.key", "-out", "ca.pem", "-addext", "keyUsage=critical,keyCertSign"]
    own = ["-CA", "ca.pem", "-CAkey", "ca.key", "-subj", "/CN=blog.example", "-keyout", "own.key", "-out", "own.pem"]
    names = ["-addext", "subjectAltName=DNS:blog.example", "-addext", "basicConstraints=CA:FALSE"]
    for arguments in (ca, own + names):
        subprocess.run([*make, *arguments], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def secure(authority: Path) -> Iterator[HttpServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "own.pem", authority / "own.key")
    with HttpServer(tls=context) as running:
        running.respond("/feed", CannedResponse())
        yield running


def _trusting(authority: Path) -> dict[str, object]:
    return {"ssl_context": ssl.create_default_context(cafile=str(authority / "ca.pem"))}


@pytest.mark.requires("openssl")
def test_a_certificate_is_checked_against_the_name(secure: HttpServer, authority: Path) -> None:
    """Connecting to an address does not loosen TLS: the certificate must be for the feed's host name."""
    good = fetch(secure.url("/feed", "blog.example"), options=_trusting(authority))
    assert (good.kind, secure.requests[0].host) == ("ok", "blog.example")
    other = fetch(secure.url("/feed", "other.example"), options=_trusting(authority))
    assert other.kind == "tls_error"
    assert "other.example" in other.detail


@pytest.mark.requires("openssl")
def test_hosts_at_one_address_do_not_share_a_connection(secure: HttpServer, authority: Path) -> None:
    """A name without a certificate cannot use the connection of another."""

    async def run() -> list[str]:
        async with HttpFetcher(limits(), resolve=to_loopback, **_trusting(authority)) as fetcher:  # type: ignore[arg-type]
            urls = [secure.url("/feed", host) for host in ("blog.example", "other.example")]
            return [(await fetcher.fetch(request(url), now=NOW)).kind for url in urls]

    assert asyncio.run(run()) == ["ok", "tls_error"]


@pytest.mark.requires("openssl")
def test_unknown_authority_is_refused(secure: HttpServer) -> None:
    """Without the authority among the trusted ones there is no connection."""
    assert fetch(secure.url("/feed", "blog.example")).kind == "tls_error"


@pytest.mark.requires("openssl")
def test_secrets_are_not_sent_over_http(server: HttpServer, secure: HttpServer, authority: Path) -> None:
    """A redirect from https to http of the same host is followed without the feed's headers."""
    secure.respond("/feed", redirect(server.url("/feed", "blog.example")))
    server.respond("/feed", CannedResponse())
    fetch(secure.url("/feed", "blog.example"), headers=(("X-Token", "s3cret"),), options=_trusting(authority))
    assert "x-token" in secure.requests[0].headers
    assert "x-token" not in server.requests[0].headers
