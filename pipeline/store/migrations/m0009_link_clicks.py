"""Create the tables of counted links and of clicks on them."""

from __future__ import annotations

from sqlalchemy import Connection

_INSTANTS = {"sqlite": "DATETIME", "postgresql": "TIMESTAMP WITH TIME ZONE"}
_STATEMENTS = (
    """CREATE TABLE counted_link (
week TEXT NOT NULL, tag TEXT NOT NULL, url TEXT NOT NULL, is_canary BOOLEAN NOT NULL, clicks INTEGER NOT NULL,
PRIMARY KEY (week, tag))""",
    """CREATE TABLE pending_click (
client TEXT NOT NULL, week TEXT NOT NULL, tag TEXT NOT NULL, at {instant} NOT NULL, PRIMARY KEY (client, week, tag))""",
    "CREATE INDEX pending_click_at ON pending_click (at)",
    """CREATE TABLE scanner (
client TEXT NOT NULL PRIMARY KEY, from_at {instant} NOT NULL, until_at {instant} NOT NULL)""",
    "CREATE TABLE click_key (key_id INTEGER NOT NULL PRIMARY KEY, secret TEXT NOT NULL, created_at {instant} NOT NULL)",
)


def upgrade(connection: Connection) -> None:
    """Create the tables."""
    instant = _INSTANTS[connection.dialect.name]
    for statement in _STATEMENTS:
        connection.exec_driver_sql(statement.format(instant=instant))
