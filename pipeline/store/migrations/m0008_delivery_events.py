"""Create the table of what came back after deliveries."""

from __future__ import annotations

from sqlalchemy import Connection

_TYPES = {
    "sqlite": {"id": "INTEGER NOT NULL PRIMARY KEY", "ref": "INTEGER", "instant": "DATETIME"},
    "postgresql": {"id": "BIGSERIAL NOT NULL PRIMARY KEY", "ref": "BIGINT", "instant": "TIMESTAMP WITH TIME ZONE"},
}
_STATEMENTS = (
    """CREATE TABLE delivery_event (
event_id {id}, event_key TEXT NOT NULL, kind TEXT NOT NULL, severity TEXT NOT NULL,
delivery_id {ref}, week TEXT NOT NULL,
subscriber_id {ref}, address TEXT NOT NULL, at {instant} NOT NULL,
recorded_at {instant} NOT NULL, diagnostic TEXT NOT NULL,
FOREIGN KEY(delivery_id) REFERENCES delivery (delivery_id),
FOREIGN KEY(subscriber_id) REFERENCES subscriber (subscriber_id))""",
    "CREATE UNIQUE INDEX delivery_event_once ON delivery_event (event_key)",
    "CREATE INDEX delivery_event_week ON delivery_event (week, kind, delivery_id)",
    "CREATE INDEX delivery_event_subscriber ON delivery_event (subscriber_id)",
    "CREATE INDEX delivery_event_delivery ON delivery_event (delivery_id)",
)


def upgrade(connection: Connection) -> None:
    """Create the table."""
    types = _TYPES[connection.dialect.name]
    for statement in _STATEMENTS:
        connection.exec_driver_sql(statement.format(**types))
