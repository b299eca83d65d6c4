"""DNS lookups with dnspython, which is imported at the first one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from pipeline.model.errors import DNSUnavailableError

if TYPE_CHECKING:
    from dns.rdata import Rdata
    from dns.rdtypes.ANY.MX import MX
    from dns.rdtypes.ANY.TXT import TXT
    from dns.resolver import Resolver as Client


class Resolver:
    """A DNS client; each lookup raises DNSUnavailableError if no name server answers within the timeout.

    Without ``nameservers`` those of the system are used.
    """

    def __init__(self, *, nameservers: Sequence[str] = (), port: int = 53, timeout_seconds: float = 4.0) -> None:
        self._nameservers, self._port, self._timeout_seconds = list(nameservers), port, timeout_seconds
        self._client: Client | None = None

    def exists(self, name: str) -> bool:
        """Return whether a name exists, whatever its records are."""
        return self._resolve(name, "SOA") is not None

    def txt(self, name: str) -> tuple[str, ...]:
        """Return the TXT records of a name, the strings of each joined (RFC 7208, 3.3)."""
        records = cast("list[TXT]", self._resolve(name, "TXT") or [])
        return tuple(b"".join(record.strings).decode("utf-8", "replace") for record in records)

    def mx(self, name: str) -> tuple[str, ...]:
        """Return the hosts of a name's MX records, the preferred first; ``.`` accepts no messages (RFC 7505)."""
        records = cast("list[MX]", self._resolve(name, "MX") or [])
        ordered = sorted(records, key=lambda record: record.preference)
        return tuple(record.exchange.to_text().lower().rstrip(".") or "." for record in ordered)

    def addresses(self, name: str) -> tuple[str, ...]:
        """Return the IPv4 and IPv6 addresses of a host."""
        return tuple(record.to_text() for kind in ("A", "AAAA") for record in self._resolve(name, kind) or [])

    def _resolve(self, name: str, kind: str) -> list[Rdata] | None:
        """Return a name's records of one kind; None if there is no such name."""
        import dns.exception
        import dns.name
        import dns.resolver

        if self._client is None:
            self._client = dns.resolver.Resolver(configure=not self._nameservers)
            if self._nameservers:
                self._client.nameservers, self._client.port = list(self._nameservers), self._port
            self._client.lifetime = self._timeout_seconds
        try:
            return list(self._client.resolve(name, kind, search=False))
        except dns.resolver.NoAnswer:
            return []
        except (dns.resolver.NXDOMAIN, dns.name.LabelTooLong, dns.name.EmptyLabel):
            return None
        except (dns.exception.DNSException, OSError) as error:
            raise DNSUnavailableError(
                f"no name server answered for {name}: check the network, or try again later"
            ) from error
