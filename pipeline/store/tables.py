"""The tables as they are now; how they came about is told by ``migrations/``, and a test compares the two.

In: nothing. Out: SQLAlchemy tables. Touches no database.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    and_,
    false,
)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC to the microsecond; a naive one is a bug and raises ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn into UTC on the way in: SQLite drops the zone, so it must not matter."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give UTC back on the way out."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite numbers rows by itself only where the key is a plain INTEGER.
_Id = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData()

migration = Table(
    "pipeline_migration",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
)

# One row: how many transactions were committed.
change = Table(
    "change",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("commits", BigInteger, nullable=False),
)

feed = Table(
    "feed",
    metadata,
    Column("feed_id", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("etag", Text, nullable=False),
    Column("last_modified", Text, nullable=False),
    Column("body_sha256", Text, nullable=False),
    Column("channel", JSON, nullable=False),
    Column("first_read_at", Instant),
    Column("checked_at", Instant),
    Column("read_at", Instant),
    Column("due_at", Instant),
    Column("failures", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("moved_to", Text, nullable=False),
    Column("moved_first_at", Instant),
    Column("moved_sightings", Integer, nullable=False),
    Column("body_at", Instant),
    Column("news_at", Instant),
    Column("retry_at", Instant),
    Column("retry_host", Text, nullable=False),
    Column("gone_at", Instant),
)

# An entry's names, dates and marks: all that is scanned. What is only shown lies in ``content``.
entry = Table(
    "entry",
    metadata,
    Column("entry_id", _Id, primary_key=True),
    Column("feed_id", ForeignKey("feed.feed_id"), nullable=False),
    Column("guid", Text, nullable=False),
    Column("guid_sha256", String(64), nullable=False),
    Column("url_key", Text, nullable=False),
    Column("enclosure_key", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("duration_seconds", BigInteger),
    Column("published_at", Instant, nullable=False),
    Column("dated_by", Text, nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("vanished_at", Instant),
    Column("backlog", Boolean, nullable=False),
    Column("week", Text),
)

# What makes an entry a candidate for a later digest than its week's. The index holds these rows alone, so finding
# the late ones costs what is late; queries must use this very expression, or the index is not seen.
unplaced = and_(entry.c.week.is_(None), entry.c.backlog.is_(false()))

# A guid may be 200 kB long, more than any index takes: its hash is the key.
Index("entry_guid", entry.c.feed_id, entry.c.guid_sha256, unique=True)
Index("entry_published", entry.c.feed_id, entry.c.published_at)
Index("entry_week", entry.c.week, sqlite_where=entry.c.week.is_not(None), postgresql_where=entry.c.week.is_not(None))
Index("entry_unplaced", entry.c.feed_id, entry.c.published_at, sqlite_where=unplaced, postgresql_where=unplaced)

content = Table(
    "content",
    metadata,
    Column("entry_id", ForeignKey("entry.entry_id"), primary_key=True),
    Column("facts", JSON, nullable=False),
    Column("body_html", Text, nullable=False),
)

week = Table(
    "week",
    metadata,
    Column("week", Text, primary_key=True),
    Column("settled_at", Instant, nullable=False),
)

run = Table(
    "run",
    metadata,
    Column("schedule_id", Text, primary_key=True),
    Column("period_key", Text, primary_key=True),
    Column("claimed_at", Instant, nullable=False),
)

# The newest run of each schedule, so that a tick need not look through all runs there ever were.
schedule = Table(
    "schedule",
    metadata,
    Column("schedule_id", Text, primary_key=True),
    Column("period_key", Text, nullable=False),
    Column("claimed_at", Instant, nullable=False),
)
