"""What the domain name system says: the only door to dnspython, which is imported when something is asked.

In: names. Out: what their records say, as text. Touches the network: name servers, the system's when none are given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from pipeline.model.errors import DNSUnavailableError

if TYPE_CHECKING:
    from dns.rdata import Rdata
    from dns.rdtypes.ANY.MX import MX
    from dns.rdtypes.ANY.TXT import TXT
    from dns.resolver import Resolver as Dns


class Resolver:
    """Asks name servers, for ``seconds`` at most each time. NoResolver when none of them answers."""

    def __init__(self, *, nameservers: Sequence[str] = (), port: int = 53, timeout_seconds: float = 4.0) -> None:
        self._nameservers, self._port, self._seconds = list(nameservers), port, timeout_seconds
        self._dns: Dns | None = None

    def exists(self, name: str) -> bool:
        """Tell whether there is such a name at all, whatever its records are."""
        return self._resolved(name, "SOA") is not None

    def txt(self, name: str) -> tuple[str, ...]:
        """Give a name's TXT records, the strings of each joined (RFC 7208, 3.3); none when there are none."""
        records = cast("list[TXT]", self._ask(name, "TXT"))
        return tuple(b"".join(record.strings).decode("utf-8", "replace") for record in records)

    def mx(self, name: str) -> tuple[str, ...]:
        """Give the hosts of a name's MX records, the preferred first; ``.`` is one that takes no mail (RFC 7505)."""
        records = cast("list[MX]", self._ask(name, "MX"))
        ordered = sorted(records, key=lambda record: record.preference)
        return tuple(record.exchange.to_text().lower().rstrip(".") or "." for record in ordered)

    def addresses(self, name: str) -> tuple[str, ...]:
        """Give a host's addresses, IPv4 and IPv6."""
        return tuple(record.to_text() for kind in ("A", "AAAA") for record in self._ask(name, kind))

    def _ask(self, name: str, kind: str) -> list[Rdata]:
        return self._resolved(name, kind) or []

    def _resolved(self, name: str, kind: str) -> list[Rdata] | None:
        """Ask for a name's records of one kind; None when there is no such name."""
        import dns.exception
        import dns.name
        import dns.resolver

        try:
            return list(self._opened().resolve(name, kind, search=False))
        except dns.resolver.NoAnswer:
            return []
        except (dns.resolver.NXDOMAIN, dns.name.LabelTooLong, dns.name.EmptyLabel):
            return None
        except (dns.exception.DNSException, OSError) as silent:
            raise DNSUnavailableError(
                f"no name server answered for {name}: look at the network, or try again later"
            ) from silent

    def _opened(self) -> Dns:
        import dns.resolver

        if self._dns is None:
            self._dns = dns.resolver.Resolver(configure=not self._nameservers)
            if self._nameservers:
                self._dns.nameservers, self._dns.port = list(self._nameservers), self._port
            self._dns.lifetime = self._seconds
        return self._dns
