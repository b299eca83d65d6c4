"""Remember which chapters, transcripts and images could not be fetched, so that not every digest waits for them."""

from __future__ import annotations

from sqlalchemy import Connection


def upgrade(connection: Connection) -> None:
    """Create the table."""
    instant = "TIMESTAMP WITH TIME ZONE" if connection.dialect.name == "postgresql" else "DATETIME"
    columns = f"url TEXT NOT NULL PRIMARY KEY, failures INTEGER NOT NULL, failed_at {instant} NOT NULL"
    connection.exec_driver_sql(f"CREATE TABLE failed_media ({columns})")
