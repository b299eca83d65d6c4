"""Email addresses of people: syntax, the key that finds a person again, and addresses that are no person's."""

from __future__ import annotations

import ipaddress
from functools import cache

from email_validator import EmailNotValidError, validate_email

from pipeline.model.errors import UsageError

ROLE_NAMES = frozenset(
    (
        *("abuse", "admin", "administrator", "all", "billing", "bounce", "contact", "enquiries", "everyone"),
        *("hostmaster", "hr", "info", "jobs", "list", "listmaster", "mailer-daemon", "marketing", "no-reply"),
        *("noreply", "office", "postmaster", "press", "root", "sales", "security", "staff", "subscribe"),
        *("support", "team", "unsubscribe", "webmaster"),
    )
)
"""Local parts of mailboxes that belong to a function (RFC 2142, and the usual ones), in lower case."""


def normalise_address(text: str) -> str:
    """Return an address in the form it is stored in: the domain in lower case, NFC, the local part as written.

    UsageError if the syntax is wrong (RFC 5321, 6531), or if the local part is not ASCII, which few servers accept.

    >>> normalise_address(" Ada+News@KÜSTE.example ")
    'Ada+News@xn--kste-0ra.example'
    """
    try:
        valid = validate_email(text.strip(), check_deliverability=False, strict=True, test_environment=True)
    except EmailNotValidError as error:
        raise UsageError(f"{_shown(text)} is not an email address: {error}") from error
    if valid.ascii_email is None:
        raise UsageError(f"{_shown(text)} has letters before the @ that most mail servers do not accept.")
    return valid.ascii_email


def address_key(address: str) -> str:
    """Return the key of an address, by which a person is found: in lower case. Tags (``+news``) are kept.

    >>> address_key("Ada+News@kueste.example")
    'ada+news@kueste.example'
    """
    return address.casefold()


def is_role_address(address: str) -> bool:
    """Check whether an address belongs to a function rather than a person: ``info@``, ``sales@``.

    >>> is_role_address("Info+news@bakery.example"), is_role_address("ada@bakery.example")
    (True, False)
    """
    return address.partition("@")[0].partition("+")[0].casefold() in ROLE_NAMES


def is_disposable(address: str) -> bool:
    """Check whether an address belongs to a service of throw-away mailboxes, or to a subdomain of one."""
    labels = address.rpartition("@")[2].casefold().split(".")
    domains = {".".join(labels[start:]) for start in range(len(labels) - 1)}
    return not domains.isdisjoint(_disposable_domains())


@cache
def _disposable_domains() -> frozenset[str]:
    from disposable_email_domains import blocklist

    return frozenset(blocklist)


def network_of(ip_address: str) -> str:
    """Return the network that limits apply to: the /24 of an IPv4 address, the /64 of an IPv6 one; itself if neither.

    >>> network_of("203.0.113.9"), network_of("2001:db8:1:2:3::4"), network_of("::ffff:203.0.113.9")
    ('203.0.113.0/24', '2001:db8:1:2::/64', '203.0.113.0/24')
    """
    try:
        address = ipaddress.ip_address(ip_address)
    except ValueError:
        return ip_address
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 64), strict=False))


def _shown(text: str) -> str:
    """Return a text for an error: quoted, and cut if it is long."""
    text = " ".join(text.split())
    return repr(text if len(text) <= 80 else f"{text[:80]}…")
