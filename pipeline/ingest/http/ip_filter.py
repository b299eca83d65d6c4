"""Which IP addresses may be connected to (protection against server-side request forgery).

``ipaddress.is_global`` alone is not enough: it accepts multicast and IPv6 forms that carry a private IPv4 address.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052
_COMPATIBLE = IPv6Network("::/96")  # RFC 4291, 2.5.5.1
_GLOBAL_UNICAST = IPv6Network("2000::/3")  # RFC 4291, 2.4: all that is assigned today
_ISATAP = (0x00005EFE, 0x02005EFE)  # RFC 5214, 6.1: the upper half of the interface identifier
_LAST_32_BITS = 0xFFFF_FFFF


def unsafe_reason(address: str) -> str:
    """Return why an address is not one of the public internet, or "" if it is. Never raise.

    >>> unsafe_reason("93.184.215.14")
    ''
    >>> unsafe_reason("10.0.0.1")
    'a private network'
    >>> unsafe_reason("64:ff9b::7f00:1")
    'this machine itself (as 127.0.0.1)'
    """
    try:
        outer = ip_address(address.partition("%")[0])
    except ValueError:
        return "not an address"
    embedded = tuple(_embedded_ipv4(outer)) if isinstance(outer, IPv6Address) else ()
    for inner in embedded:
        if reason := _reason(inner):
            return f"{reason} (as {inner})"
    # These two forms only wrap an IPv4 address, which was checked above.
    is_wrapper = isinstance(outer, IPv6Address) and (bool(outer.ipv4_mapped) or outer in _NAT64)
    return "" if embedded and is_wrapper else _reason(outer)


def _embedded_ipv4(address: IPv6Address) -> Iterator[IPv4Address]:
    """Yield every IPv4 address that packets to this one may reach. Teredo (RFC 4380) is refused as not global."""
    number = int(address)
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:  # RFC 3056
        yield address.sixtofour
    if address in _NAT64 or (address in _COMPATIBLE and number > 1) or number >> 32 & _LAST_32_BITS in _ISATAP:
        yield IPv4Address(number & _LAST_32_BITS)


def _reason(address: IPv4Address | IPv6Address) -> str:
    if address.is_loopback or address.is_unspecified:
        return "this machine itself"
    if address.is_link_local:
        return "the local network"
    if address.is_multicast:
        return "many machines at once (multicast)"
    if not address.is_global:
        return "a private network"
    if address.is_reserved or (isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST):
        return "not in use on the public internet"
    return ""
