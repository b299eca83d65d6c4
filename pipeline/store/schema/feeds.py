"""Tables of feeds, their entries, and what was fetched for the entries."""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    and_,
    event,
    false,
    literal_column,
    or_,
)

from pipeline.store.schema.types import ROW_ID, Instant, metadata

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
    Column("advice", Text, nullable=False),
    Column("current_url", Text, nullable=False),
    Column("moved_to", Text, nullable=False),
    Column("moved_first_at", Instant),
    Column("moved_count", Integer, nullable=False),
    Column("document_at", Instant),
    Column("new_content_at", Instant),
    Column("retry_at", Instant),
    Column("retry_host", Text, nullable=False),
    Column("gone_at", Instant),
    Column("failing_since", Instant),
)

# Identifiers, dates and states of an entry: the columns that queries scan. ``content`` has what is only shown.
entry = Table(
    "entry",
    metadata,
    Column("entry_id", ROW_ID, primary_key=True),
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
    Column("raw_hash", Text, nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("vanished_at", Instant),
    Column("withdrawn_at", Instant),
    Column("quarantined_at", Instant),
    Column("deleted_at", Instant),
    Column("archived", Boolean, nullable=False),
    Column("assigned_week", Text),
    Column("released_from", Text),
    Column("released_before", Text),  # the week that had released it before released_from, while that one is held
)

# An entry of no week is a candidate for a digest later than its own week's. The index holds only these rows, so finding
# late entries costs no more than there are; queries must use this very expression, or the index is not used.
_is_released = entry.c.released_from.is_not(None)
is_unassigned = and_(entry.c.assigned_week.is_(None), or_(entry.c.archived.is_(false()), _is_released))

is_quarantined = entry.c.quarantined_at.is_not(None)
is_alive = entry.c.deleted_at.is_(None)
is_present = entry.c.vanished_at.is_(None)

# A URL may be longer than an index allows; this prefix tells nearly all apart, and the caller compares the rest.
PREFIX_CHARS = 200
page_prefix = literal_column(f"substr(url_key, 1, {PREFIX_CHARS})", Text)
media_prefix = literal_column(f"substr(enclosure_key, 1, {PREFIX_CHARS})", Text)
has_media = entry.c.enclosure_key != literal_column("''", Text)

# The indexes are partial on PostgreSQL, too; only the migration says so, because declaring it here would import that
# dialect, a tenth of the start-up time, into every process.
# A guid may be 200 kB long, more than any index allows: its hash is the key.
Index("entry_guid", entry.c.feed_id, entry.c.guid_sha256, unique=True)
Index("entry_published", entry.c.feed_id, entry.c.published_at, entry.c.deleted_at)
Index("entry_week", entry.c.assigned_week, sqlite_where=entry.c.assigned_week.is_not(None))
Index("entry_unassigned", entry.c.feed_id, entry.c.published_at, sqlite_where=is_unassigned)
Index("entry_released", entry.c.released_from, sqlite_where=_is_released)
Index("entry_present", entry.c.feed_id, entry.c.raw_hash, sqlite_where=is_present)
Index("entry_page", page_prefix, entry.c.feed_id)
Index("entry_media", media_prefix, entry.c.feed_id, sqlite_where=has_media)
Index("entry_quarantined", entry.c.feed_id, sqlite_where=is_quarantined)

content = Table(
    "content",
    metadata,
    Column("entry_id", ForeignKey("entry.entry_id"), primary_key=True),
    Column("details", JSON, nullable=False),
    Column("body_html", Text, nullable=False),
)

# Entries as a sealed edition published them, saved when their source rewrites them.
entry_revision = Table(
    "entry_revision",
    metadata,
    Column("entry_id", ForeignKey("entry.entry_id"), primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("details", JSON, nullable=False),
    Column("body_html", Text, nullable=False),
    Column("replaced_at", Instant, nullable=False),
)

# How far each feed's archive was read.
archive_position = Table(
    "archive_position",
    metadata,
    Column("feed_id", Text, primary_key=True),
    Column("next_url", Text, nullable=False),
    Column("page_hashes", JSON, nullable=False),
    Column("entry_count", Integer, nullable=False),
    Column("done", Boolean, nullable=False),
    Column("read_at", Instant, nullable=False),
)

# Lines of chapters and transcripts by URL, so that each is fetched once; each as [its start in seconds or null, text].
episode_detail = Table(
    "episode_detail",
    metadata,
    Column("url", Text, primary_key=True),
    Column("lines", JSON, nullable=False),
    Column("fetched_at", Instant, nullable=False),
)

# Image sizes by URL. A row without width and height: the image was fetched, and its first bytes do not say.
image_size = Table(
    "image_size",
    metadata,
    Column("url", Text, primary_key=True),
    Column("width", BigInteger),
    Column("height", BigInteger),
    Column("length_bytes", BigInteger),
    Column("fetched_at", Instant, nullable=False),
)

# Chapters, transcripts and images that could not be fetched, with how often in a row and when last.
failed_media = Table(
    "failed_media",
    metadata,
    Column("url", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("failed_at", Instant, nullable=False),
)

# Full-text index of titles and excerpts, to find older entries on the same subject. A trigger fills it, in C, in a few
# microseconds an entry; the migration creates PostgreSQL's.
_CREATE_INDEX = """CREATE VIRTUAL TABLE entry_words
USING fts5(title, text, content='', columnsize=0, tokenize='porter unicode61 remove_diacritics 2')"""
_CREATE_TRIGGER = """CREATE TRIGGER entry_words_fill AFTER INSERT ON content BEGIN
INSERT INTO entry_words (rowid, title, text)
SELECT entry.entry_id, entry.title, coalesce(json_extract(details, '$.excerpt_text'), '') || ' ' ||
coalesce(json_extract(details, '$.categories'), '') || ' ' || coalesce(json_extract(details, '$.guest'), '')
FROM content JOIN entry ON entry.entry_id = content.entry_id WHERE content.entry_id = new.entry_id; END"""
for _statement in (_CREATE_INDEX, _CREATE_TRIGGER):
    event.listen(metadata, "after_create", DDL(_statement).execute_if(dialect="sqlite"))  # type: ignore[no-untyped-call]
