"""Create the table of the desk's sessions."""

from __future__ import annotations

from sqlalchemy import Connection

_TYPES = {
    "sqlite": {"id": "INTEGER NOT NULL PRIMARY KEY", "instant": "DATETIME"},
    "postgresql": {"id": "BIGSERIAL NOT NULL PRIMARY KEY", "instant": "TIMESTAMP WITH TIME ZONE"},
}
_STATEMENTS = (
    """CREATE TABLE editor_session (
session_id {id}, secret_hash TEXT NOT NULL, editor TEXT NOT NULL, origin TEXT NOT NULL,
started_at {instant} NOT NULL, used_at {instant} NOT NULL, expires_at {instant} NOT NULL, browser TEXT NOT NULL)""",
    "CREATE UNIQUE INDEX editor_session_secret ON editor_session (secret_hash)",
    "CREATE INDEX editor_session_editor ON editor_session (editor)",
)


def upgrade(connection: Connection) -> None:
    """Create the table."""
    types = _TYPES[connection.dialect.name]
    for statement in _STATEMENTS:
        connection.exec_driver_sql(statement.format(**types))
