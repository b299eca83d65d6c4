"""Create the tables of deliveries to subscribers."""

from __future__ import annotations

from sqlalchemy import Connection

_TYPES = {
    "sqlite": {"id": "INTEGER NOT NULL PRIMARY KEY", "ref": "INTEGER", "instant": "DATETIME"},
    "postgresql": {"id": "BIGSERIAL NOT NULL PRIMARY KEY", "ref": "BIGINT", "instant": "TIMESTAMP WITH TIME ZONE"},
}
_STATEMENTS = (
    """CREATE TABLE dispatch (
week TEXT NOT NULL, correction INTEGER NOT NULL, state TEXT NOT NULL, frozen_at {instant} NOT NULL,
first_batch_at {instant}, changed_at {instant} NOT NULL, changed_by TEXT NOT NULL, note TEXT NOT NULL,
owner TEXT NOT NULL, leased_until {instant}, PRIMARY KEY (week, correction))""",
    """CREATE TABLE delivery (
delivery_id {id}, week TEXT NOT NULL, correction INTEGER NOT NULL,
subscriber_id {ref} REFERENCES subscriber (subscriber_id), address TEXT NOT NULL, variant TEXT NOT NULL,
state TEXT NOT NULL, attempts INTEGER NOT NULL, due_at {instant} NOT NULL, deferred_at {instant},
changed_at {instant} NOT NULL, owner TEXT NOT NULL, reply TEXT NOT NULL, reason TEXT NOT NULL,
provider_id TEXT NOT NULL)""",
    "CREATE UNIQUE INDEX delivery_once ON delivery (week, correction, subscriber_id)",
    "CREATE INDEX delivery_state ON delivery (week, correction, state, due_at)",
    "CREATE INDEX delivery_subscriber ON delivery (subscriber_id)",
    "CREATE INDEX delivery_provider ON delivery (provider_id) WHERE provider_id != ''",
    "CREATE TABLE sending_day (day TEXT NOT NULL PRIMARY KEY, sent INTEGER NOT NULL)",
)


def upgrade(connection: Connection) -> None:
    """Create the tables."""
    types = _TYPES[connection.dialect.name]
    for statement in _STATEMENTS:
        connection.exec_driver_sql(statement.format(**types))
