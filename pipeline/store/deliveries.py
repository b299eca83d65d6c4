"""The repository of deliveries: a row per edition and subscriber, which one process at a time may send.

A row is claimed, recorded as ``final`` before the message is completed, and then gets its outcome. Each step names the
owner and the attempt that it belongs to: a process whose rows were taken over changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    and_,
    bindparam,
    func,
    select,
    update,
)

from pipeline.model.delivery import Delivery, DeliveryState, DispatchKey, Settlement
from pipeline.model.subscriber import Subscriber
from pipeline.store import delivery_records
from pipeline.store.database import Database
from pipeline.store.dialects import lock_deliveries
from pipeline.store.rows import storable
from pipeline.store.schema import delivery, sending_day, subscriber
from pipeline.store.subscribers import read_subscriber

if TYPE_CHECKING:
    pass

_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class DeliveryRepository:
    """Deliveries by edition."""

    database: Database

    def claim(self, key: DispatchKey, owner: str, now: datetime, *, limit: int) -> list[tuple[Delivery, Subscriber]]:
        """Claim deliveries that are due, the first due first, and return them with their subscribers."""
        due = (
            select(delivery.c.delivery_id)
            .where(of_dispatch(key), delivery.c.state == "queued", delivery.c.due_at <= now)
            .order_by(delivery.c.due_at, delivery.c.delivery_id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        with self.database.write(counted=False) as connection:
            ids = list(connection.scalars(due))
            values = {
                "state": "claimed",
                "owner": owner,
                "attempts": delivery.c.attempts + 1,
                "changed_at": now,
                "deferred_at": func.coalesce(delivery.c.deferred_at, bindparam("now", now, delivery.c.due_at.type)),
            }
            connection.execute(update(delivery).where(delivery.c.delivery_id.in_(ids)).values(values))
            columns = [column.label(f"own_{column.name}") for column in delivery.c]
            query = select(subscriber, *columns).join_from(delivery, subscriber)
            query = query.where(delivery.c.delivery_id.in_(ids)).order_by(delivery.c.due_at, delivery.c.delivery_id)
            rows = connection.execute(query).mappings().all()
        return [(_delivery(row, "own_"), read_subscriber(row)) for row in rows]

    def record(
        self,
        owner: str,
        finals: Collection[tuple[int, int]],
        settlements: Sequence[Settlement],
        now: datetime,
        *,
        day: str,
    ) -> set[int]:
        """Record deliveries as ``final``, by number and attempt, and the outcome of others, in one transaction.

        Return the numbers of those that are ``final`` now: the others are not the owner's any more. ``day`` is the
        local date that the sent ones are counted on.
        """
        with self.database.write(counted=False) as connection:
            lock_deliveries(connection)
            return delivery_records.record(connection, owner, finals, settlements, now, day=day)

    def recover(self, key: DispatchKey, now: datetime, *, uncertain: DeliveryState, reply: str) -> int:
        """Queue what a process that died had claimed, and settle what it left as ``final``; return the number of these.

        ``uncertain`` is the state of messages that may have been accepted. Call it as the owner of the lease only.
        """
        with self.database.write(counted=False) as connection:
            lock_deliveries(connection)
            claimed = update(delivery).where(of_dispatch(key), delivery.c.state == "claimed")
            connection.execute(claimed.values(state="queued", owner="", due_at=now))
            final = (
                update(delivery).where(of_dispatch(key), delivery.c.state == "final").returning(delivery.c.delivery_id)
            )
            values = {"state": uncertain, "reply": storable(reply), "changed_at": now, "due_at": now}
            return len(connection.execute(final.values(values).returning(delivery.c.delivery_id)).all())

    def settle_uncertain(
        self, week: str, state: DeliveryState, now: datetime, *, address: str = "", correction: int | None = None
    ) -> int:
        """Accept uncertain deliveries as ``sent``, or have them ``queued`` again; return how many there were.

        Those of a week, or of an ``address`` or a ``correction`` only, which is 0 for the edition itself.
        """
        statement = update(delivery).where(_chosen(week, address, correction), delivery.c.state == "uncertain")
        return self._change(statement.values(state=state, changed_at=now, due_at=now))

    def retry_failed(self, week: str, now: datetime, *, address: str = "", correction: int | None = None) -> int:
        """Queue the deliveries again that failed though they were wanted, chosen alike; return how many there were."""
        reasons = ("refused", "expired", "message")
        statement = update(delivery).where(
            _chosen(week, address, correction), delivery.c.state == "failed", delivery.c.reason.in_(reasons)
        )
        values = {"state": "queued", "reason": "", "changed_at": now, "due_at": now, "deferred_at": None}
        return self._change(statement.values(values))

    def cancel(self, key: DispatchKey, now: datetime) -> int:
        """Record deliveries whose message is not complete as cancelled; return how many there were."""
        statement = update(delivery).where(of_dispatch(key), delivery.c.state.in_(("queued", "claimed")))
        return self._change(statement.values(state="failed", reason="cancelled", changed_at=now))

    def next_due_at(self, key: DispatchKey) -> datetime | None:
        """Return when the next queued delivery is due, or None if none is queued."""
        query = select(func.min(delivery.c.due_at)).where(of_dispatch(key), delivery.c.state == "queued")
        with self.database.read() as connection:
            due_at: datetime | None = connection.scalar(query)
            return due_at

    def page(
        self, week: str, *, states: Sequence[DeliveryState] = (), after_id: int = 0, limit: int = _PAGE
    ) -> list[Delivery]:
        """Return deliveries of an edition and its corrections in the order they were queued.

        Those in one of the states if any are given, with numbers above ``after_id``.
        """
        query = select(delivery).where(delivery.c.week == week, delivery.c.delivery_id > after_id)
        if states:
            query = query.where(delivery.c.state.in_(states))
        with self.database.read() as connection:
            rows = connection.execute(query.order_by(delivery.c.delivery_id).limit(limit)).mappings().all()
        return [_delivery(row) for row in rows]

    def iterate(self, week: str, *, states: Sequence[DeliveryState] = ()) -> Iterator[Delivery]:
        """Yield what ``page`` returns, a few in memory at a time."""
        last = 0
        while True:
            page = self.page(week, states=states, after_id=last)
            yield from page
            if len(page) < _PAGE:
                return
            last = page[-1].id

    def of_subscriber(self, subscriber_id: int) -> list[Delivery]:
        """Return the deliveries to a subscriber, the oldest first."""
        query = select(delivery).where(delivery.c.subscriber_id == subscriber_id).order_by(delivery.c.delivery_id)
        with self.database.read() as connection:
            return [_delivery(row) for row in connection.execute(query).mappings()]

    def get(self, delivery_id: int) -> Delivery | None:
        """Return a delivery, or None."""
        return self._first(delivery.c.delivery_id == delivery_id)

    def find_provider_id(self, provider_id: str) -> Delivery | None:
        """Return the newest delivery that a mail service knows by this id, or None."""
        return self._first(delivery.c.provider_id == provider_id) if provider_id else None

    def sent_by_day(self) -> dict[str, int]:
        """Return how many messages were sent on each day on which any was, by local date."""
        with self.database.read() as connection:
            rows = connection.execute(select(sending_day.c.day, sending_day.c.sent).order_by(sending_day.c.day))
            return {row.day: row.sent for row in rows}

    def _first(self, condition: ColumnElement[bool]) -> Delivery | None:
        query = select(delivery).where(condition).order_by(delivery.c.delivery_id.desc()).limit(1)
        with self.database.read() as connection:
            row = connection.execute(query).mappings().first()
        return _delivery(row) if row else None

    def _change(self, statement: Any) -> int:
        with self.database.write(counted=False) as connection:
            lock_deliveries(connection)
            return len(connection.execute(statement.returning(delivery.c.delivery_id)).all())


def of_dispatch(key: DispatchKey) -> ColumnElement[bool]:
    """Return the condition that a delivery belongs to a dispatch."""
    week, correction = key
    return and_(delivery.c.week == week, delivery.c.correction == correction)


def _chosen(week: str, address: str, correction: int | None) -> ColumnElement[bool]:
    """Return the condition that a delivery is of a week, and of an address and a correction if they are given."""
    conditions = [delivery.c.week == week]
    if address:
        conditions.append(delivery.c.address == address)
    if correction is not None:
        conditions.append(delivery.c.correction == correction)
    return and_(*conditions)


def _delivery(row: RowMapping, prefix: str = "") -> Delivery:
    return Delivery(
        id=row[f"{prefix}delivery_id"],
        **{
            name: row[f"{prefix}{name}"]
            for name in (
                "week",
                "correction",
                "subscriber_id",
                "address",
                "variant",
                "state",
                "attempts",
                "due_at",
                "deferred_at",
                "changed_at",
                "reply",
                "reason",
                "provider_id",
            )
        },
    )
