"""Tables of deliveries: which edition was sent to whom, what became of it, and clicks on its links."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text

from pipeline.model.delivery import UNFINISHED_STATES
from pipeline.store.schema.types import ROW_ID, Instant, metadata

# The sending of an edition (correction 0) or of a correction. One process at a time sends: the owner of the lease.
dispatch = Table(
    "dispatch",
    metadata,
    Column("week", Text, primary_key=True),
    Column("correction", Integer, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("frozen_at", Instant, nullable=False),
    Column("first_batch_at", Instant),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("leased_until", Instant),
)

# One row per edition and subscriber, unique. Erasing a person leaves the row without number and address.
delivery = Table(
    "delivery",
    metadata,
    Column("delivery_id", ROW_ID, primary_key=True),
    Column("week", Text, nullable=False),
    Column("correction", Integer, nullable=False),
    Column("subscriber_id", ForeignKey("subscriber.subscriber_id")),
    Column("address", Text, nullable=False),
    Column("variant", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("deferred_at", Instant),
    Column("changed_at", Instant, nullable=False),
    Column("owner", Text, nullable=False),
    Column("reply", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("provider_id", Text, nullable=False),
)
is_unfinished = delivery.c.state.in_(UNFINISHED_STATES)
has_provider_id = delivery.c.provider_id != ""
Index("delivery_once", delivery.c.week, delivery.c.correction, delivery.c.subscriber_id, unique=True)
Index("delivery_state", delivery.c.week, delivery.c.correction, delivery.c.state, delivery.c.due_at)
Index("delivery_subscriber", delivery.c.subscriber_id)
Index("delivery_provider", delivery.c.provider_id, sqlite_where=has_provider_id)

# What came back, once for each report. Erasing a person leaves the row without number, address and diagnostic.
delivery_event = Table(
    "delivery_event",
    metadata,
    Column("event_id", ROW_ID, primary_key=True),
    Column("event_key", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("delivery_id", ForeignKey("delivery.delivery_id")),
    Column("week", Text, nullable=False),
    Column("subscriber_id", ForeignKey("subscriber.subscriber_id")),
    Column("address", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("diagnostic", Text, nullable=False),
)
Index("delivery_event_once", delivery_event.c.event_key, unique=True)
Index("delivery_event_week", delivery_event.c.week, delivery_event.c.kind, delivery_event.c.delivery_id)
Index("delivery_event_subscriber", delivery_event.c.subscriber_id)
Index("delivery_event_delivery", delivery_event.c.delivery_id)

# How many messages were sent on each day in the publication's time zone: a new domain sends more day by day.
sending_day = Table(
    "sending_day",
    metadata,
    Column("day", Text, primary_key=True),
    Column("sent", Integer, nullable=False),
)

# The links of sealed editions whose clicks are counted, and how many were. No row is about a person.
counted_link = Table(
    "counted_link",
    metadata,
    Column("week", Text, primary_key=True),
    Column("tag", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("is_canary", Boolean, nullable=False),
    Column("clicks", Integer, nullable=False),
)

# Clicks of the last minutes, by a keyed hash of the client; a row is deleted when its click is counted or left out.
pending_click = Table(
    "pending_click",
    metadata,
    Column("client", Text, primary_key=True),
    Column("week", Text, primary_key=True),
    Column("tag", Text, primary_key=True),
    Column("at", Instant, nullable=False),
)
Index("pending_click_at", pending_click.c.at)

# Clients that followed a canary, and when their clicks do not count.
scanner = Table(
    "scanner",
    metadata,
    Column("client", Text, primary_key=True),
    Column("from_at", Instant, nullable=False),
    Column("until_at", Instant, nullable=False),
)

# One row: the secret of these hashes, deleted when nothing waits, and after a day in any case.
click_key = Table(
    "click_key",
    metadata,
    Column("key_id", Integer, primary_key=True, autoincrement=False),
    Column("secret", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)
