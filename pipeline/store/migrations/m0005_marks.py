"""What lets a run leave known items unread: the mark each was read under, and indexes for the names it looks up."""

from __future__ import annotations

from sqlalchemy import Connection

INDEXES = (
    "CREATE INDEX entry_present ON entry (feed_id, mark) WHERE vanished_at IS NULL",
    "CREATE INDEX entry_page ON entry (substr(url_key, 1, 200), feed_id)",
    "CREATE INDEX entry_media ON entry (substr(enclosure_key, 1, 200), feed_id) WHERE enclosure_key != ''",
)


def upgrade(connection: Connection) -> None:
    """Widen ``entry``; entries without a mark are read once more."""
    connection.exec_driver_sql("ALTER TABLE entry ADD COLUMN mark TEXT DEFAULT '' NOT NULL")
    for index in INDEXES:
        connection.exec_driver_sql(index)
