"""The repository of subscribers. One address is one subscriber."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, bindparam, delete, func, or_, select, update

from pipeline.model.errors import RefusedError
from pipeline.model.subscriber import DISPLAY_STATES, DisplayState, Preferences, Subscriber
from pipeline.store.database import Database
from pipeline.store.dialects import insert, insert_if_absent, lock_deliveries
from pipeline.store.rows import storable
from pipeline.store.schema import (
    audience_key,
    delivery,
    delivery_event,
    given_guide,
    person_mail,
    subscriber,
    subscription_event,
)

if TYPE_CHECKING:
    from sqlalchemy.sql.dml import ReturningInsert

_BATCH = 1_000
# Built once: building them costs more than executing them, and each sign-up does both.
_BY_ID = select(subscriber).where(subscriber.c.subscriber_id == bindparam("wanted"))
_BY_ID_LOCKED = _BY_ID.with_for_update()
_BY_KEY = select(subscriber).where(subscriber.c.address_key == bindparam("wanted"))
_BY_KEY_LOCKED = _BY_KEY.with_for_update()
_SAVE = update(subscriber).where(subscriber.c.subscriber_id == bindparam("wanted"))


@dataclass(frozen=True, slots=True)
class SubscriberRepository:
    """Subscribers by number and by address, and the keys that sign their links."""

    database: Database

    def signing_key(self, purpose: str, new_key: str) -> str:
        """Return the key of a purpose; ``new_key`` becomes that key if there is none yet."""
        query = select(audience_key.c.secret).where(audience_key.c.purpose == purpose)
        with self.database.read() as connection:
            if secret := connection.scalar(query):
                return str(secret)
        with self.database.write(counted=False) as connection:
            insert_if_absent(connection, audience_key, {"purpose": purpose, "secret": new_key})
            return str(connection.scalar(query))

    def signing_keys(self) -> dict[str, str]:
        """Return all keys by purpose."""
        with self.database.read() as connection:
            rows = connection.execute(select(audience_key.c.purpose, audience_key.c.secret))
            return {row.purpose: row.secret for row in rows}

    def get(self, subscriber_id: int, *, lock: bool = False) -> Subscriber | None:
        """Return a subscriber; with ``lock`` nobody else changes it until the surrounding transaction ends."""
        return self._first(_BY_ID_LOCKED if lock else _BY_ID, subscriber_id)

    def find(self, address_key: str, *, lock: bool = False) -> Subscriber | None:
        """Return the subscriber with an address."""
        return self._first(_BY_KEY_LOCKED if lock else _BY_KEY, address_key)

    def add_or_lock(self, new: Subscriber, address_key: str) -> Subscriber:
        """Return the subscriber with an address, added if there is none; nobody else changes it meanwhile.

        The number of ``new`` is chosen here. It takes one statement in either case.
        """
        with self.database.write(counted=False) as connection:
            statement = _add_or_lock(connection.dialect.name)
            return read_subscriber(
                connection.execute(statement, _row(new) | {"address_key": address_key}).mappings().one()
            )

    def add_all(self, new: Sequence[tuple[Subscriber, str]]) -> dict[str, int]:
        """Add subscribers, each with the key of its address; return the numbers of those added, by key.

        One whose address somebody has, or got meanwhile, is not added.
        """
        if not new:
            return {}
        with self.database.write(counted=False) as connection:
            statement = insert(connection.dialect.name, subscriber).on_conflict_do_nothing()
            returning = statement.returning(subscriber.c.address_key, subscriber.c.subscriber_id)
            rows = connection.execute(returning, [_row(one) | {"address_key": key} for one, key in new])
            return {row.address_key: row.subscriber_id for row in rows}

    def save(self, changed: Subscriber) -> None:
        """Write a changed subscriber, whose address is the same."""
        with self.database.write(counted=False) as connection:
            connection.execute(_SAVE, _row(changed) | {"wanted": changed.id})

    def change_address(self, changed: Subscriber, address_key: str) -> None:
        """Write a changed subscriber with a new address; RefusedError if somebody else has it."""
        with self.database.write(counted=False) as connection:
            taken = select(subscriber.c.subscriber_id).where(
                _has_key(address_key), subscriber.c.subscriber_id != changed.id
            )
            if connection.scalar(taken) is not None:
                raise RefusedError("This address is subscribed already.")
            row = _row(changed) | {"address_key": address_key}
            connection.execute(update(subscriber).where(subscriber.c.subscriber_id == changed.id).values(row))

    def delete(self, subscriber_id: int) -> None:
        """Delete a subscriber and everything stored about them."""
        with self.database.write(counted=False) as connection:
            _delete(connection, [subscriber_id])

    def delete_unconfirmed(self, *, requested_before: datetime) -> int:
        """Delete those who did not confirm a sign-up, the newest of which is older; return how many there were."""
        old = select(subscriber.c.subscriber_id).where(
            subscriber.c.state == "unconfirmed", subscriber.c.changed_at < requested_before
        )
        with self.database.write(counted=False) as connection:
            ids = list(connection.scalars(old.with_for_update()))
            for start in range(0, len(ids), _BATCH):
                _delete(connection, ids[start : start + _BATCH])
            return len(ids)

    def counts(self, now: datetime) -> dict[DisplayState, int]:
        """Return how many subscribers there are in each state."""
        with self.database.read() as connection:
            rows = connection.execute(select(subscriber.c.state, func.count()).group_by(subscriber.c.state))
            counts = dict.fromkeys(DISPLAY_STATES, 0) | {row[0]: row[1] for row in rows}
            paused = connection.scalar(select(func.count()).where(_in_state("paused", now))) or 0
        counts["active"] -= paused
        counts["paused"] = paused
        return counts

    def page(
        self,
        now: datetime,
        *,
        states: Sequence[DisplayState] = (),
        search: str = "",
        before_id: int | None = None,
        limit: int = 50,
    ) -> list[Subscriber]:
        """Return subscribers, the newest first: those in one of the states, whose address or name has a text.

        ``before_id`` is the number of the last one on the page before.
        """
        query = _matching(now, states, search).order_by(subscriber.c.subscriber_id.desc()).limit(limit)
        if before_id is not None:
            query = query.where(subscriber.c.subscriber_id < before_id)
        with self.database.read() as connection:
            return [read_subscriber(row) for row in connection.execute(query).mappings()]

    def iterate(self, now: datetime, *, states: Sequence[DisplayState] = (), search: str = "") -> Iterator[Subscriber]:
        """Yield subscribers in the order they were added, a few in memory at a time; filtered as in ``page``."""
        last = 0
        while True:
            query = _matching(now, states, search).where(subscriber.c.subscriber_id > last)
            with self.database.read() as connection:
                rows = connection.execute(query.order_by(subscriber.c.subscriber_id).limit(_BATCH)).mappings().all()
            yield from map(read_subscriber, rows)
            if len(rows) < _BATCH:
                return
            last = rows[-1]["subscriber_id"]

    def ended_since(self, instant: datetime | None) -> Iterator[Subscriber]:
        """Yield those who left or were suppressed, and changed last at an instant or later; all of them if None."""
        for ended in self.iterate(datetime.max.replace(tzinfo=UTC), states=("left", "suppressed")):
            if instant is None or ended.changed_at >= instant:
                yield ended

    def find_all(self, address_keys: Sequence[str], *, lock: bool = False) -> dict[str, Subscriber]:
        """Return the subscribers with these addresses, by key; with ``lock`` as ``get`` does."""
        query = select(subscriber).where(subscriber.c.address_key.in_(address_keys))
        with self.database.read() as connection:
            rows = connection.execute(query.with_for_update() if lock else query).mappings()
            return {row["address_key"]: read_subscriber(row) for row in rows}

    def wanted(self, now: datetime) -> dict[tuple[tuple[str, ...], str], int]:
        """Return how many active subscribers want each combination of topics and frequency."""
        query = select(subscriber.c.topics, subscriber.c.frequency, func.count()).where(is_active(now))
        with self.database.read() as connection:
            rows = connection.execute(query.group_by(subscriber.c.topics, subscriber.c.frequency))
            return {(tuple(topics.split()), frequency): count for topics, frequency, count in rows}

    def _first(self, query: Select[Any], wanted: int | str) -> Subscriber | None:
        with self.database.read() as connection:
            row = connection.execute(query, {"wanted": wanted}).mappings().first()
        return read_subscriber(row) if row else None


@cache
def _add_or_lock(dialect: str) -> ReturningInsert[Any]:
    statement = insert(dialect, subscriber)
    unchanged = {"address_key": statement.excluded.address_key}  # an update, so that the row is locked and returned
    statement = statement.on_conflict_do_update(index_elements=[subscriber.c.address_key], set_=unchanged)
    return statement.returning(*subscriber.c)


def _has_key(address_key: str) -> ColumnElement[bool]:
    return subscriber.c.address_key == address_key


def _delete(connection: Connection, ids: Sequence[int]) -> None:
    lock_deliveries(connection)
    given = delivery.c.subscriber_id.in_(ids)
    pending = given & delivery.c.state.in_(("queued", "claimed"))
    connection.execute(update(delivery).where(pending).values(state="failed", reason="unsubscribed"))
    connection.execute(update(delivery).where(given).values(subscriber_id=None, address=""))
    events = update(delivery_event).where(delivery_event.c.subscriber_id.in_(ids))
    connection.execute(events.values(subscriber_id=None, address="", diagnostic=""))
    for table in (given_guide, person_mail, subscription_event, subscriber):
        connection.execute(delete(table).where(table.c.subscriber_id.in_(ids)))


def _matching(now: datetime, states: Sequence[DisplayState], search: str) -> Select[Any]:
    """Return a query for subscribers in one of the states, if any are given, whose address or name has a text."""
    query = select(subscriber)
    if states:
        query = query.where(or_(*(_in_state(state, now) for state in states)))
    if search:
        text = search.casefold()
        name = func.lower(subscriber.c.name).contains(text, autoescape=True)
        query = query.where(subscriber.c.address_key.contains(text, autoescape=True) | name)
    return query


def is_active(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a subscriber gets editions."""
    return _in_state("active", now)


