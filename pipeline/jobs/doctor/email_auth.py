"""Doctor checks of the sender's domain: DKIM, DMARC, MX, and SPF from its own module."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Sequence

from pipeline.jobs.doctor.spf import check_spf, domain_result
from pipeline.jobs.ports import DnsLookup
from pipeline.model.errors import DNSUnavailableError
from pipeline.model.health import HealthLevel, HealthResult

_KEY_OVERHEAD_BYTES = 38
"""The size of an RSA SubjectPublicKeyInfo without its modulus, precise enough to distinguish 1024 bits from 2048."""
_POLICIES = {"none": "only monitors", "quarantine": "sends forgeries to spam", "reject": "rejects forgeries"}
_EXAMPLE = 'publish a TXT record such as "v=DMARC1; p=none; rua=mailto:dmarc@{domain}" at _dmarc.{domain}'


def check_domain(
    name: str, lookup: DnsLookup, *, smtp_host: str, selectors: Sequence[str] | None, envelope_domain: str = ""
) -> Iterator[HealthResult]:
    """Check SPF, DKIM, DMARC and MX of the sender's domain; one warning if no name server answers.

    ``selectors`` are those of a mail service; None if it adds no signatures. ``envelope_domain`` is that of the
    envelope sender, which SPF is about, if it is another one.
    """
    try:
        if not lookup.exists(name):
            yield _unknown_domain(name, lookup)
            return
        yield from check_spf(envelope_domain or name, lookup, smtp_host)
        if selectors is not None:
            yield from check_dkim(name, lookup, selectors)
        yield from check_dmarc(name, lookup)
        yield from check_mx(name, lookup)
    except DNSUnavailableError as error:
        yield domain_result(name, "warning", f"could not be checked: {str(error).rstrip('.')}")


def _unknown_domain(name: str, lookup: DnsLookup) -> HealthResult:
    top = name.rpartition(".")[2]
    if not lookup.exists(top):
        fix = "try again from a machine that can query the internet's name servers"
        return domain_result(name, "warning", f"could not be checked: no name server knows .{top}", fix)
    fix = "correct [publication] sender, or register that domain"
    return domain_result(name, "error", "is not in the domain name system, so mail from it is refused", fix)


def check_dkim(domain: str, lookup: DnsLookup, selectors: Sequence[str]) -> Iterator[HealthResult]:
    """Check the key of each selector (RFC 6376, RFC 8301)."""
    if not selectors:
        fix = "write the selectors that your mail service signs with into [delivery] dkim_selectors"
        yield domain_result(f"DKIM of {domain}", "warning", "could not be checked, since no selector is known", fix)
    for selector in selectors:
        yield check_key(f"{selector}._domainkey.{domain}", lookup)


def check_key(name: str, lookup: DnsLookup, record: str = "") -> HealthResult:
    """Check the key that is published at a name; ``record`` is the one that should be, if that is known."""
    keys = [tags for record in lookup.txt(name) if "p" in (tags := parse_tags(record))]
    title = f"DKIM {name}"
    if not keys:
        fix = "publish the TXT record that your mail service shows, or correct [delivery] dkim_selectors"
        fix = f"publish this TXT record there: {record}" if record else fix
        return domain_result(title, "error", "has no key, so signatures that refer to it fail", fix)
    if len(keys) > 1:
        message = f"has {len(keys)} keys, and receivers choose one at random"
        return domain_result(title, "error", message, "keep one of them")
    tags = keys[0]
    if tags.get("v", "DKIM1") != "DKIM1":
        return domain_result(title, "error", f"has version {tags['v']!r}", "write v=DKIM1")
    if not tags["p"]:
        return domain_result(title, "error", "is revoked (p is empty)", "publish the key that is in use now")
    if record and "".join(tags["p"].split()) != parse_tags(record)["p"]:
        fix = f"publish this TXT record there: {record}"
        return domain_result(title, "error", "is not the key that signs, so every signature fails", fix)
    return _check_strength(title, tags)


def _check_strength(title: str, tags: dict[str, str]) -> HealthResult:
    algorithm = tags.get("k", "rsa")
    try:
        key = b64decode("".join(tags["p"].split()), validate=True)
    except Base64Error:
        fix = "publish it again exactly as your mail service shows it"
        return domain_result(title, "error", "contains an incomplete key", fix)
    bits = (len(key) - _KEY_OVERHEAD_BYTES) * 8
    if algorithm == "rsa" and bits < 900:
        return domain_result(title, "error", "contains a key that is too short to count", "create one of 2048 bits")
    if algorithm == "rsa" and bits < 1900:
        return domain_result(title, "warning", "contains a short key", "let your mail service create one of 2048 bits")
    if "y" in tags.get("t", "").split(":"):
        fix = "remove t=y once signatures are correct"
        return domain_result(title, "warning", "is in test mode (t=y), so it counts for little", fix)
    return domain_result(title, "ok", f"contains a key ({algorithm})")


def check_dmarc(domain: str, lookup: DnsLookup) -> Iterator[HealthResult]:
    """Check the policy of a domain, or of the nearest parent domain that has one (RFC 7489)."""
    for name in parent_domains(domain):
        records = [record for record in lookup.txt(f"_dmarc.{name}") if parse_tags(record).get("v", "") == "DMARC1"]
        if records:
            yield _check_policy(domain, name, records)
            return
    message = "has no policy, which large mailbox providers require of newsletters"
    yield domain_result(f"DMARC of {domain}", "error", message, _EXAMPLE.format(domain=domain))


def find_policy(domain: str, lookup: DnsLookup) -> dict[str, str]:
    """Return the tags of the DMARC policy of a domain, or of its nearest parent that has one; empty without one."""
    for name in parent_domains(domain):
        for record in lookup.txt(f"_dmarc.{name}"):
            if (tags := parse_tags(record)).get("v", "") == "DMARC1":
                return tags
    return {}


def check_spf_alignment(
    domain: str, envelope_domain: str, lookup: DnsLookup, *, signing_domain: str = ""
) -> Iterator[HealthResult]:
    """Check that SPF counts for DMARC: the envelope sender must be of the sender's domain or a related one.

    If it is not, a signature of ``signing_domain`` may still count (RFC 7489, 3.1); it is empty without signatures.
    """
    title = f"SPF alignment of {domain}"
    try:
        if is_aligned(domain, envelope_domain, lookup, "aspf"):
            yield domain_result(title, "ok", f"bounces go to {envelope_domain}, so SPF counts for DMARC")
            return
        is_signed = bool(signing_domain) and is_aligned(domain, signing_domain, lookup, "adkim")
    except DNSUnavailableError:
        return
    message = f"bounces go to {envelope_domain}, so SPF does not count for DMARC"
    fix = f"set [bounces] address to one at {domain} or, if its policy is not strict, at a domain below it"
    if is_signed:
        yield domain_result(title, "warning", f"{message}: the DKIM signature alone carries it", fix)
    else:
        message += ", and no DKIM signature of the sender’s domain is known: mail may count as forged"
        yield domain_result(title, "error", message, f"{fix}; or sign with a key of {domain}")


def is_aligned(domain: str, other: str, lookup: DnsLookup, tag: str) -> bool:
    """Check whether what is proved for another domain counts for a sender's domain (RFC 7489, 3.1).

    ``tag`` is that of the policy which says how strictly: ``aspf`` or ``adkim``. Two domains are related if one is
    below the other, or both below one that has a policy.
    """
    domain, other = domain.lower(), other.lower()
    if domain == other or find_policy(domain, lookup).get(tag, "r").lower() == "s":
        return domain == other
    if domain.endswith(f".{other}") or other.endswith(f".{domain}"):
        return True
    common = (name for name in parent_domains(domain) if "." in name and other.endswith(f".{name}"))
    return any(
        parse_tags(record).get("v", "") == "DMARC1" for name in common for record in lookup.txt(f"_dmarc.{name}")
    )


def _check_policy(domain: str, name: str, records: list[str]) -> HealthResult:
    title = f"DMARC of {name}"
    if len(records) > 1:
        return domain_result(title, "error", f"has {len(records)} policies, so none counts", "keep one of them")
    tags = parse_tags(records[0])
    policy = tags.get("sp", tags.get("p", "")) if name != domain else tags.get("p", "")
    if policy.lower() not in _POLICIES:
        message = f"has p={policy}, which is not a policy" if policy else "has no p"
        return domain_result(title, "error", message, "write p=none, quarantine or reject")
    strict = [method for method, tag in (("DKIM", "adkim"), ("SPF", "aspf")) if tags.get(tag, "r").lower() == "s"]
    alignment = f"; {' and '.join(strict)} must be of {domain} itself (strict alignment)" if strict else ""
    message = f"{_POLICIES[policy.lower()]} (p={policy.lower()}){alignment}"
    if "rua" not in tags:
        fix = "add rua=mailto:… to get reports about who sends in your name"
        return domain_result(title, "warning", f"{message}, and sends no reports", fix)
    return domain_result(title, "ok", message)


def parse_tags(record: str) -> dict[str, str]:
    """Return the ``name=value`` pairs of a DKIM or DMARC record (RFC 6376, 3.2; RFC 7489, 6.3); skip anything else.

    >>> parse_tags("v=DMARC1; p = none;; rua=mailto:dmarc@example.org")
    {'v': 'DMARC1', 'p': 'none', 'rua': 'mailto:dmarc@example.org'}
    """
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip() for name, equals, value in pairs if equals and name.strip()}


def parent_domains(domain: str) -> Iterator[str]:
    """Yield a domain and its parents, down to two labels.

    >>> list(parent_domains("letters.news.example.org"))
    ['letters.news.example.org', 'news.example.org', 'example.org']
    """
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        yield ".".join(labels[start:])


def check_mx(domain: str, lookup: DnsLookup) -> Iterator[HealthResult]:
    """Check that replies and bounces reach the sender (RFC 5321, 5.1; RFC 7505)."""
    hosts = lookup.mx(domain)
    title = f"MX of {domain}"
    fix = "publish an MX record that names the host that receives your mail"
    if hosts == (".",):
        message = "says that the domain receives no mail, so many mailbox providers refuse mail from it"
        yield domain_result(title, "error", message, "send from a domain that receives mail, or publish an MX record")
    elif not hosts and lookup.addresses(domain):
        yield domain_result(title, "warning", "has no record, so mail goes to the address of the web server", fix)
    elif not hosts:
        message = "has no record, and the domain has no address: nobody can reply, and bounces are lost"
        yield domain_result(title, "error", message, fix)
    elif missing := [host for host in hosts if not lookup.addresses(host)]:
        level: HealthLevel = "error" if len(missing) == len(hosts) else "warning"
        message = f"names {', '.join(missing)}, which has no address"
        yield domain_result(title, level, message, "correct the MX record, or give that host an address")
    else:
        yield domain_result(title, "ok", f"leads to {', '.join(hosts)}")
