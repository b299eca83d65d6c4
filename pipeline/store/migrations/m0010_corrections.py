"""Create the table of corrections."""

from __future__ import annotations

from sqlalchemy import Connection

_INSTANT = {"sqlite": "DATETIME", "postgresql": "TIMESTAMP WITH TIME ZONE"}
_STATEMENT = """CREATE TABLE correction (
week TEXT NOT NULL, number INTEGER NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL, text_md TEXT NOT NULL,
changed_at {instant} NOT NULL, changed_by TEXT NOT NULL, note TEXT NOT NULL, PRIMARY KEY (week, number),
FOREIGN KEY(week, version) REFERENCES sealed_edition (week, version),
FOREIGN KEY(week) REFERENCES edition (week))"""


def upgrade(connection: Connection) -> None:
    """Create the table."""
    connection.exec_driver_sql(_STATEMENT.format(instant=_INSTANT[connection.dialect.name]))
