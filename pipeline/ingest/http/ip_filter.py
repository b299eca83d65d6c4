"""Which network addresses may be connected to.

In: an IP address as text, as a resolver gives it. Out: why it is not a public one. Pure: it resolves nothing.
``ipaddress.is_global`` alone is not enough: it says yes to multicast and to IPv6 forms that carry a private IPv4.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052
_COMPATIBLE = IPv6Network("::/96")  # RFC 4291, 2.5.5.1
_GLOBAL_UNICAST = IPv6Network("2000::/3")  # RFC 4291, 2.4: all that is given out today
_ISATAP = (0x00005EFE, 0x02005EFE)  # RFC 5214, 6.1: the upper half of the interface identifier
_LAST_32_BITS = 0xFFFF_FFFF


def unsafe_reason(address: str) -> str:
    """Say why an address is not one of the public internet; empty when it is. Never raises.

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
    inner = tuple(_carried(outer)) if isinstance(outer, IPv6Address) else ()
    for carried in inner:
        if reason := _reason(carried):
            return f"{reason} (as {carried})"
    return "" if inner and _is_wrapper(outer) else _reason(outer)


def _carried(address: IPv6Address) -> Iterator[IPv4Address]:
    """Yield every IPv4 address that packets to this one may end at; no Teredo address (RFC 4380) is public anyway."""
    number = int(address)
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:  # RFC 3056
        yield address.sixtofour
    if address in _NAT64 or (address in _COMPATIBLE and number > 1) or number >> 32 & _LAST_32_BITS in _ISATAP:
        yield IPv4Address(number & _LAST_32_BITS)


def _is_wrapper(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether the address is nothing but an envelope, so that what it carries decides alone."""
    return isinstance(address, IPv6Address) and (bool(address.ipv4_mapped) or address in _NAT64)


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
