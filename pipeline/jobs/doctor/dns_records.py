"""DNS lookups, tag lists and results, shared by the checks of the sender's domain."""

from __future__ import annotations

from typing import Protocol

from pipeline.model.health import HealthLevel, HealthResult


class DnsLookup(Protocol):
    """DNS queries. ``delivery.dns.Resolver`` implements them; each may raise DNSUnavailableError."""

    def exists(self, name: str) -> bool:
        """Check whether a name exists."""
        ...

    def txt(self, name: str) -> tuple[str, ...]:
        """Return a name's TXT records."""
        ...

    def mx(self, name: str) -> tuple[str, ...]:
        """Return the hosts of a name's MX records, the preferred first."""
        ...

    def addresses(self, name: str) -> tuple[str, ...]:
        """Return a host's addresses."""
        ...


def parse_tags(record: str) -> dict[str, str]:
    """Return the ``name=value`` pairs of a DKIM or DMARC record (RFC 6376, 3.2; RFC 7489, 6.3); skip anything else.

    >>> parse_tags("v=DMARC1; p = none;; rua=mailto:dmarc@example.org")
    {'v': 'DMARC1', 'p': 'none', 'rua': 'mailto:dmarc@example.org'}
    """
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip() for name, equals, value in pairs if equals and name.strip()}


def domain_result(name: str, level: HealthLevel, message: str, fix: str = "") -> HealthResult:
    """Return a result of the category ``domain``."""
    return HealthResult(category="domain", name=name, level=level, message=message, fix=fix)
