"""The repository of dispatches: the sending of each edition as a whole, and the lease of the process that does it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)

from pipeline.model.delivery import GOT_STATES, DeliveryState, Dispatch, DispatchKey, DispatchState, FailureReason
from pipeline.model.variant import WHOLE
from pipeline.store.carried_deliveries import carry_over_deliveries
from pipeline.store.database import Database
from pipeline.store.deliveries import of_dispatch
from pipeline.store.dialects import insert_if_absent
from pipeline.store.rows import storable
from pipeline.store.schema import delivery, dispatch, is_unfinished, subscriber
from pipeline.store.subscribers import is_active

_SETTLED_STATES: tuple[DeliveryState, ...] = ("sent", "failed", "uncertain")


@dataclass(frozen=True, slots=True)
class DispatchRepository:
    """Dispatches by edition."""

    database: Database

    def start(self, key: DispatchKey, *, now: datetime, actor: str, state: DispatchState = "running") -> None:
        """Add the dispatch of an edition; one that exists goes on."""
        week, correction = key
        row = {"week": week, "correction": correction, "frozen_at": now, "owner": ""}
        change = {"state": state, "changed_at": now, "changed_by": storable(actor), "note": ""}
        with self.database.write() as connection:
            if not insert_if_absent(connection, dispatch, row | change):
                connection.execute(update(dispatch).where(_is(key)).values(change))

    def freeze(
        self,
        key: DispatchKey,
        variants: Mapping[str, Collection[tuple[str, str]]],
        now: datetime,
        *,
        again: bool = False,
    ) -> int:
        """Queue a delivery for each active subscriber who has none of this edition, and return how many were queued.

        ``variants`` maps the name of each variant to the preferences that get it: topics separated by spaces, and
        frequency. Subscribers with other preferences get nothing. ``again`` is for an edition whose sending was
        cancelled before it reached anybody: deliveries that failed then are queued anew, too.
        """
        week, correction = key
        preferences = tuple_(subscriber.c.topics, subscriber.c.frequency)
        names = [(preferences.in_(sorted(wanted)), name) for name, wanted in variants.items() if wanted]
        if not names:
            return 0
        has_one = exists().where(
            delivery.c.week == week,
            delivery.c.correction == correction,
            delivery.c.subscriber_id == subscriber.c.subscriber_id,
        )
        every = sorted({one for wanted in variants.values() for one in wanted})
        wants_it, variant = and_(is_active(now), preferences.in_(every)), case(*names, else_="")
        people = select(*_constants(key, now), subscriber.c.subscriber_id, subscriber.c.address, variant)
        queued = self._begin_anew(key, wants_it, variant, now) if again else 0
        return queued + self._insert(key, people.where(wants_it, ~has_one).order_by(subscriber.c.subscriber_id))

    def freeze_correction(self, key: DispatchKey, variants: Collection[str], now: datetime) -> int:
        """Queue a delivery of a correction for each active subscriber who got, or may have got, its edition.

        Those who have one already get none; return how many were added. Each gets the variant that they got, or the
        whole where that is none of ``variants``.
        """
        own, got = delivery.alias(), delivery.alias()
        has_one = exists().where(
            own.c.week == key[0], own.c.correction == key[1], own.c.subscriber_id == subscriber.c.subscriber_id
        )
        variant = case((got.c.variant.in_(sorted(variants)), got.c.variant), else_=WHOLE.name)
        people = (
            select(*_constants(key, now), subscriber.c.subscriber_id, subscriber.c.address, variant)
            .join_from(got, subscriber, got.c.subscriber_id == subscriber.c.subscriber_id)
            .where(got.c.week == key[0], got.c.correction == 0, got.c.state.in_(GOT_STATES))
            .where(is_active(now), ~has_one)
        )
        return self._insert(key, people.order_by(subscriber.c.subscriber_id))

    def get(self, week: str, correction: int = 0) -> Dispatch | None:
        """Return a dispatch with the numbers of its deliveries, or None."""
        with self.database.read() as connection:
            row = connection.execute(select(dispatch).where(_is((week, correction)))).mappings().first()
            return _dispatch(connection, row) if row else None

    def of_week(self, week: str) -> list[Dispatch]:
        """Return the dispatch of an edition and those of its corrections."""
        return self._list(dispatch.c.week == week)

    def running(self) -> list[Dispatch]:
        """Return those that are running, the oldest first."""
        return self._list(dispatch.c.state == "running")

    def has_running(self) -> bool:
        """Check whether one is running."""
        with self.database.read() as connection:
            return connection.scalar(select(exists().where(dispatch.c.state == "running"))) or False

    def needing_attention(self) -> list[Dispatch]:
        """Return those that are running or paused, or have uncertain deliveries; the oldest first."""
        is_uncertain = exists().where(
            delivery.c.week == dispatch.c.week,
            delivery.c.correction == dispatch.c.correction,
            delivery.c.state == "uncertain",
        )
        return self._list(or_(dispatch.c.state.in_(("running", "paused")), is_uncertain))

    def newest(self, number: int) -> list[Dispatch]:
        """Return the dispatches of the newest editions, the newest first; not those of their corrections."""
        query = select(dispatch).where(dispatch.c.correction == 0).order_by(dispatch.c.week.desc()).limit(number)
        with self.database.read() as connection:
            return [_dispatch(connection, row) for row in connection.execute(query).mappings().all()]

    def all(self) -> list[Dispatch]:
        """Return all, the oldest first."""
        return self._list(dispatch.c.week != "")

    def change_state(
        self, key: DispatchKey, state: DispatchState, *, now: datetime, actor: str, note: str = "", only_if: str = ""
    ) -> bool:
        """Change the state, if it is ``only_if`` or that is empty; return whether it was changed."""
        statement = update(dispatch).where(_is(key), or_(dispatch.c.state == only_if, only_if == ""))  # type: ignore[arg-type]
        values = {"state": state, "changed_at": now, "changed_by": storable(actor), "note": storable(note)}
        with self.database.write() as connection:
            return bool(connection.execute(statement.values(values).returning(dispatch.c.week)).first())

    def state(self, key: DispatchKey) -> DispatchState | None:
        """Return the state of a dispatch, or None if there is none."""
        with self.database.read() as connection:
            state: DispatchState | None = connection.scalar(select(dispatch.c.state).where(_is(key)))
            return state

    def count_settled(self, key: DispatchKey, since: datetime) -> int:
        """Return how many deliveries got their outcome since an instant."""
        settled = of_dispatch(key), delivery.c.state.in_(_SETTLED_STATES), delivery.c.due_at >= since
        with self.database.read() as connection:
            return connection.scalar(select(func.count()).select_from(delivery).where(*settled)) or 0

    def is_leased(self, key: DispatchKey, now: datetime) -> bool:
        """Check whether a process is sending a dispatch."""
        with self.database.read() as connection:
            return bool(connection.scalar(select(dispatch.c.week).where(_is(key), dispatch.c.leased_until > now)))

    def first_batch_at(self, key: DispatchKey) -> datetime | None:
        """Return when the first batch was complete, or None if it is not."""
        with self.database.read() as connection:
            at: datetime | None = connection.scalar(select(dispatch.c.first_batch_at).where(_is(key)))
            return at

    def end_first_batch(self, key: DispatchKey, now: datetime) -> None:
        """Record that the first batch is complete."""
        with self.database.write(counted=False) as connection:
            connection.execute(update(dispatch).where(_is(key)).values(first_batch_at=now))

    def lease(self, key: DispatchKey, owner: str, *, now: datetime, until: datetime) -> bool:
        """Acquire or renew the lease of a running dispatch; return False if another process has it, or none may."""
        is_free = or_(dispatch.c.owner.in_(("", owner)), dispatch.c.leased_until <= now)
        statement = update(dispatch).where(_is(key), dispatch.c.state == "running", is_free)
        with self.database.write(counted=False) as connection:
            values = statement.values(owner=owner, leased_until=until).returning(dispatch.c.week)
            return bool(connection.execute(values).first())

    def end_lease(self, key: DispatchKey, owner: str) -> None:
        """Release the lease, if the owner still has it."""
        with self.database.write(counted=False) as connection:
            statement = update(dispatch).where(_is(key), dispatch.c.owner == owner)
            connection.execute(statement.values(owner="", leased_until=None))

    def finish(self, key: DispatchKey, *, now: datetime, actor: str) -> bool:
        """Record that all deliveries have an outcome; return False if one has none, or it was not running."""
        is_open = exists().where(of_dispatch(key), is_unfinished)
        statement = update(dispatch).where(_is(key), dispatch.c.state == "running", ~is_open)
        values = {"state": "finished", "changed_at": now, "changed_by": storable(actor), "note": ""}
        with self.database.write() as connection:
            return bool(connection.execute(statement.values(values).returning(dispatch.c.week)).first())

    def carry_over(self, other: DispatchRepository) -> None:
        """Bring dispatches and their deliveries up to date from another state of the same store."""
        carry_over_deliveries(self.database, other.database)

    def _begin_anew(
        self, key: DispatchKey, wants_it: ColumnElement[bool], variant: ColumnElement[str], now: datetime
    ) -> int:
        """Queue the failed deliveries of a dispatch to people who want it, and return how many there were."""
        person = subscriber.c.subscriber_id == delivery.c.subscriber_id
        failed = update(delivery).where(
            of_dispatch(key), delivery.c.state == "failed", exists().where(person, wants_it).correlate(delivery)
        )
        values = {
            "state": "queued",
            "address": select(subscriber.c.address).where(person).scalar_subquery(),
            "variant": select(variant).where(person).scalar_subquery(),
            "due_at": now,
            "deferred_at": None,
            "changed_at": now,
            "reply": "",
            "reason": "",
        }
        with self.database.write(counted=False) as connection:
            connection.execute(update(dispatch).where(_is(key)).values(frozen_at=now, first_batch_at=None))
            return len(connection.execute(failed.values(values).returning(delivery.c.delivery_id)).all())

    def _insert(self, key: DispatchKey, people: Select[Any]) -> int:
        """Insert a delivery for each row of a query, and return how many there are more."""
        names = ("week", "correction", "state", "attempts", "due_at", "changed_at", "owner", "reply", "reason")
        columns = [*names, "provider_id", "subscriber_id", "address", "variant"]
        count = select(func.count()).select_from(delivery).where(of_dispatch(key))
        with self.database.write(counted=False) as connection:
            before = connection.scalar(count) or 0
            connection.execute(delivery.insert().from_select(columns, people))
            return (connection.scalar(count) or 0) - before

    def _list(self, condition: ColumnElement[bool]) -> list[Dispatch]:
        query = select(dispatch).where(condition).order_by(dispatch.c.frozen_at, dispatch.c.week, dispatch.c.correction)
        with self.database.read() as connection:
            return [_dispatch(connection, row) for row in connection.execute(query).mappings().all()]


def _constants(key: DispatchKey, now: datetime) -> list[ColumnElement[Any]]:
    """Return the columns that all new rows have alike, in the order of ``_insert``."""
    instant = delivery.c.due_at.type
    texts = [literal("") for _ in ("owner", "reply", "reason", "provider_id")]
    week, correction = key
    return [
        literal(week),
        literal(correction),
        literal("queued"),
        literal(0),
        literal(now, instant),
        literal(now, instant),
        *texts,
    ]


def _is(key: DispatchKey) -> ColumnElement[bool]:
    week, correction = key
    return and_(dispatch.c.week == week, dispatch.c.correction == correction)


def _dispatch(connection: Connection, row: RowMapping) -> Dispatch:
    counts, failures = _count(connection, (row["week"], row["correction"]))
    names = ("week", "correction", "state", "frozen_at", "changed_at", "changed_by", "note")
    return Dispatch(counts=counts, failures=failures, **{name: row[name] for name in names})


def _count(connection: Connection, key: DispatchKey) -> tuple[Mapping[DeliveryState, int], Mapping[FailureReason, int]]:
    """Return the number of deliveries in each state, and of the failed ones for each reason.

    The first comes from an index alone: of a million deliveries few have failed.
    """
    states = select(delivery.c.state, func.count()).where(of_dispatch(key)).group_by(delivery.c.state)
    failed = select(delivery.c.reason, func.count()).where(of_dispatch(key), delivery.c.state == "failed")
    return (
        {row.state: row[1] for row in connection.execute(states)},
        {row.reason: row[1] for row in connection.execute(failed.group_by(delivery.c.reason))},
    )
