"""Editions: where each stands, what was sealed, which entries it tells; and what a week gave up again."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    and_,
    false,
    or_,
)
from sqlalchemy.schema import CreateColumn


def upgrade(connection: Connection) -> None:
    """Add what editions need."""
    _entries(connection)
    metadata = MetaData()
    Table("entry", metadata, Column("entry_id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True))
    _editions(metadata)
    metadata.create_all(connection)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _entries(connection: Connection) -> None:
    """Widen ``entry``; its index of what may be late now holds what a week has given up, too."""
    entry = Table(
        "entry",
        MetaData(),
        Column("feed_id", Text),
        Column("published_at", DateTime(timezone=True)),
        Column("backlog", Boolean),
        Column("week", Text),
        Column("released_from", Text),
        Column("withdrawn_at", DateTime(timezone=True)),
    )
    for name in ("released_from", "withdrawn_at"):
        column = CreateColumn(entry.c[name]).compile(dialect=connection.dialect)
        connection.exec_driver_sql(f"ALTER TABLE entry ADD COLUMN {column}")
    connection.exec_driver_sql("DROP INDEX entry_unplaced")
    unplaced = and_(entry.c.week.is_(None), or_(entry.c.backlog.is_(false()), entry.c.released_from.is_not(None)))
    Index(
        "entry_unplaced", entry.c.feed_id, entry.c.published_at, sqlite_where=unplaced, postgresql_where=unplaced
    ).create(connection)
    released = entry.c.released_from.is_not(None)
    Index("entry_released", entry.c.released_from, sqlite_where=released, postgresql_where=released).create(connection)


def _editions(metadata: MetaData) -> None:
    Table(
        "edition",
        metadata,
        Column("week", Text, primary_key=True),
        _text("state"),
        Column("number", Integer, unique=True),
        Column("revision", Integer, nullable=False),
        Column("version", Integer),
        Column("moved_at", DateTime(timezone=True)),
        *(_text(name) for name in ("moved_by", "remark")),
    )
    Table(
        "sealed",
        metadata,
        Column("week", ForeignKey("edition.week"), primary_key=True),
        Column("version", Integer, primary_key=True),
        Column("sealed_at", DateTime(timezone=True), nullable=False),
        *(_text(name) for name in ("sealed_by", "content_hash", "subject", "preheader")),
        *(Column(name, LargeBinary, nullable=False) for name in ("html", "text", "eml", "manifest")),
        *(Column(name, JSON, nullable=False) for name in ("stories", "overrides")),
    )
    edition_entry = Table(
        "edition_entry",
        metadata,
        Column("entry_id", ForeignKey("entry.entry_id"), primary_key=True),
        Column("week", ForeignKey("edition.week"), nullable=False),
        Column("half", Boolean, nullable=False),
    )
    Index("edition_entry_week", edition_entry.c.week)
