"""DMARC: what mailboxes shall do with mail that only says it is from us (RFC 7489).

In: a domain, a Lookup. Out: Signs.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.jobs.doctor.records import Lookup, domain_sign, tags
from pipeline.model.health import Sign

_POLICIES = {"none": "only watches", "quarantine": "sends forgeries to spam", "reject": "refuses forgeries"}
_EXAMPLE = 'publish a TXT record such as "v=DMARC1; p=none; rua=mailto:dmarc@{domain}" at _dmarc.{domain}'


def dmarc(domain: str, lookup: Lookup) -> Iterator[Sign]:
    """Look at the policy of a domain, or of the one above it that has one."""
    for name in _upwards(domain):
        records = [text for text in lookup.texts(f"_dmarc.{name}") if tags(text).get("v", "") == "DMARC1"]
        if records:
            yield _policy(domain, name, records)
            return
    finding = "has no policy, which the large mailboxes ask of senders of newsletters"
    yield domain_sign(f"DMARC of {domain}", "trouble", finding, _EXAMPLE.format(domain=domain))


def _policy(domain: str, name: str, records: list[str]) -> Sign:
    shown = f"DMARC of {name}"
    if len(records) > 1:
        return domain_sign(shown, "trouble", f"has {len(records)} policies, so none counts", "leave one")
    found = tags(records[0])
    policy = found.get("sp", found.get("p", "")) if name != domain else found.get("p", "")
    if policy.lower() not in _POLICIES:
        said = f"p={policy}" if policy else "no p"
        return domain_sign(shown, "trouble", f"says {said}, which is no policy", "write p=none, quarantine or reject")
    strict = [what for what, tag in (("DKIM", "adkim"), ("SPF", "aspf")) if found.get(tag, "r").lower() == "s"]
    aligned = f"; {' and '.join(strict)} must be of {domain} itself (strict alignment)" if strict else ""
    finding = f"{_POLICIES[policy.lower()]} (p={policy.lower()}){aligned}"
    if "rua" not in found:
        mend = "add rua=mailto:…, to be told who sends in your name"
        return domain_sign(shown, "warning", f"{finding}, and reports to nobody", mend)
    return domain_sign(shown, "well", finding)


def _upwards(domain: str) -> Iterator[str]:
    """Give a domain and those above it that may speak for it, down to two labels.

    >>> list(_upwards("letters.news.example.org"))
    ['letters.news.example.org', 'news.example.org', 'example.org']
    """
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        yield ".".join(labels[start:])
