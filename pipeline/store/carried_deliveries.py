"""Merge the deliveries of another state of a store into it: of each, the later state counts.

Only a restored backup needs this. Rows keep their numbers, which the addresses that bounces go to contain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from pipeline.store.database import Database
from pipeline.store.dialects import insert, reset_sequence, upsert
from pipeline.store.schema import delivery, dispatch, sending_day, subscriber

_PAGE = 500
_UPDATE = (
    update(delivery)
    .where(delivery.c.delivery_id == bindparam("number"))
    .values({column.name: bindparam(f"new_{column.name}") for column in delivery.c if not column.primary_key})
)


def carry_over_deliveries(store: Database, other: Database) -> None:
    """Copy dispatches and deliveries, all or nothing, unless a store has a later state of them.

    A delivery to somebody whom the store does not know is kept as that of an erased person.
    """
    with store.write(counted=False) as connection:
        with other.read() as reading:
            dispatches = reading.execute(select(dispatch)).mappings().all()
            days = reading.execute(select(sending_day.c.day, sending_day.c.sent)).all()
        for row in dispatches:
            _carry_over_dispatch(connection, row)
        last = 0
        while rows := _page(other, last):
            last = rows[-1]["delivery_id"]
            _carry_over_page(connection, rows)
        reset_sequence(connection, delivery)
        for day, sent in days:
            statement = insert(connection.dialect.name, sending_day).values(day=day, sent=sent)
            more = {"set_": {"sent": sent}, "where": sending_day.c.sent < sent}
            connection.execute(statement.on_conflict_do_update(index_elements=[sending_day.c.day], **more))


def _carry_over_dispatch(connection: Connection, row: RowMapping) -> None:
    is_same = (dispatch.c.week == row["week"]) & (dispatch.c.correction == row["correction"])
    changed_at = connection.scalar(select(dispatch.c.changed_at).where(is_same))
    if changed_at is None or changed_at <= row["changed_at"]:
        upsert(connection, dispatch, {**row, "owner": "", "leased_until": None})  # nobody sends: the process has ended


def _page(other: Database, last: int) -> Sequence[RowMapping]:
    """Return the next deliveries, each with the time since when its subscriber is known."""
    query = (
        select(delivery, subscriber.c.created_at)
        .outerjoin_from(delivery, subscriber)
        .where(delivery.c.delivery_id > last)
        .order_by(delivery.c.delivery_id)
        .limit(_PAGE)
    )
    with other.read() as reading:
        return reading.execute(query).mappings().all()


def _carry_over_page(connection: Connection, rows: Sequence[RowMapping]) -> None:
    people = [row["subscriber_id"] for row in rows if row["subscriber_id"]]
    numbers = [row["delivery_id"] for row in rows]
    query = select(subscriber.c.subscriber_id, subscriber.c.created_at).where(subscriber.c.subscriber_id.in_(people))
    known = {row.subscriber_id: row.created_at for row in connection.execute(query)}
    own = select(delivery).where(delivery.c.delivery_id.in_(numbers) | delivery.c.subscriber_id.in_(people))
    own_rows = connection.execute(own).mappings().all()
    by_number = {row["delivery_id"]: row for row in own_rows}
    by_person = {_key(row): row for row in own_rows if row["subscriber_id"]}
    updates, inserts = [], []
    for row in rows:
        values = {column.name: row[column.name] for column in delivery.c} | {"owner": ""}
        if row["subscriber_id"] is None or known.get(row["subscriber_id"]) != row["created_at"]:
            values |= _without_person(row)
        same, numbered = by_person.get(_key(values)), by_number.get(values.pop("delivery_id"))
        if same is None and numbered and _key(numbered) in (_key(row), _key(values)):
            same = numbered
        if same is None:
            inserts.append(values if numbered else values | {"delivery_id": row["delivery_id"]})
        elif _age(same) <= _age(row):
            updates.append({f"new_{name}": value for name, value in values.items()} | {"number": same["delivery_id"]})
    if updates:
        connection.execute(_UPDATE, updates)
    for _, some in groupby(sorted(inserts, key=_is_numbered), _is_numbered):
        connection.execute(delivery.insert().inline(), list(some))


def _is_numbered(values: Mapping[str, Any]) -> bool:
    return "delivery_id" in values


def _age(row: RowMapping) -> tuple[int, datetime]:
    return row["attempts"], row["changed_at"]


def _key(row: Mapping[Any, Any]) -> tuple[str, int, int | None]:
    return row["week"], row["correction"], row["subscriber_id"]


def _without_person(row: RowMapping) -> dict[str, Any]:
    """Return the changes to a delivery when its person is erased: what was not sent is not wanted any more."""
    changes: dict[str, Any] = {"subscriber_id": None, "address": ""}
    is_pending = row["state"] in ("queued", "claimed")
    return changes | ({"state": "failed", "reason": "unsubscribed"} if is_pending else {})
