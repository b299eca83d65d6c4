"""Which IP addresses may be connected to (protection against server-side request forgery).

The ranges are those of IANA's special-purpose address registries for IPv4 and IPv6 and the metadata services of clouds.
They are listed here because ``ipaddress.is_global`` knows the registries of its Python's day, and accepts multicast.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_THIS_MACHINE = "this machine itself"
_LOCAL = "the local network"
_PRIVATE = "a private network"
_MULTICAST = "many machines at once (multicast)"
_METADATA = "the metadata service of a cloud"
_TUNNEL = "the end of a tunnel, not a server"
_RESERVED = "not in use on the public internet"

# The first network that contains an address decides.
_IPV4 = {
    IPv4Network(network): reason
    for network, reason in {
        "169.254.169.254/32": _METADATA,  # all large clouds
        "168.63.129.16/32": _METADATA,  # Azure: a public address, but never one of a website
        "100.100.100.200/32": _METADATA,  # Alibaba
        "192.0.0.192/32": _METADATA,  # Oracle
        "0.0.0.0/8": _THIS_MACHINE,
        "127.0.0.0/8": _THIS_MACHINE,
        "169.254.0.0/16": _LOCAL,
        "10.0.0.0/8": _PRIVATE,
        "100.64.0.0/10": _PRIVATE,  # shared by the customers of a provider, RFC 6598
        "172.16.0.0/12": _PRIVATE,
        "192.168.0.0/16": _PRIVATE,
        "192.88.99.0/24": _TUNNEL,  # 6to4 relays, RFC 7526
        "192.52.193.0/24": _TUNNEL,  # AMT, RFC 7450
        "192.0.0.0/24": _RESERVED,  # protocol assignments, RFC 6890
        "192.0.2.0/24": _RESERVED,  # documentation, as the next two, RFC 5737
        "198.51.100.0/24": _RESERVED,
        "203.0.113.0/24": _RESERVED,
        "192.31.196.0/24": _RESERVED,  # sinks of DNS queries (AS112), as the next, RFC 7535
        "192.175.48.0/24": _RESERVED,
        "198.18.0.0/15": _RESERVED,  # benchmarks, RFC 2544
        "224.0.0.0/4": _MULTICAST,
        "240.0.0.0/4": _RESERVED,
    }.items()
}
_IPV6 = {
    IPv6Network(network): reason
    for network, reason in {
        "fd00:ec2::254/128": _METADATA,  # AWS
        "fd20:ce::254/128": _METADATA,  # Google
        "fd00:42::42/128": _METADATA,  # Scaleway
        "fd00:c1::a9fe:a9fe/128": _METADATA,  # Oracle
        "::/127": _THIS_MACHINE,
        "fe80::/10": _LOCAL,
        "fec0::/10": _LOCAL,  # RFC 3879
        "fc00::/7": _PRIVATE,
        "64:ff9b:1::/48": _PRIVATE,  # NAT64 within a network, RFC 8215
        "ff00::/8": _MULTICAST,
        "2001::/32": _TUNNEL,  # Teredo, RFC 4380
        "2001::/23": _RESERVED,  # protocol assignments, RFC 2928
        "2001:db8::/32": _RESERVED,  # documentation, RFC 3849
        "3fff::/20": _RESERVED,  # documentation, RFC 9637
        "3ffe::/16": _RESERVED,  # 6bone, RFC 3701
        "2620:4f:8000::/48": _RESERVED,  # AS112
    }.items()
}
_GLOBAL_UNICAST = IPv6Network("2000::/3")  # RFC 4291, 2.4; the rest is not assigned or above, as SRv6 (5f00::/16)

_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052
_COMPATIBLE = IPv6Network("::/96")  # RFC 4291, 2.5.5.1
_TRANSLATED = IPv6Network("::ffff:0:0:0/96")  # RFC 2765
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
    if isinstance(outer, IPv4Address):
        return _ipv4_reason(outer)
    embedded = tuple(_embedded_ipv4(outer))
    for inner in embedded:
        if reason := _ipv4_reason(inner):
            return f"{reason} (as {inner})"
    # These two forms only wrap an IPv4 address, which was checked above.
    is_wrapper = bool(outer.ipv4_mapped) or outer in _NAT64
    return "" if embedded and is_wrapper else _ipv6_reason(outer)


def _embedded_ipv4(address: IPv6Address) -> Iterator[IPv4Address]:
    """Yield every IPv4 address that packets to this one may reach. Teredo is refused as a whole."""
    number = int(address)
    if address.sixtofour:  # RFC 3056
        yield address.sixtofour
    if (
        address.ipv4_mapped
        or address in _NAT64
        or address in _TRANSLATED
        or (address in _COMPATIBLE and number > 1)
        or number >> 32 & _LAST_32_BITS in _ISATAP
    ):
        yield IPv4Address(number & _LAST_32_BITS)


def _ipv4_reason(address: IPv4Address) -> str:
    return next((reason for network, reason in _IPV4.items() if address in network), "")


def _ipv6_reason(address: IPv6Address) -> str:
    reason = next((reason for network, reason in _IPV6.items() if address in network), "")
    return reason or ("" if address in _GLOBAL_UNICAST else _RESERVED)
