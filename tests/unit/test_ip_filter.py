"""Which addresses are public, in every form."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis.strategies import integers

from pipeline.ingest.http.ip_filter import unsafe_reason

LOCAL = ["127.0.0.1", "0.0.0.0", "169.254.169.254", "224.0.0.1"]
PRIVATE = [*LOCAL, "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1"]


@pytest.mark.parametrize("address", ["93.184.215.14", "1.1.1.1", "2606:4700::1111", "2a00:1450:4009:81f::200e"])
def test_public_addresses_are_safe(address: str) -> None:
    """Addresses of the public internet are allowed."""
    assert unsafe_reason(address) == ""


@pytest.mark.parametrize(
    "address",
    [
        *PRIVATE,
        "240.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "198.18.0.1",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "fd12:3456::1",
        "ff02::1",
        "ff0e::1",
        "2001:db8::1",
        "4000::1",
        "100::1",
    ],
)
def test_addresses_that_are_not_public_are_not_safe(address: str) -> None:
    """Loopback, private, shared, link-local, multicast, reserved and documentation addresses are refused."""
    assert unsafe_reason(address)


@pytest.mark.parametrize("inner", PRIVATE)
def test_private_address_embedded_in_ipv6_is_not_safe(inner: str) -> None:
    """NAT64, 6to4, Teredo (server and client), mapped, compatible and ISATAP addresses are unwrapped."""
    number = int(IPv4Address(inner))
    server = int(IPv4Address("65.54.227.120"))
    wrapped = {
        "mapped": 0xFFFF << 32 | number,
        "compatible": number,
        "NAT64": 0x64FF9B << 96 | number,
        "local NAT64": 0x64FF9B_0001 << 80 | number,
        "6to4": 0x2002 << 112 | number << 80 | 1,
        "Teredo server": 0x20010000 << 96 | number << 64 | (number ^ 0xFFFF_FFFF),
        "Teredo client": 0x20010000 << 96 | server << 64 | (number ^ 0xFFFF_FFFF),
        "ISATAP": 0x2606_4700 << 96 | 0x5EFE << 32 | number,
        "global ISATAP": 0x2606_4700 << 96 | 0x0200_5EFE << 32 | number,
    }
    assert [form for form, address in wrapped.items() if not unsafe_reason(str(IPv6Address(address)))] == []


@pytest.mark.parametrize("envelope", ["::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1"])
def test_public_address_embedded_in_ipv6_is_safe(envelope: str) -> None:
    """A NAT64-only network reaches the public internet through it."""
    assert unsafe_reason(envelope) == ""


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("::1", "this machine itself"),
        ("::2", "this machine itself (as 0.0.0.2)"),
        ("fe80::5efe:101:101", "the local network"),
        ("fd00::5efe:101:101", "a private network"),
        ("::ffff:0:101:101", "not in use on the public internet"),
    ],
)
def test_what_is_around_an_embedded_address_counts(address: str, reason: str) -> None:
    """A public address within an address of a local network leads there."""
    assert unsafe_reason(address) == reason


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3", "::g", "1.1.1.1.1"])
def test_invalid_address_is_not_safe(text: str) -> None:
    """The check does not depend on the resolver being right."""
    assert unsafe_reason(text) == "not an address"


@given(integers(0, 2**32 - 1))
def test_embedded_address_decides(number: int) -> None:
    """For every IPv4 address the mapped and the NAT64 form are safe exactly when the plain one is."""
    plain = bool(unsafe_reason(str(IPv4Address(number))))
    assert bool(unsafe_reason(f"::ffff:{IPv4Address(number)}")) == plain
    assert bool(unsafe_reason(str(IPv6Address(0x64FF9B << 96 | number)))) == plain
