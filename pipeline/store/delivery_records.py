"""Statements that record what becomes of deliveries, many in one transaction. Runs in the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Subquery,
    Text,
    Update,
    and_,
    bindparam,
    or_,
    select,
    update,
)

from pipeline.model.delivery import DeliveryState, Settlement
from pipeline.store.dialects import insert, rows_of_json
from pipeline.store.rows import storable
from pipeline.store.schema import delivery, sending_day

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite
    from sqlalchemy.types import TypeEngine

_OPEN_STATES: tuple[DeliveryState, ...] = ("claimed", "final", "uncertain")
_SETTLED = ("state", "reply", "reason", "provider_id", "due_at", "deferred_at", "changed_at")
# Built once, and executed for each message.
_SETTLE = (
    update(delivery)
    .where(
        delivery.c.delivery_id == bindparam("id"),
        delivery.c.owner == bindparam("own"),
        delivery.c.attempts == bindparam("attempt"),
        or_(*(delivery.c.state == state for state in _OPEN_STATES)),
    )
    .values({name: bindparam(f"new_{name}") for name in _SETTLED})
)
_ATTEMPT: dict[str, TypeEngine[Any]] = {"id": BigInteger(), "attempt": BigInteger()}
_REPLY: dict[str, TypeEngine[Any]] = {"reply": Text(), "provider_id": Text()}


def record(
    connection: Connection,
    owner: str,
    finals: Collection[tuple[int, int]],
    settlements: Sequence[Settlement],
    now: datetime,
    *,
    day: str,
) -> set[int]:
    """Record deliveries as ``DeliveryRepository.record`` does."""
    dialect, values = connection.dialect.name, {"own": owner, "at": now}
    if sent := [_sent(one) for one in settlements if one.state == "sent"]:
        connection.execute(_settle_sent(dialect), values | {"rows": json.dumps(sent)})
        connection.execute(_count_sent(dialect), {"day": day, "sent": len(sent)})
    if others := [_values(owner, one, now) for one in settlements if one.state != "sent"]:
        connection.execute(_SETTLE, others)
    if not finals:
        return set()
    values["rows"] = json.dumps(list(finals))
    if connection.execute(_finalise(dialect), values).rowcount == len(finals):
        return {delivery_id for delivery_id, _ in finals}
    return set(connection.scalars(_finals(dialect), values))


def _of_owner(given: Subquery) -> ColumnElement[bool]:
    return and_(
        delivery.c.delivery_id == given.c.id,
        delivery.c.attempts == given.c.attempt,
        delivery.c.owner == bindparam("own"),
    )


@cache
def _finalise(dialect: str) -> Update:
    given = rows_of_json(dialect, "rows", _ATTEMPT)
    is_claimed = _of_owner(given) & (delivery.c.state == "claimed")
    return update(delivery).where(is_claimed).values(state="final", changed_at=bindparam("at"))


@cache
def _finals(dialect: str) -> Select[tuple[int]]:
    given = rows_of_json(dialect, "rows", _ATTEMPT)
    return select(delivery.c.delivery_id).where(_of_owner(given), delivery.c.state == "final")


@cache
def _settle_sent(dialect: str) -> Update:
    """Return the statement for nearly all settlements, whose values differ in a few columns."""
    given = rows_of_json(dialect, "rows", _ATTEMPT | _REPLY)
    values = {"state": "sent", "reason": "", "reply": given.c.reply, "provider_id": given.c.provider_id}
    at = bindparam("at", type_=delivery.c.due_at.type)
    is_open = _of_owner(given) & delivery.c.state.in_(_OPEN_STATES)
    return update(delivery).where(is_open).values(values | {"due_at": at, "changed_at": at})


@cache
def _count_sent(dialect: str) -> sqlite.Insert | postgresql.Insert:
    statement = insert(dialect, sending_day)
    total = {"sent": sending_day.c.sent + statement.excluded.sent}
    return statement.on_conflict_do_update(index_elements=[sending_day.c.day], set_=total)


def _sent(one: Settlement) -> tuple[int, int, str, str]:
    return one.delivery_id, one.attempt, storable(one.reply), storable(one.provider_id)


def _values(owner: str, one: Settlement, now: datetime) -> dict[str, Any]:
    return {
        "id": one.delivery_id,
        "own": owner,
        "attempt": one.attempt,
        "new_state": one.state,
        "new_reply": storable(one.reply),
        "new_reason": one.reason,
        "new_provider_id": storable(one.provider_id),
        "new_due_at": one.due_at,
        "new_deferred_at": one.deferred_at,
        "new_changed_at": now,
    }
