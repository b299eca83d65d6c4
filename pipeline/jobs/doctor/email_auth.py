"""DKIM: whether the keys are there with which mailboxes verify our signatures (RFC 6376, RFC 8301).

In: a domain, a Lookup, selectors. Out: Signs.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator, Sequence

from pipeline.jobs.doctor.dns_records import DnsLookup, domain_result, parse_tags
from pipeline.jobs.doctor.spf import check_spf
from pipeline.model.errors import DNSUnavailableError
from pipeline.model.health import HealthLevel, HealthResult, health_result_of

_KEY_OVERHEAD_BYTES = 38
"""What a SubjectPublicKeyInfo of RSA holds besides the modulus: enough to tell 1024 bits from 2048."""


def check_dkim(domain: str, lookup: DnsLookup, selectors: Sequence[str]) -> Iterator[HealthResult]:
    """Look at the key of each selector."""
    if not selectors:
        finding = "cannot be looked at, since no selector is known"
        mend = "write the names that your mail service signs with into [delivery] dkim_selectors"
        yield domain_result(f"DKIM of {domain}", "warning", finding, mend)
    for selector in selectors:
        yield _key(f"{selector}._domainkey.{domain}", lookup)


def _key(name: str, lookup: DnsLookup) -> HealthResult:
    records = [found for text in lookup.txt(name) if "p" in (found := parse_tags(text))]
    shown = f"DKIM {name}"
    if not records:
        finding = "has no key, so signatures that name it fail"
        mend = "publish the TXT record that your mail service shows you, or correct [delivery] dkim_selectors"
        return domain_result(shown, "trouble", finding, mend)
    if len(records) > 1:
        return domain_result(shown, "trouble", f"has {len(records)} keys, and which one counts is chance", "leave one")
    found = records[0]
    if found.get("v", "DKIM1") != "DKIM1":
        return domain_result(shown, "trouble", f"is of version {found['v']!r}", "write v=DKIM1")
    if not found["p"]:
        return domain_result(shown, "trouble", "is withdrawn (p is empty)", "publish the key that is signed with now")
    return _strength(shown, found)


def _strength(shown: str, found: dict[str, str]) -> HealthResult:
    kind = found.get("k", "rsa")
    try:
        key = b64decode("".join(found["p"].split()), validate=True)
    except NotBase64:
        mend = "publish it again as your mail service shows it, in one piece"
        return domain_result(shown, "trouble", "holds a key that is not whole", mend)
    bits = (len(key) - _KEY_OVERHEAD_BYTES) * 8
    if kind == "rsa" and bits < 900:
        return domain_result(shown, "trouble", "holds a key that is too short to count", "make one of 2048 bits")
    if kind == "rsa" and bits < 1900:
        return domain_result(shown, "warning", "holds a short key", "let your mail service make one of 2048 bits")
    if "y" in found.get("t", "").split(":"):
        mend = "take t=y out once signatures are right"
        return domain_result(shown, "warning", "is marked as a trial (t=y), so it counts for little", mend)
    return domain_result(shown, "well", f"holds a key ({kind})")


_POLICIES = {"none": "only watches", "quarantine": "sends forgeries to spam", "reject": "refuses forgeries"}
_EXAMPLE = 'publish a TXT record such as "v=DMARC1; p=none; rua=mailto:dmarc@{domain}" at _dmarc.{domain}'


def check_dmarc(domain: str, lookup: DnsLookup) -> Iterator[HealthResult]:
    """Look at the policy of a domain, or of the one above it that has one."""
    for name in _upwards(domain):
        records = [text for text in lookup.txt(f"_dmarc.{name}") if parse_tags(text).get("v", "") == "DMARC1"]
        if records:
            yield _policy(domain, name, records)
            return
    finding = "has no policy, which the large mailboxes ask of senders of newsletters"
    yield domain_result(f"DMARC of {domain}", "trouble", finding, _EXAMPLE.format(domain=domain))


def _policy(domain: str, name: str, records: list[str]) -> HealthResult:
    shown = f"DMARC of {name}"
    if len(records) > 1:
        return domain_result(shown, "trouble", f"has {len(records)} policies, so none counts", "leave one")
    found = parse_tags(records[0])
    policy = found.get("sp", found.get("p", "")) if name != domain else found.get("p", "")
    if policy.lower() not in _POLICIES:
        said = f"p={policy}" if policy else "no p"
        return domain_result(shown, "trouble", f"says {said}, which is no policy", "write p=none, quarantine or reject")
    strict = [what for what, tag in (("DKIM", "adkim"), ("SPF", "aspf")) if found.get(tag, "r").lower() == "s"]
    aligned = f"; {' and '.join(strict)} must be of {domain} itself (strict alignment)" if strict else ""
    finding = f"{_POLICIES[policy.lower()]} (p={policy.lower()}){aligned}"
    if "rua" not in found:
        mend = "add rua=mailto:…, to be told who sends in your name"
        return domain_result(shown, "warning", f"{finding}, and reports to nobody", mend)
    return domain_result(shown, "well", finding)


def _upwards(domain: str) -> Iterator[str]:
    """Give a domain and those above it that may speak for it, down to two labels.

    >>> list(_upwards("letters.news.example.org"))
    ['letters.news.example.org', 'news.example.org', 'example.org']
    """
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        yield ".".join(labels[start:])


def check_mx(domain: str, lookup: DnsLookup) -> Iterator[HealthResult]:
    """Look where mail to the sender's domain goes."""
    hosts = lookup.mx(domain)
    name = f"MX of {domain}"
    if hosts == (".",):
        finding = "says that the domain takes no mail, so many mailboxes refuse mail from it"
        yield domain_result(
            name, "trouble", finding, "send from a domain that can be answered, or give it an MX record"
        )
    elif not hosts and lookup.addresses(domain):
        finding = "has no record, so mail goes to the web server's own address"
        yield domain_result(name, "warning", finding, "publish an MX record that names the host that takes your mail")
    elif not hosts:
        finding = "has no record and the domain no address: nobody can answer, and bounces are lost"
        yield domain_result(name, "trouble", finding, "publish an MX record that names the host that takes your mail")
    elif silent := [host for host in hosts if not lookup.addresses(host)]:
        finding = f"names {', '.join(silent)}, which has no address"
        level: HealthLevel = "trouble" if len(silent) == len(hosts) else "warning"
        yield domain_result(name, level, finding, "correct the MX record, or give that host an address")
    else:
        yield domain_result(name, "well", f"leads to {', '.join(hosts)}")


def check_domain(name: str, lookup: DnsLookup, *, smtp_host: str, selectors: Sequence[str]) -> Iterator[HealthResult]:
    """Look at SPF, DKIM, DMARC and MX of the sender's domain."""
    try:
        if not lookup.exists(name):
            yield _unknown(name, lookup)
            return
        yield from check_spf(name, lookup, smtp_host)
        yield from check_dkim(name, lookup, selectors)
        yield from check_dmarc(name, lookup)
        yield from check_mx(name, lookup)
    except DNSUnavailableError as silent:
        yield health_result_of(str(silent), category="domain", name=name, level="warning")


def _unknown(name: str, lookup: DnsLookup) -> HealthResult:
    top = name.rpartition(".")[2]
    if not lookup.exists(top):
        mend = "look again from a machine that can ask the internet's name servers"
        return domain_result(name, "warning", f"cannot be looked at: nobody who was asked knows .{top} at all", mend)
    mend = "correct [publication] sender, or register that domain"
    return domain_result(name, "trouble", "is not in the domain name system, so mail from it is refused", mend)
