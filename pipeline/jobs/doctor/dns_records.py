"""Records of the domain name system that are lists of tags: DKIM's and DMARC's (RFC 6376, 3.2; RFC 7489, 6.3).

In: what a record says. Out: tags by name. Pure, but for the Lookup that others give.
"""

from __future__ import annotations

from typing import Protocol

from pipeline.model.health import HealthLevel, HealthResult


class DnsLookup(Protocol):
    """What these checks need of ``delivery.resolver.Resolver``; each may raise NoResolver."""

    def exists(self, name: str) -> bool:
        """Tell whether there is such a name at all."""
        ...

    def txt(self, name: str) -> tuple[str, ...]:
        """Give a name's TXT records."""
        ...

    def mx(self, name: str) -> tuple[str, ...]:
        """Give the hosts of a name's MX records, the preferred first."""
        ...

    def addresses(self, name: str) -> tuple[str, ...]:
        """Give a host's addresses."""
        ...


def parse_tags(record: str) -> dict[str, str]:
    """Read ``name=value`` pairs parted by semicolons, blanks around them left out; what is none is left out.

    >>> tags("v=DMARC1; p = none;; rua=mailto:dmarc@example.org")
    {'v': 'DMARC1', 'p': 'none', 'rua': 'mailto:dmarc@example.org'}
    """
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip() for name, equals, value in pairs if equals and name.strip()}


def domain_result(name: str, level: HealthLevel, finding: str, mend: str = "") -> HealthResult:
    """Make a sign of the group ``domain``."""
    return HealthResult(category="domain", name=name, level=level, message=finding, fix=mend)
