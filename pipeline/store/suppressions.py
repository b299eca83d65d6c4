"""The repository of suppressed addresses, of which only an HMAC is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, select

from pipeline.model.subscriber import Suppression, SuppressionReason
from pipeline.store.database import Database
from pipeline.store.dialects import upsert_all
from pipeline.store.rows import storable
from pipeline.store.schema import suppression

_FIND = select(suppression.c.reason).where(suppression.c.address_hash == bindparam("wanted"))


@dataclass(frozen=True, slots=True)
class SuppressionRepository:
    """Suppressed addresses by their HMAC (hexadecimal)."""

    database: Database

    def find(self, address_hash: str) -> SuppressionReason | None:
        """Return why an address is suppressed, or None."""
        with self.database.read() as connection:
            return connection.scalar(_FIND, {"wanted": address_hash})

    def get(self, address_hash: str) -> Suppression | None:
        """Return the suppression of an address, or None."""
        columns = (suppression.c.reason, suppression.c.actor, suppression.c.suppressed_at)
        with self.database.read() as connection:
            row = connection.execute(select(*columns).where(suppression.c.address_hash == address_hash)).first()
        return Suppression(reason=row.reason, actor=row.actor, suppressed_at=row.suppressed_at) if row else None

    def find_all(self, address_hashes: Sequence[str]) -> dict[str, SuppressionReason]:
        """Return those of the addresses that are suppressed, and why."""
        columns = (suppression.c.address_hash, suppression.c.reason)
        with self.database.read() as connection:
            query = select(*columns).where(suppression.c.address_hash.in_(address_hashes))
            return {row[0]: row[1] for row in connection.execute(query)}

    def add(self, address_hash: str, reason: SuppressionReason, *, actor: str, now: datetime) -> None:
        """Suppress an address; a newer reason replaces an older one."""
        self.add_all({address_hash: Suppression(reason=reason, actor=actor, suppressed_at=now)})

    def add_all(self, suppressions: Mapping[str, Suppression]) -> None:
        """Suppress addresses; newer reasons replace older ones."""
        rows = [
            {"address_hash": address_hash, **asdict(record), "actor": storable(record.actor)}
            for address_hash, record in suppressions.items()
        ]
        with self.database.write(counted=False) as connection:
            if rows:
                upsert_all(connection, suppression, rows)

    def since(self, instant: datetime | None) -> dict[str, Suppression]:
        """Return the suppressions of an instant or later by address hash; all of them if None."""
        query = select(suppression)
        if instant is not None:
            query = query.where(suppression.c.suppressed_at >= instant)
        with self.database.read() as connection:
            return {
                row.address_hash: Suppression(reason=row.reason, actor=row.actor, suppressed_at=row.suppressed_at)
                for row in connection.execute(query)
            }

    def lift(self, address_hash: str) -> None:
        """Suppress an address no longer."""
        with self.database.write(counted=False) as connection:
            connection.execute(delete(suppression).where(suppression.c.address_hash == address_hash))
