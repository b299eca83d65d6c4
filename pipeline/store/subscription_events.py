"""The repository of what happened to subscriptions, and of the wordings that people consented to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Text, bindparam, cast, func, select

from pipeline.model.subscriber import EventKind, SubscriptionEvent, Visitor, Wording
from pipeline.store.database import Database
from pipeline.store.dialects import insert_if_absent
from pipeline.store.rows import storable
from pipeline.store.schema import audience_log, subscriber, subscription_event, suppression, wording

_ADD = subscription_event.insert().inline()
_NEWEST_WORDING = (
    select(wording)
    .where(wording.c.form == bindparam("of_form"), wording.c.language == bindparam("in_language"))
    .order_by(wording.c.version.desc())
    .limit(1)
)
_WORDING = tuple(wording.c[name] for name in ("language", "version", "text", "first_used_at"))


@dataclass(frozen=True, slots=True)
class SubscriptionEventRepository:
    """Events by subscriber, wordings by form and language, and the log of what was done to people's data."""

    database: Database

    def add(self, subscriber_id: int, event: SubscriptionEvent) -> None:
        """Add an event to a subscriber's history."""
        with self.database.write(counted=False) as connection:
            connection.execute(_ADD, _row(subscriber_id, event))

    def add_all(self, events: Sequence[tuple[int, SubscriptionEvent]]) -> None:
        """Add events, each to the history of the subscriber with a number."""
        with self.database.write(counted=False) as connection:
            connection.execute(_ADD, [_row(number, event) for number, event in events])

    def of_subscriber(self, subscriber_id: int) -> list[SubscriptionEvent]:
        """Return a subscriber's history, the oldest event first."""
        query = (
            select(subscription_event, *_WORDING)
            .outerjoin_from(subscription_event, wording)
            .where(subscription_event.c.subscriber_id == subscriber_id)
            .order_by(subscription_event.c.event_id)
        )
        with self.database.read() as connection:
            return [_event(row) for row in connection.execute(query).mappings()]

    def current_wording(self, form: str, language: str, text: str, now: datetime) -> Wording:
        """Return the newest version of a form's wording; if its text is another one, the next version is added."""
        text = storable(text)
        wanted = {"of_form": form, "in_language": language}
        with self.database.read() as connection:
            row = connection.execute(_NEWEST_WORDING, wanted).mappings().first()
        while row is None or row["text"] != text:
            version = row["version"] + 1 if row else 1
            new = {"form": form, "language": language, "version": version, "text": text, "first_used_at": now}
            with self.database.write(counted=False) as connection:
                insert_if_absent(connection, wording, new)  # another process may add one, too
                row = connection.execute(_NEWEST_WORDING, wanted).mappings().first()
        return _wording(row)

    def count_by_day(self, kinds: Sequence[EventKind], *, since: datetime) -> list[tuple[str, EventKind, int]]:
        """Return how many events of these kinds there were on each day (UTC), as date, kind and number."""
        day = func.substr(cast(subscription_event.c.at, Text), 1, 10)
        query = select(day, subscription_event.c.kind, func.count()).where(
            subscription_event.c.kind.in_(kinds), subscription_event.c.at >= since
        )
        with self.database.read() as connection:
            rows = connection.execute(
                query.group_by(day, subscription_event.c.kind).order_by(day, subscription_event.c.kind)
            )
            return [(date, kind, count) for date, kind, count in rows]

    def count_by_form(self, kind: EventKind) -> dict[str, int]:
        """Return how many events of a kind there were by form."""
        query = select(subscription_event.c.form, func.count()).where(subscription_event.c.kind == kind)
        with self.database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query.group_by(subscription_event.c.form))}

    def changed_at(self) -> datetime | None:
        """Return when people's data last changed: a subscription, a suppression or the log; None if there is none."""
        columns = (subscription_event.c.at, subscriber.c.changed_at, suppression.c.suppressed_at, audience_log.c.at)
        with self.database.read() as connection:
            instants = [connection.scalar(select(func.max(column))) for column in columns]
        return max(filter(None, instants), default=None)

    def log(self, action: str, *, actor: str, at: datetime, **details: str) -> None:
        """Add a line to the log of what the operator did to people's data."""
        row = {"action": action, "actor": storable(actor), "at": at, "details": details}
        with self.database.write(counted=False) as connection:
            connection.execute(audience_log.insert().values(row))

    def logged(self, *, address_hash: str = "") -> list[tuple[datetime, str, str, dict[str, str]]]:
        """Return the lines of that log, or those about one address, the oldest first: time, actor, action, details."""
        query = select(audience_log.c.at, audience_log.c.actor, audience_log.c.action, audience_log.c.details)
        if address_hash:
            query = query.where(audience_log.c.details["address_hash"].as_string().contains(address_hash))
        with self.database.read() as connection:
            rows = connection.execute(query.order_by(audience_log.c.log_id))
            return [(at, actor, action, details) for at, actor, action, details in rows]


def _wording(row: RowMapping) -> Wording:
    return Wording(
        id=row["wording_id"],
        form=row["form"],
        language=row["language"],
        version=row["version"],
        text=row["text"],
        first_used_at=row["first_used_at"],
    )


def _row(subscriber_id: int, event: SubscriptionEvent) -> dict[str, Any]:
    return {
        "subscriber_id": subscriber_id,
        "at": event.at,
        "kind": event.kind,
        "actor": storable(event.actor),
        "form": event.form,
        "wording_id": event.wording and event.wording.id,
        "ip_address": event.visitor.ip_address,
        "user_agent": storable(event.visitor.user_agent),
        "page": storable(event.visitor.page),
        "details": {name: storable(value) for name, value in event.details.items()},
    }


def _event(row: RowMapping) -> SubscriptionEvent:
    return SubscriptionEvent(
        at=row["at"],
        kind=row["kind"],
        actor=row["actor"],
        form=row["form"],
        wording=_wording(row) if row["wording_id"] is not None else None,
        visitor=Visitor(ip_address=row["ip_address"], user_agent=row["user_agent"], page=row["page"]),
        details=row["details"],
    )
