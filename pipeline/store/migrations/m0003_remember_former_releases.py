"""Remember which week had released an entry before a later one did, for when that one is resumed."""

from __future__ import annotations

from sqlalchemy import Connection


def upgrade(connection: Connection) -> None:
    """Add the column; of entries that were released twice already, the first week is not known."""
    connection.exec_driver_sql("ALTER TABLE entry ADD COLUMN released_before TEXT")
