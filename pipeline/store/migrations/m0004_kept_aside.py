"""Entries kept aside: those in quarantine until an editor accepts them, those deleted for good."""

from __future__ import annotations

from sqlalchemy import Column, Connection, DateTime, Index, MetaData, Table, Text
from sqlalchemy.schema import CreateColumn


def upgrade(connection: Connection) -> None:
    """Widen ``entry``, and let its indexes tell what is aside, so that looking past it costs nothing."""
    entry = Table(
        "entry",
        MetaData(),
        Column("feed_id", Text),
        Column("published_at", DateTime(timezone=True)),
        Column("quarantined_at", DateTime(timezone=True)),
        Column("deleted_at", DateTime(timezone=True)),
    )
    for name in ("quarantined_at", "deleted_at"):
        column = CreateColumn(entry.c[name]).compile(dialect=connection.dialect)
        connection.exec_driver_sql(f"ALTER TABLE entry ADD COLUMN {column}")
    connection.exec_driver_sql("DROP INDEX entry_published")
    Index("entry_published", entry.c.feed_id, entry.c.published_at, entry.c.deleted_at).create(connection)
    aside = entry.c.quarantined_at.is_not(None)
    Index("entry_quarantined", entry.c.feed_id, sqlite_where=aside, postgresql_where=aside).create(connection)
