"""SPF: which machines may send for the domain (RFC 7208).

In: a domain, a Lookup, the mail server's name. Out: Signs. Follows includes and redirects as receivers do, and counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from pipeline.jobs.doctor.dns_records import DnsLookup, domain_result
from pipeline.model.health import HealthResult

MAX_LOOKUPS = 10
"""More, and receivers count the record as broken (RFC 7208, 4.6.4)."""
_TERM = re.compile(
    r"(?P<qualifier>[+?~-])?(?P<name>all|include|a|mx|ptr|ip4|ip6|exists)(?::(?P<value>[^/\s]+))?(?P<bits>(?:/{1,2}\d+){0,2})"
    r"|(?P<modifier>[a-z][a-z0-9_.-]*)=(?P<said>\S*)",
    re.IGNORECASE,
)
_IP6 = re.compile(r"(?P<qualifier>[+?~-])?ip6:(?P<network>[0-9a-f:.]+(?:/\d+)?)", re.IGNORECASE)
_ASKS = frozenset({"include", "a", "mx", "ptr", "exists"})


@dataclass(slots=True)
class _Walk:
    """What was met on the way through a record and those it includes."""

    lookup: DnsLookup
    lookups: int = 0
    broken: list[str] = field(default_factory=list)
    networks: list[IPv4Network | IPv6Network] = field(default_factory=list)
    addresses: set[str] = field(default_factory=set)
    rest: str = ""
    """What the record itself says of everybody else: the qualifier of its ``all``."""
    been: set[str] = field(default_factory=set)


def check_spf(domain: str, lookup: DnsLookup, smtp_host: str = "") -> Iterator[HealthResult]:
    """Look at the domain's record: one, well written, of few look-ups, strict at its end, naming our mail server."""
    name = f"SPF of {domain}"
    records = _records(domain, lookup)
    if not records:
        mend = f'publish a TXT record at {domain} such as "v=spf1 include:… -all", with what your mail service names'
        yield domain_result(name, "trouble", "has no record, so many mailboxes distrust its mail", mend)
        return
    if len(records) > 1:
        mend = "make one of them: all mechanisms behind a single v=spf1"
        yield domain_result(name, "trouble", f"has {len(records)} records, so none counts", mend)
        return
    walk = _Walk(lookup)
    _follow(domain, records[0], walk, outermost=True)
    yield from _verdict(name, walk, smtp_host)


def _records(domain: str, lookup: DnsLookup) -> list[str]:
    return [text for text in lookup.txt(domain) if re.match(r"v=spf1( |$)", text, re.IGNORECASE)]


def _follow(domain: str, record: str, walk: _Walk, *, outermost: bool = False) -> None:
    """Read a record's terms, and the records they lead to."""
    walk.been.add(domain.lower())
    redirect = ""
    for term in record.split()[1:]:
        found = _TERM.fullmatch(term)
        if six := _IP6.fullmatch(term):
            _network(six["network"], term, walk)
        elif not found or (found["name"] or "").lower() in ("ip6",):
            walk.broken.append(f"“{term}” is no term of it")
        elif found["modifier"]:
            redirect = found["said"] if found["modifier"].lower() == "redirect" else redirect
        else:
            _mechanism(found, domain, term, walk, outermost=outermost)
    if redirect and not (outermost and walk.rest):
        walk.lookups += 1
        _include(redirect, walk, outermost=outermost)


def _mechanism(found: re.Match[str], domain: str, term: str, walk: _Walk, *, outermost: bool) -> None:
    name, value = found["name"].lower(), found["value"] or ""
    walk.lookups += name in _ASKS
    if walk.lookups > MAX_LOOKUPS:
        return
    if name == "all" and outermost:
        walk.rest = found["qualifier"] or "+"
    elif name == "include":
        _include(value, walk)
    elif name == "ip4":
        _network(value + found["bits"], term, walk)
    elif name in ("a", "mx") and "%" not in value:
        hosts = walk.lookup.mx(value or domain) if name == "mx" else (value or domain,)
        walk.addresses.update(each for host in hosts for each in walk.lookup.addresses(host))


def _include(domain: str, walk: _Walk, *, outermost: bool = False) -> None:
    if "%" in domain or walk.lookups > MAX_LOOKUPS:
        return  # a macro depends on each mail
    records = [] if not domain else _records(domain, walk.lookup)
    if domain.lower() in walk.been:
        return
    if len(records) != 1:
        walk.broken.append(f"{domain or 'an include without a name'} has {len(records) or 'no'} SPF record")
    else:
        _follow(domain, records[0], walk, outermost=outermost)


def _network(words: str, term: str, walk: _Walk) -> None:
    try:
        walk.networks.append(ip_network(words, strict=False))
    except ValueError:
        walk.broken.append(f"“{term}” names no network")


def _verdict(name: str, walk: _Walk, smtp_host: str) -> Iterator[HealthResult]:
    if walk.broken:
        mend = "correct that: receivers count the whole record as broken"
        yield domain_result(name, "trouble", f"cannot be read: {walk.broken[0]}", mend)
    elif walk.lookups > MAX_LOOKUPS:
        finding = f"takes more than {MAX_LOOKUPS} look-ups, so it counts as broken"
        yield domain_result(name, "trouble", finding, "take out includes of services that you no longer use")
    elif walk.rest == "+":
        yield domain_result(name, "trouble", "lets everybody send (+all)", "end it with -all or ~all")
    elif walk.rest in ("", "?"):
        yield domain_result(name, "warning", "says nothing of machines it does not name", "end it with -all or ~all")
    else:
        looked = f"{walk.lookups} of {MAX_LOOKUPS} look-ups"
        yield from _of_our_server(name, f"is one record, {looked}, and ends with {walk.rest}all", walk, smtp_host)


def _of_our_server(name: str, well: str, walk: _Walk, smtp_host: str) -> Iterator[HealthResult]:
    ours = [ip_address(each) for each in walk.lookup.addresses(smtp_host)] if smtp_host else []
    if not ours:
        yield domain_result(name, "well", well)
    elif any(_named(each, walk) for each in ours):
        yield domain_result(name, "well", f"{well}; it names {smtp_host}")
    else:
        mend = "no harm where your mail service sends by other machines: see that its include is in the record"
        yield domain_result(name, "warning", f"{well}; it does not name {smtp_host} itself", mend)


def _named(address: IPv4Address | IPv6Address, walk: _Walk) -> bool:
    inside = any(address.version == each.version and address in each for each in walk.networks)
    return inside or str(address) in walk.addresses
