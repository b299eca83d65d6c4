"""The repository of alerts and of their deliveries by channel.

There is one open alert of a key. A delivery is claimed before it is sent, so that of two processes one sends it; a
claim whose process died expires, and a delivery that was sent is never sent again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, RowMapping, select, update

from pipeline.model.alert import Alert, AlertDelivery
from pipeline.store.database import Database
from pipeline.store.dialects import insert
from pipeline.store.rows import storable
from pipeline.store.schema import alert, alert_delivery, is_open, is_pending

_ALERT = tuple(alert.c[name] for name in ("key", "subject", "text", "raised_at", "level"))
MAX_RETRY_DELAY = timedelta(days=3)
"""A delivery due later than this was postponed by a wrong clock, and is due now."""
# Each names a span of its index, though it wants all of it: otherwise SQLite reads every row there ever was. For the
# same reason they are sorted afterwards.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OPEN = select(alert.c.alert_id, *_ALERT).where(is_open, alert.c.key >= "")
_PENDING = (
    select(*(alert_delivery.c[name] for name in ("alert_id", "channel", "attempts", "error", "due_at")), *_ALERT)
    .join_from(alert_delivery, alert)
    .where(is_pending, alert_delivery.c.due_at > _EPOCH)
)


@dataclass(frozen=True, slots=True)
class AlertRepository:
    """Alerts by key, and their pending deliveries."""

    database: Database

    def list_open(self) -> list[Alert]:
        """Return the open alerts, the oldest first."""
        with self.database.read() as connection:
            rows = connection.execute(_OPEN).mappings().all()
        return [_alert(row) for row in sorted(rows, key=lambda row: row["alert_id"])]

    def add(self, new: Alert, channels: Iterable[str]) -> bool:
        """Open an alert and a delivery for each channel; return False if one of its key is open already."""
        with self.database.write() as connection:
            alert_id = _insert(connection, new, closed_at=None)
            if alert_id is None:
                return False
            _insert_deliveries(connection, alert_id, channels, new.raised_at)
            return True

    def close(self, key: str, *, at: datetime, resolution: Alert | None = None, channels: Iterable[str] = ()) -> bool:
        """Close an alert; return False if none of this key is open, or another process has closed it.

        The ``resolution`` is an alert that is delivered once and never open itself.
        """
        statement = update(alert).where(is_open, alert.c.key == key).values(closed_at=at).returning(alert.c.alert_id)
        with self.database.write() as connection:
            if connection.execute(statement).first() is None:
                return False
            if resolution and (alert_id := _insert(connection, resolution, closed_at=at)):
                _insert_deliveries(connection, alert_id, channels, at)
            return True

    def pending(self) -> list[tuple[AlertDelivery, datetime]]:
        """Return the deliveries still to be made, the oldest first, and when each is due."""
        with self.database.read() as connection:
            rows = connection.execute(_PENDING).mappings().all()
        rows = sorted(rows, key=lambda row: (row["alert_id"], row["channel"]))
        return [
            (
                AlertDelivery(
                    alert=_alert(row), **{name: row[name] for name in ("alert_id", "channel", "attempts", "error")}
                ),
                row["due_at"],
            )
            for row in rows
        ]

    def due(self, now: datetime, channels: Collection[str]) -> list[AlertDelivery]:
        """Return the deliveries due now by one of these channels, the oldest first."""
        return [
            delivery
            for delivery, due_at in self.pending()
            if delivery.channel in channels and not now < due_at <= now + MAX_RETRY_DELAY
        ]

    def claim(self, delivery: AlertDelivery, *, until: datetime) -> bool:
        """Claim a delivery; return False if another process has. Unless marked, it is due again at ``until``."""
        return self._update(delivery, delivery.attempts, {"attempts": delivery.attempts + 1, "due_at": until})

    def mark_sent(self, delivery: AlertDelivery, *, at: datetime) -> bool:
        """Record that a claimed delivery was sent; return False if the claim had expired."""
        return self._update(delivery, delivery.attempts + 1, {"due_at": None, "sent_at": at, "error": ""})

    def mark_failed(self, delivery: AlertDelivery, error: str, *, retry_at: datetime) -> bool:
        """Record why a claimed delivery failed, and when it is due again; return False if the claim had expired."""
        return self._update(delivery, delivery.attempts + 1, {"due_at": retry_at, "error": error})

    def _update(self, delivery: AlertDelivery, attempts: int, values: dict[str, object]) -> bool:
        """Write a delivery that is pending after this number of attempts; return whether there was one."""
        statement = update(alert_delivery).where(
            alert_delivery.c.alert_id == delivery.alert_id,
            alert_delivery.c.channel == delivery.channel,
            alert_delivery.c.attempts == attempts,
            is_pending,
        )
        with self.database.write() as connection:
            rows = connection.execute(statement.values(values).returning(alert_delivery.c.alert_id))
            return rows.first() is not None


def _insert(connection: Connection, new: Alert, *, closed_at: datetime | None) -> int | None:
    """Insert an alert; return its id, or None if one of its key is open."""
    values = {"key": new.key, "subject": storable(new.subject), "text": storable(new.text), "level": new.level}
    statement = insert(connection.dialect.name, alert).values(**values, raised_at=new.raised_at, closed_at=closed_at)
    row = connection.execute(statement.on_conflict_do_nothing().returning(alert.c.alert_id)).first()
    return row.alert_id if row else None


def _insert_deliveries(connection: Connection, alert_id: int, channels: Iterable[str], due_at: datetime) -> None:
    pending = {"alert_id": alert_id, "attempts": 0, "due_at": due_at, "error": ""}
    if rows := [{**pending, "channel": channel} for channel in channels]:
        connection.execute(alert_delivery.insert(), rows)


def _alert(row: RowMapping) -> Alert:
    return Alert(**{column.name: row[column.name] for column in _ALERT})
