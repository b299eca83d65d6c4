"""MX: whether answers and bounces can reach the sender (RFC 5321, 5.1; RFC 7505).

In: a domain, a Lookup. Out: Signs.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.jobs.doctor.records import Lookup, domain_sign
from pipeline.model.health import Sign, SignLevel


def mx(domain: str, lookup: Lookup) -> Iterator[Sign]:
    """Look where mail to the sender's domain goes."""
    hosts = lookup.mail_hosts(domain)
    name = f"MX of {domain}"
    if hosts == (".",):
        finding = "says that the domain takes no mail, so many mailboxes refuse mail from it"
        yield domain_sign(name, "trouble", finding, "send from a domain that can be answered, or give it an MX record")
    elif not hosts and lookup.addresses(domain):
        finding = "has no record, so mail goes to the web server's own address"
        yield domain_sign(name, "warning", finding, "publish an MX record that names the host that takes your mail")
    elif not hosts:
        finding = "has no record and the domain no address: nobody can answer, and bounces are lost"
        yield domain_sign(name, "trouble", finding, "publish an MX record that names the host that takes your mail")
    elif silent := [host for host in hosts if not lookup.addresses(host)]:
        finding = f"names {', '.join(silent)}, which has no address"
        level: SignLevel = "trouble" if len(silent) == len(hosts) else "warning"
        yield domain_sign(name, level, finding, "correct the MX record, or give that host an address")
    else:
        yield domain_sign(name, "well", f"leads to {', '.join(hosts)}")
