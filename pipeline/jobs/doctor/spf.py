"""Doctor check of SPF: which servers may send for the domain (RFC 7208)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from pipeline.jobs.ports import DnsLookup
from pipeline.model.health import HealthLevel, HealthResult

MAX_LOOKUPS = 10
"""With more, receivers treat the record as broken (RFC 7208, 4.6.4)."""
_TERM = re.compile(
    r"(?P<qualifier>[+?~-])?(?P<name>all|include|a|mx|ptr|ip4|ip6|exists)(?::(?P<value>[^/\s]+))?(?P<bits>(?:/{1,2}\d+){0,2})"
    r"|(?P<modifier>[a-z][a-z0-9_.-]*)=(?P<argument>\S*)",
    re.IGNORECASE,
)
_IP6 = re.compile(r"(?P<qualifier>[+?~-])?ip6:(?P<network>[0-9a-f:.]+(?:/\d+)?)", re.IGNORECASE)
_WITH_LOOKUP = frozenset({"include", "a", "mx", "ptr", "exists"})


@dataclass(slots=True)
class _Evaluation:
    """The state of the evaluation of a record and those it includes."""

    lookup: DnsLookup
    lookups: int = 0
    errors: list[str] = field(default_factory=list)
    networks: list[IPv4Network | IPv6Network] = field(default_factory=list)
    addresses: set[str] = field(default_factory=set)
    default: str = ""
    """The qualifier of the outermost record's ``all``, which decides about every other server."""
    visited: set[str] = field(default_factory=set)


def check_spf(domain: str, lookup: DnsLookup, smtp_host: str = "") -> Iterator[HealthResult]:
    """Check that a domain has one valid record with few look-ups and a strict end, which names the mail server.

    Follows includes and redirects as receivers do.
    """
    title = f"SPF of {domain}"
    records = _records(domain, lookup)
    if not records:
        fix = f'publish a TXT record at {domain} such as "v=spf1 include:… -all", with what your mail service names'
        yield domain_result(title, "error", "has no record, so many mailbox providers distrust its mail", fix)
        return
    if len(records) > 1:
        fix = "merge them: all mechanisms behind a single v=spf1"
        yield domain_result(title, "error", f"has {len(records)} records, so none counts", fix)
        return
    evaluation = _Evaluation(lookup)
    _evaluate(domain, records[0], evaluation, outermost=True)
    yield from _judge(title, evaluation, smtp_host)


def _records(domain: str, lookup: DnsLookup) -> list[str]:
    return [text for text in lookup.txt(domain) if re.match(r"v=spf1( |$)", text, re.IGNORECASE)]


def _evaluate(domain: str, record: str, evaluation: _Evaluation, *, outermost: bool = False) -> None:
    """Evaluate a record's terms, and the records they refer to."""
    evaluation.visited.add(domain.lower())
    redirect = ""
    for term in record.split()[1:]:
        match = _TERM.fullmatch(term)
        if ip6 := _IP6.fullmatch(term):
            _add_network(ip6["network"], term, evaluation)
        elif not match or (match["name"] or "").lower() == "ip6":
            evaluation.errors.append(f"“{term}” is not a valid term")
        elif match["modifier"]:
            redirect = match["argument"] if match["modifier"].lower() == "redirect" else redirect
        else:
            _evaluate_mechanism(match, domain, term, evaluation, outermost=outermost)
    if redirect and not (outermost and evaluation.default):
        evaluation.lookups += 1
        _include(redirect, evaluation, outermost=outermost)


def _evaluate_mechanism(
    match: re.Match[str], domain: str, term: str, evaluation: _Evaluation, *, outermost: bool
) -> None:
    name, value = match["name"].lower(), match["value"] or ""
    evaluation.lookups += name in _WITH_LOOKUP
    if evaluation.lookups > MAX_LOOKUPS:
        return
    if name == "all" and outermost:
        evaluation.default = match["qualifier"] or "+"
    elif name == "include":
        _include(value, evaluation)
    elif name == "ip4":
        _add_network(value + match["bits"], term, evaluation)
    elif name in ("a", "mx") and "%" not in value:
        lookup = evaluation.lookup
        hosts = lookup.mx(value or domain) if name == "mx" else (value or domain,)
        evaluation.addresses.update(address for host in hosts for address in lookup.addresses(host))


def _include(domain: str, evaluation: _Evaluation, *, outermost: bool = False) -> None:
    if "%" in domain or evaluation.lookups > MAX_LOOKUPS:
        return  # a macro depends on each single message
    records = _records(domain, evaluation.lookup) if domain else []
    if domain.lower() in evaluation.visited:
        return
    if len(records) != 1:
        evaluation.errors.append(f"{domain or 'an include without a name'} has {len(records) or 'no'} SPF record")
    else:
        _evaluate(domain, records[0], evaluation, outermost=outermost)


def _add_network(network: str, term: str, evaluation: _Evaluation) -> None:
    try:
        evaluation.networks.append(ip_network(network, strict=False))
    except ValueError:
        evaluation.errors.append(f"“{term}” is not a network")


def _judge(title: str, evaluation: _Evaluation, smtp_host: str) -> Iterator[HealthResult]:
    if evaluation.errors:
        fix = "correct that: receivers treat the whole record as broken"
        yield domain_result(title, "error", f"is not valid: {evaluation.errors[0]}", fix)
    elif evaluation.lookups > MAX_LOOKUPS:
        message = f"needs more than {MAX_LOOKUPS} look-ups, so it counts as broken"
        yield domain_result(title, "error", message, "remove includes of services that you no longer use")
    elif evaluation.default == "+":
        yield domain_result(title, "error", "allows everybody to send (+all)", "end it with -all or ~all")
    elif evaluation.default in ("", "?"):
        message = "does not decide about servers it does not name"
        yield domain_result(title, "warning", message, "end it with -all or ~all")
    else:
        lookups = f"{evaluation.lookups} of {MAX_LOOKUPS} look-ups"
        message = f"is one record, {lookups}, and ends with {evaluation.default}all"
        yield from _judge_mail_server(title, message, evaluation, smtp_host)


def _judge_mail_server(title: str, message: str, evaluation: _Evaluation, smtp_host: str) -> Iterator[HealthResult]:
    addresses = evaluation.lookup.addresses(smtp_host) if smtp_host else ()
    if not addresses:
        yield domain_result(title, "ok", message)
    elif any(_is_allowed(ip_address(address), evaluation) for address in addresses):
        yield domain_result(title, "ok", f"{message}; it names {smtp_host}")
    else:
        fix = "no problem if your mail service sends from other servers: check that its include is in the record"
        yield domain_result(title, "warning", f"{message}; it does not name {smtp_host} itself", fix)


def _is_allowed(address: IPv4Address | IPv6Address, evaluation: _Evaluation) -> bool:
    networks = evaluation.networks
    in_network = any(address.version == network.version and address in network for network in networks)
    return in_network or str(address) in evaluation.addresses


def domain_result(name: str, level: HealthLevel, message: str, fix: str = "") -> HealthResult:
    """Return a result of the category ``domain``."""
    return HealthResult(category="domain", name=name, level=level, message=message, fix=fix)
