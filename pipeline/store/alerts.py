"""Notices: what is the matter now, and who is still to be told of it.

In: ways to read and to write, frozen records. Out: the same. Every method is one transaction. Of one thing there is one
open notice, and whoever wants to tell it in some way claims that first: of two processes one does. A process that dies
while telling leaves its claim to run out, so nothing is lost; what was told is never told again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from operator import itemgetter

from sqlalchemy import Connection, RowMapping, select, update

from pipeline.model.alert import Alert, AlertDelivery
from pipeline.store.dialects import insert
from pipeline.store.errors import Transaction
from pipeline.store.rows import storable
from pipeline.store.schema import alert, alert_delivery, is_open, is_pending

_NOTICE = (alert.c.key, alert.c.subject, alert.c.text, alert.c.raised_at, alert.c.level)
MAX_RETRY_DELAY = timedelta(days=3)
"""What is due later than this was put off by a clock that ran ahead."""
# Each asks for a span of its index, though it wants all of it: otherwise SQLite looks through all rows there ever were.
# For the same reason they are sorted later.
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_OPEN = select(alert.c.alert_id, *_NOTICE).where(is_open, alert.c.key >= "")
_TO_BE_TOLD = (
    select(*(alert_delivery.c[name] for name in ("alert_id", "channel", "attempts", "error", "due_at")), *_NOTICE)
    .join_from(alert_delivery, alert)
    .where(is_pending, alert_delivery.c.due_at > _LONG_AGO)
)


class AlertRepository:
    """The notices of a store; made by it."""

    def __init__(self, reading: Transaction, writing: Transaction) -> None:
        self._reading = reading
        self._writing = writing

    def list_open(self) -> list[Alert]:
        """Give what is the matter now, the oldest first."""
        with self._reading() as connection:
            rows = connection.execute(_OPEN).mappings()
            return [_notice(row) for row in sorted(rows, key=itemgetter("alert_id"))]

    def add(self, raised: Alert, channels: Iterable[str]) -> bool:
        """Open a notice that is to be told in these ways; False, and nothing written, while it is open already."""
        with self._writing() as connection:
            notice_id = _insert(connection, raised, closed_at=None)
            if notice_id is None:
                return False
            _to_tell(connection, notice_id, channels, raised.raised_at)
            return True

    def close(self, key: str, *, at: datetime, resolution: Alert | None = None, channels: Iterable[str] = ()) -> bool:
        """Close what is no longer the matter; False when it was not open, or another process was quicker.

        The ``farewell`` is told once, because of that, and is never open itself.
        """
        with self._writing() as connection:
            there = is_open & (alert.c.key == key)
            closed = update(alert).where(there).values(closed_at=at).returning(alert.c.alert_id)
            if connection.execute(closed).first() is None:
                return False
            if resolution and (notice_id := _insert(connection, resolution, closed_at=at)):
                _to_tell(connection, notice_id, channels, at)
            return True

    def pending(self) -> list[tuple[AlertDelivery, datetime]]:
        """Give all that is still to be told, the oldest first, and when it is due."""
        with self._reading() as connection:
            rows = sorted(connection.execute(_TO_BE_TOLD).mappings(), key=itemgetter("alert_id", "channel"))
            return [(_telling(row), row["due_at"]) for row in rows]

    def due(self, now: datetime, channels: Collection[str]) -> list[AlertDelivery]:
        """Give what is to be told in these ways now, the oldest first."""
        return [
            each
            for each, due_at in self.pending()
            if each.channel in channels and not now < due_at <= now + MAX_RETRY_DELAY
        ]

    def claim(self, delivery: AlertDelivery, *, until: datetime) -> bool:
        """Take on to tell a notice; False when another process does. Without an answer it is due again at ``until``."""
        taken = {"attempts": delivery.attempts + 1, "due_at": until}
        return self._settle(delivery, delivery.attempts, taken)

    def mark_sent(self, delivery: AlertDelivery, *, at: datetime) -> bool:
        """Remember that a claimed notice was told; False when the claim had run out."""
        return self._settle(delivery, delivery.attempts + 1, {"due_at": None, "sent_at": at, "error": ""})

    def mark_failed(self, delivery: AlertDelivery, error: str, *, retry_at: datetime) -> bool:
        """Remember why a claimed notice could not be told, and when to try again."""
        return self._settle(delivery, delivery.attempts + 1, {"due_at": retry_at, "error": error})

    def _settle(self, one: AlertDelivery, attempts: int, values: dict[str, object]) -> bool:
        there = (alert_delivery.c.alert_id == one.alert_id) & (alert_delivery.c.channel == one.channel)
        mine = there & (alert_delivery.c.attempts == attempts) & is_pending
        with self._writing() as connection:
            statement = update(alert_delivery).where(mine).values(values).returning(alert_delivery.c.alert_id)
            return connection.execute(statement).first() is not None


def _insert(connection: Connection, new: Alert, *, closed_at: datetime | None) -> int | None:
    """Write a notice; None when there is an open one of its key."""
    values = {"key": new.key, "subject": storable(new.subject), "text": storable(new.text), "level": new.level}
    statement = insert(connection.dialect.name, alert).values(**values, raised_at=new.raised_at, closed_at=closed_at)
    row = connection.execute(statement.on_conflict_do_nothing().returning(alert.c.alert_id)).first()
    return row.alert_id if row else None


def _to_tell(connection: Connection, notice_id: int, ways: Iterable[str], due_at: datetime) -> None:
    rows = [{"alert_id": notice_id, "channel": way, "attempts": 0, "due_at": due_at, "error": ""} for way in ways]
    if rows:
        connection.execute(alert_delivery.insert(), rows)


def _telling(row: RowMapping) -> AlertDelivery:
    facts = {name: row[name] for name in ("alert_id", "channel", "attempts", "error")}
    return AlertDelivery(alert=_notice(row), **facts)


def _notice(row: RowMapping) -> Alert:
    said = {name: row[name] for name in ("subject", "text", "level")}
    return Alert(key=row["key"], raised_at=row["raised_at"], **said)
