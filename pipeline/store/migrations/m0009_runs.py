"""What became of each run, so that one that failed or was cut short is taken up again, and by one process only."""

from __future__ import annotations

from sqlalchemy import Connection

COLUMNS = (
    "claimed_by TEXT DEFAULT '' NOT NULL",
    "attempts INTEGER DEFAULT 1 NOT NULL",
    "outcome TEXT DEFAULT 'done' NOT NULL",
    "line TEXT DEFAULT '' NOT NULL",
)


def upgrade(connection: Connection) -> None:
    """Widen ``run``; what had run counts as done, and ``schedule`` only points at the newest."""
    instant = "TIMESTAMP WITH TIME ZONE" if connection.dialect.name == "postgresql" else "DATETIME"
    for column in (*COLUMNS, f"finished_at {instant}", f"free_at {instant}"):
        connection.exec_driver_sql(f"ALTER TABLE run ADD COLUMN {column}")
    connection.exec_driver_sql("UPDATE run SET finished_at = claimed_at")
    connection.exec_driver_sql("ALTER TABLE schedule DROP COLUMN claimed_at")
