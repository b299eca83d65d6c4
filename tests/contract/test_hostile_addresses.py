"""Hostile addresses, end to end through the fetcher: as a URL, behind a name, behind a redirect and through a proxy."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest

from pipeline.ingest.http.connect import SafeConnector
from pipeline.ingest.http.fetcher import HttpFetcher
from pipeline.ingest.http.ip_filter import unsafe_reason
from pipeline.ingest.http.transport import NetworkTransport
from pipeline.model.fetch import Proxy
from tests.contract.loopback_fetch import NOW, limits, request
from tests.hostile_addresses import ADDRESSES, METADATA, PUBLIC, SPELLINGS
from tests.http_server import HttpServer, redirect

pytestmark = pytest.mark.loopback

LIMITS = limits(allow_private_networks=False)


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running


async def resolve_literally(host: str, port: int) -> Sequence[str]:
    """Return what the system reads out of a spelling of an address; other names are this machine's, or unknown."""
    if host.lower().rstrip(".").endswith("localhost"):
        return ["127.0.0.1"]
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    return [str(each[4][0]) for each in found]


def kinds(urls: Mapping[str, str], **options: Any) -> dict[str, str]:
    """Fetch URLs; return the kind of each outcome by the address that the URL stands for."""

    async def run() -> dict[str, str]:
        async with HttpFetcher(LIMITS, **({"resolve": resolve_literally} | options)) as fetcher:
            requests = [request(url) for url in urls.values()]
            outcomes = {each.key: each.kind async for each in fetcher.fetch_all(requests, now=NOW)}
        return {address: outcomes[url] for address, url in urls.items()}

    return asyncio.run(run())


def literal(address: str) -> str:
    """Return an address as the host of a URL."""
    return f"[{address}]" if ":" in address else address


def others(found: Mapping[str, str], *expected: str) -> dict[str, str]:
    """Return the addresses with another outcome than the expected ones."""
    return {address: kind for address, kind in found.items() if kind not in expected}


def test_the_suite_is_large() -> None:
    """There are hundreds of different hostile addresses, and dozens of spellings of this machine's."""
    assert len(ADDRESSES) > 400
    assert len(set(SPELLINGS)) >= 45


def test_hostile_addresses_are_refused() -> None:
    """No reserved address is connected to when a URL contains it."""
    found = kinds({address: f"http://{literal(address)}/feed" for address in ADDRESSES})
    assert others(found, "unsafe_address") == {}


def test_names_of_hostile_addresses_are_refused() -> None:
    """No reserved address is connected to when a public name resolves to it."""
    by_name = {f"host-{number}.example": address for number, address in enumerate(ADDRESSES)}

    async def resolve(host: str, port: int) -> Sequence[str]:
        return [by_name[host]]

    found = kinds({address: f"https://{name}/feed" for name, address in by_name.items()}, resolve=resolve)
    assert others(found, "unsafe_address") == {}


def test_redirects_to_hostile_addresses_are_refused(server: HttpServer) -> None:
    """No reserved address is connected to when a public page redirects to it."""
    connector = SafeConnector(
        resolve_literally, address_filter=lambda each: "" if each == "127.0.0.1" else unsafe_reason(each)
    )
    targets = [address for address in ADDRESSES if address != "127.0.0.1"]
    for number, address in enumerate(targets):
        server.respond(f"/{number}", redirect(f"http://{literal(address)}/latest/meta-data/"))
    found = kinds(
        {address: server.url(f"/{number}") for number, address in enumerate(targets)},
        transport=NetworkTransport(connector),
    )
    assert others(found, "unsafe_address") == {}
    assert len(server.requests) == len(targets)


def test_a_proxy_is_asked_for_no_hostile_address(server: HttpServer) -> None:
    """An address in a URL is checked before a proxy sees it, which might stand inside the private network."""
    urls = {address: f"http://{literal(address)}/feed" for address in ADDRESSES}
    assert others(kinds(urls, proxy=Proxy(url=server.url(""))), "unsafe_address") == {}
    assert server.requests == []


@pytest.mark.parametrize("through_proxy", [False, True])
def test_this_machine_is_refused_in_every_spelling(server: HttpServer, through_proxy: bool) -> None:
    """Numbers, hexadecimal and octal digits, other scripts' digits and dots, escapes and user names hide nothing."""
    options = {"proxy": Proxy(url=server.url(""))} if through_proxy else {}
    found = kinds({host: f"http://{host}:{server.port}/feed" for host in SPELLINGS}, **options)
    assert others(found, "unsafe_address", "invalid_url", "unreachable") == {}
    assert server.requests == []


@pytest.mark.parametrize("address", METADATA)
def test_metadata_services_are_named(address: str) -> None:
    """The reason says what the address is, so that nobody allows private networks to reach it."""
    assert unsafe_reason(address) == "the metadata service of a cloud"


def test_the_table_does_not_depend_on_the_version_of_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """An older or newer ``ipaddress`` that takes every address for a public one changes nothing."""
    verdicts = ("is_private", "is_reserved", "is_multicast", "is_loopback", "is_link_local", "is_unspecified")
    for kind in (IPv4Address, IPv6Address):
        for name in ("is_global", *verdicts):
            monkeypatch.setattr(kind, name, name == "is_global")
    assert [address for address in ADDRESSES if not unsafe_reason(address)] == []


def test_neighbours_of_the_ranges_are_public() -> None:
    """No range is larger than it has to be."""
    assert [address for address in PUBLIC if unsafe_reason(address)] == []
