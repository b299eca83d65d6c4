"""Feeds, entries, settled weeks, runs."""

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
    MetaData,
    String,
    Table,
    Text,
    and_,
    false,
)


def upgrade(connection: Connection) -> None:
    """Create all tables."""
    metadata = MetaData()
    _keeping(metadata)
    _feeds(metadata)
    _entries(metadata)
    _planning(metadata)
    metadata.create_all(connection)
    connection.execute(metadata.tables["change"].insert().values(one=1, commits=0))


def _instant(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _keeping(metadata: MetaData) -> None:
    Table(
        "change",
        metadata,
        Column("one", Integer, primary_key=True, autoincrement=False),
        Column("commits", BigInteger, nullable=False),
    )


def _feeds(metadata: MetaData) -> None:
    Table(
        "feed",
        metadata,
        Column("feed_id", Text, primary_key=True),
        *(_text(name) for name in ("url", "etag", "last_modified", "body_sha256")),
        Column("channel", JSON, nullable=False),
        *(_instant(name, nullable=True) for name in ("first_read_at", "checked_at", "read_at", "due_at")),
        Column("failures", Integer, nullable=False),
        *(_text(name) for name in ("outcome", "detail", "address", "moved_to")),
        _instant("moved_first_at", nullable=True),
        Column("moved_sightings", Integer, nullable=False),
        *(_instant(name, nullable=True) for name in ("body_at", "news_at", "retry_at")),
        _text("retry_host"),
        _instant("gone_at", nullable=True),
    )


def _entries(metadata: MetaData) -> None:
    entry = Table(
        "entry",
        metadata,
        Column("entry_id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
        Column("feed_id", ForeignKey("feed.feed_id"), nullable=False),
        _text("guid"),
        Column("guid_sha256", String(64), nullable=False),
        *(_text(name) for name in ("url_key", "enclosure_key", "media_type", "fingerprint", "title")),
        Column("duration_seconds", BigInteger),
        _instant("published_at"),
        _text("dated_by"),
        *(_instant(name) for name in ("first_seen_at", "changed_at")),
        _instant("vanished_at", nullable=True),
        Column("backlog", Boolean, nullable=False),
        Column("week", Text),
    )
    _entry_indexes(entry)
    Table(
        "content",
        metadata,
        Column("entry_id", ForeignKey("entry.entry_id"), primary_key=True),
        Column("facts", JSON, nullable=False),
        _text("body_html"),
    )


def _entry_indexes(entry: Table) -> None:
    placed = entry.c.week.is_not(None)
    unplaced = and_(entry.c.week.is_(None), entry.c.backlog.is_(false()))
    Index("entry_guid", entry.c.feed_id, entry.c.guid_sha256, unique=True)
    Index("entry_published", entry.c.feed_id, entry.c.published_at)
    Index("entry_week", entry.c.week, sqlite_where=placed, postgresql_where=placed)
    Index("entry_unplaced", entry.c.feed_id, entry.c.published_at, sqlite_where=unplaced, postgresql_where=unplaced)


def _planning(metadata: MetaData) -> None:
    Table("week", metadata, Column("week", Text, primary_key=True), _instant("settled_at"))
    Table(
        "run",
        metadata,
        Column("schedule_id", Text, primary_key=True),
        Column("period_key", Text, primary_key=True),
        _instant("claimed_at"),
    )
    Table(
        "schedule", metadata, Column("schedule_id", Text, primary_key=True), _text("period_key"), _instant("claimed_at")
    )
