"""What people were told, since when a feed fails, and how sent entries read when they were sealed."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Connection, DateTime, ForeignKey, Index, Integer, MetaData, Table, Text
from sqlalchemy.schema import CreateColumn

_NUMBER = BigInteger().with_variant(Integer(), "sqlite")


def upgrade(connection: Connection) -> None:
    """Create the tables of notices and of former contents; let feeds remember since when they fail."""
    metadata = MetaData()
    _notices(metadata)
    entry = Table("entry", metadata, Column("entry_id", _NUMBER, primary_key=True))
    Table(
        "former",
        metadata,
        Column("entry_id", ForeignKey(entry.c.entry_id), primary_key=True),
        Column("fingerprint", Text, primary_key=True),
        Column("title", Text, nullable=False),
        Column("facts", JSON, nullable=False),
        Column("body_html", Text, nullable=False),
        Column("kept_at", DateTime(timezone=True), nullable=False),
    )
    metadata.create_all(connection)
    feed = Table("feed", MetaData(), Column("failing_since", DateTime(timezone=True)))
    column = CreateColumn(feed.c.failing_since).compile(dialect=connection.dialect)
    connection.exec_driver_sql(f"ALTER TABLE feed ADD COLUMN {column}")


def _notices(metadata: MetaData) -> None:
    notice = Table(
        "notice",
        metadata,
        Column("notice_id", _NUMBER, primary_key=True),
        Column("about", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("text", Text, nullable=False),
        Column("level", Text, nullable=False),
        Column("opened_at", DateTime(timezone=True), nullable=False),
        Column("closed_at", DateTime(timezone=True)),
    )
    open_ones = notice.c.closed_at.is_(None)
    Index("notice_open", notice.c.about, unique=True, sqlite_where=open_ones, postgresql_where=open_ones)
    telling = Table(
        "telling",
        metadata,
        Column("notice_id", ForeignKey(notice.c.notice_id), primary_key=True),
        Column("way", Text, primary_key=True),
        Column("attempts", Integer, nullable=False),
        Column("due_at", DateTime(timezone=True)),
        Column("told_at", DateTime(timezone=True)),
        Column("trouble", Text, nullable=False),
    )
    waiting = telling.c.due_at.is_not(None)
    Index("telling_due", telling.c.due_at, sqlite_where=waiting, postgresql_where=waiting)
