"""The repository of what came back after deliveries: bounces, complaints and the like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, func, select

from pipeline.model.delivery import Delivery
from pipeline.model.delivery_event import DeliveryEvent, DeliveryEventKind, RecordedEvent
from pipeline.store.database import Database
from pipeline.store.dialects import insert_if_absent
from pipeline.store.rows import storable
from pipeline.store.schema import delivery, delivery_event, dispatch, subscription_event

_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class DeliveryEventRepository:
    """Events by edition and by subscriber. Erasing a person leaves them without number, address and diagnostic."""

    database: Database

    def add(
        self, event: DeliveryEvent, delivery: Delivery | None, subscriber_id: int | None, address: str, now: datetime
    ) -> bool:
        """Add an event of a delivery, a subscriber or both; return False if it was added before."""
        row = {
            "event_key": storable(event.key),
            "kind": event.kind,
            "severity": event.severity,
            "delivery_id": delivery.id if delivery else None,
            "week": delivery.week if delivery else "",
            "subscriber_id": subscriber_id,
            "address": storable(address),
            "at": event.at,
            "recorded_at": now,
            "diagnostic": storable(event.diagnostic),
        }
        with self.database.write(counted=False) as connection:
            return insert_if_absent(connection, delivery_event, row)

    def soft_bounces(
        self, subscriber_id: int, address: str, kinds: Sequence[DeliveryEventKind], since: datetime
    ) -> list[tuple[int | None, datetime]]:
        """Return the delivery and the time of each soft event of these kinds of a subscriber's address."""
        event = delivery_event.c
        query = select(event.delivery_id, event.at).where(
            event.subscriber_id == subscriber_id,
            func.lower(event.address) == address.lower(),
            event.severity == "soft",
            event.kind.in_(kinds),
            event.at >= since,
        )
        with self.database.read() as connection:
            return [(row.delivery_id, row.at) for row in connection.execute(query)]

    def counts(self, week: str, correction: int | None = None) -> Mapping[DeliveryEventKind, int]:
        """Return from how many deliveries of a week there was an event of each kind.

        Those of one ``correction`` only if it is given, which is 0 for the edition itself.
        """
        query = select(delivery_event.c.kind, func.count(delivery_event.c.delivery_id.distinct()))
        query = query.where(delivery_event.c.week == week).group_by(delivery_event.c.kind)
        if correction is not None:
            query = query.join(delivery, delivery.c.delivery_id == delivery_event.c.delivery_id)
            query = query.where(delivery.c.correction == correction)
        with self.database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query.order_by(delivery_event.c.kind))}

    def left(self, week: str) -> int:
        """Return how many subscribers got an edition and unsubscribed before the next one was sent.

        Which edition's link they used is not stored.
        """
        began = select(func.min(dispatch.c.frozen_at)).where(dispatch.c.week == week).scalar_subquery()
        others = select(func.min(dispatch.c.frozen_at)).where(dispatch.c.week != week, dispatch.c.frozen_at > began)
        with self.database.read() as connection:
            next_at: datetime | None = connection.scalar(others)
            query = (
                select(func.count(subscription_event.c.subscriber_id.distinct()))
                .join_from(subscription_event, delivery, delivery.c.subscriber_id == subscription_event.c.subscriber_id)
                .where(subscription_event.c.kind == "left", subscription_event.c.at >= began)
                .where(delivery.c.week == week, delivery.c.state.in_(("sent", "uncertain")))
            )
            if next_at:
                query = query.where(subscription_event.c.at < next_at)
            return connection.scalar(query) or 0

    def iterate(self, *, week: str = "", kinds: Sequence[DeliveryEventKind] = ()) -> Iterator[RecordedEvent]:
        """Yield events, the newest first: those of an edition, and of some kinds, if any are given."""
        query = select(delivery_event).order_by(delivery_event.c.event_id.desc()).limit(_PAGE)
        if week:
            query = query.where(delivery_event.c.week == week)
        if kinds:
            query = query.where(delivery_event.c.kind.in_(kinds))
        last: int | None = None
        while True:
            page = query if last is None else query.where(delivery_event.c.event_id < last)
            with self.database.read() as connection:
                rows = connection.execute(page).mappings().all()
            yield from map(_event, rows)
            if len(rows) < _PAGE:
                return
            last = rows[-1]["event_id"]

    def of_subscriber(self, subscriber_id: int) -> list[RecordedEvent]:
        """Return the events of a subscriber, the oldest first."""
        query = select(delivery_event).where(delivery_event.c.subscriber_id == subscriber_id)
        with self.database.read() as connection:
            return [_event(row) for row in connection.execute(query.order_by(delivery_event.c.event_id)).mappings()]


def _event(row: RowMapping) -> RecordedEvent:
    names = ("kind", "severity", "week", "address", "at", "recorded_at", "diagnostic")
    return RecordedEvent(**{name: row[name] for name in names})
