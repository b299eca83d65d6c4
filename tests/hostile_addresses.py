"""Addresses that no feed, page or picture may be fetched from, and the spellings that hide one of them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

METADATA = (
    *("169.254.169.254", "168.63.129.16", "100.100.100.200", "192.0.0.192"),
    *("fd00:ec2::254", "fd20:ce::254", "fd00:42::42", "fd00:c1::a9fe:a9fe"),
)
"""Where clouds give out the secrets of a machine to whoever asks."""

IPV4 = (
    *("0.0.0.0", "0.1.2.3", "127.0.0.1", "127.8.9.10", "127.255.255.254"),
    *("10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.254", "192.168.0.1", "192.168.255.255"),
    *("100.64.0.1", "100.127.255.254", "169.254.0.1", "169.254.170.2", "169.254.255.255"),
    *("192.0.0.1", "192.0.0.8", "192.0.0.9", "192.0.0.170", "192.0.2.7", "198.51.100.7", "203.0.113.7"),
    *("192.88.99.1", "192.88.99.255", "192.31.196.1", "192.52.193.1", "192.175.48.6", "198.18.0.1", "198.19.255.254"),
    *("224.0.0.1", "233.252.0.9", "239.255.255.250", "240.0.0.1", "250.1.2.3", "255.255.255.255"),
    *(each for each in METADATA if ":" not in each),
)
"""The first, last or a typical address of every IPv4 range that is not the public internet."""

IPV6 = (
    *("::", "::1", "fe80::1", "febf::1", "fec0::1", "fc00::1", "fdff:ffff::1", "ff02::1", "ff0e::fb"),
    *("100::1", "100:0:0:1::1", "200::1", "4000::1", "5f00::1", "5f00:ffff::1", "8000::1", "e000::1"),
    *("64:ff9b:1::1", "64:ff9b:1:ffff::808:808", "64:ff9b:2::808:808", "::ffff:0:808:808", "::808:808"),
    *("2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:1::1", "2001:2::1", "2001:3::1", "2001:4:112::1"),
    *("2001:5::1", "2001:10::1", "2001:20::1", "2001:30::1", "2001:1ff:ffff::1", "2001:db8::1", "2001:db8:ffff::1"),
    *("3ffe::1", "3fff::1", "3fff:fff:ffff::1", "2620:4f:8000::1"),
    *(each for each in METADATA if ":" in each),
)
"""The same for IPv6, with the tunnels and translations that lead to no server of their own."""


def wrapped(address: str) -> tuple[str, ...]:
    """Return the IPv6 addresses through which a network may reach an IPv4 address."""
    number, server = int(IPv4Address(address)), int(IPv4Address("65.54.227.120"))
    numbers = (
        0xFFFF << 32 | number,  # mapped
        0xFFFF << 48 | number,  # translated
        number | (number < 2) << 64,  # compatible; ::0 and ::1 are addresses of their own
        0x64FF9B << 96 | number,  # NAT64
        0x64FF9B_0001 << 80 | number,  # NAT64 within a network
        0x2002 << 112 | number << 80 | 1,  # 6to4
        0x2001_0000 << 96 | number << 64 | (server ^ 0xFFFF_FFFF),  # Teredo, by server
        0x2001_0000 << 96 | server << 64 | (number ^ 0xFFFF_FFFF),  # Teredo, by client
        0x2606_4700 << 96 | 0x5EFE << 32 | number,  # ISATAP
        0x2606_4700 << 96 | 0x0200_5EFE << 32 | number,  # ISATAP with a global identifier
        0x2002_0808_0808 << 80 | 0x5EFE << 32 | number,  # ISATAP within the 6to4 network of a public address
    )
    return tuple(str(IPv6Address(each)) for each in numbers)


ADDRESSES = tuple(dict.fromkeys((*IPV4, *IPV6, *(form for address in IPV4 for form in wrapped(address)))))

PUBLIC = (
    *("1.1.1.1", "8.8.8.8", "93.184.215.14", "100.63.255.255", "100.128.0.1", "126.255.255.255", "128.0.0.1"),
    *("168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.1", "172.15.255.255", "172.32.0.1"),
    *("191.255.255.255", "192.0.1.1", "192.0.3.1", "192.88.98.1", "192.88.100.1", "192.167.255.255", "192.169.0.1"),
    *("198.17.255.255", "198.20.0.1", "198.51.99.1", "203.0.112.1", "223.255.255.255", "11.0.0.1", "9.255.255.255"),
    *("2001:200::1", "2001:4860:4860::8888", "2001:db7::1", "2001:db9::1", "2003::1", "2606:4700::1111"),
    *("2a00:1450:4009:81f::200e", "2620:4f:7fff::1", "3ffd::1", "2400:cb00::1"),
    *("::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"),
)
"""Neighbours of the ranges above, and the three forms in which a public IPv4 address may be written."""

SPELLINGS = (
    *("2130706433", "0x7f000001", "0x7F.1", "017700000001", "127.1", "127.0.1", "0x7f.0.0.0x1", "0177.0.0.1"),
    *(
        "127.0.0.0x1",
        "127.0.0.1.",
        "127.000.000.001",
        "127。0。0。1",
        "127．0．0．1",
        "127｡0｡0｡1",
        "１２７.0.0.1",
        "①②⑦.0.0.①",
    ),
    *("0", "0x0", "00", "0.0", "[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::ffff:127.0.0.1]"),
    *("[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[fe80::1%25lo]", "[::1%25lo]"),
    *(
        "localhost",
        "LOCALHOST",
        "localhost.",
        "feeds.localhost",
        "Feeds.LocalHost.",
        "lo\u00adcalhost",
        "ｌｏｃａｌｈｏｓｔ",
    ),
    *("%31%32%37.0.0.1", "localhost%2e", "localhost%00.blog.example", "127.0.0.1%2f.blog.example", "127%2e0%2e0%2e1"),
    *("blog.example@127.0.0.1", "blog.example:80@127.0.0.1", "blog.example%40127.0.0.1", "127.0.0.1\t", "127.0.0.1\\"),
)
"""Hosts, as they stand in a URL, that a browser, a resolver or a proxy may take for this machine."""