def _in_state(state: DisplayState, now: datetime) -> ColumnElement[bool]:
    is_paused = and_(subscriber.c.paused_until.is_not(None), subscriber.c.paused_until > now)
    if state == "paused":
        return and_(subscriber.c.state == "active", is_paused)
    return and_(subscriber.c.state == "active", ~is_paused) if state == "active" else subscriber.c.state == state


def _row(record: Subscriber) -> dict[str, Any]:
    requested = record.requested
    return {
        "address": record.address,
        "state": record.state,
        "name": storable(record.preferences.name),
        "topics": " ".join(record.preferences.topics),
        "frequency": record.preferences.frequency,
        "language": record.language,
        "form": record.form,
        "basis": record.basis,
        "created_at": record.created_at,
        "confirmed_at": record.confirmed_at,
        "changed_at": record.changed_at,
        "paused_until": record.paused_until,
        "requested": requested
        and {"name": storable(requested.name), "topics": requested.topics, "frequency": requested.frequency},
        "new_address": record.new_address,
    }


def read_subscriber(row: RowMapping) -> Subscriber:
    """Return the subscriber of a row that has all columns of the table."""
    requested = row["requested"]
    return Subscriber(
        id=row["subscriber_id"],
        address=row["address"],
        state=row["state"],
        preferences=Preferences(name=row["name"], topics=tuple(row["topics"].split()), frequency=row["frequency"]),
        language=row["language"],
        form=row["form"],
        basis=row["basis"],
        created_at=row["created_at"],
        confirmed_at=row["confirmed_at"],
        changed_at=row["changed_at"],
        paused_until=row["paused_until"],
        requested=requested and Preferences(**requested | {"topics": tuple(requested["topics"])}),
        new_address=row["new_address"],
    )
