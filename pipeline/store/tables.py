"""The tables as they are now; how they came about is told by ``migrations/``, and a test compares the two.

In: nothing. Out: SQLAlchemy tables. Touches no database.
"""

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
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    and_,
    event,
    false,
    literal_column,
    or_,
)

from pipeline.store.columns import ROW_NUMBER, Instant

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
    Column("failing_since", Instant),
)

# An entry's names, dates and marks: all that is scanned. What is only shown lies in ``content``.
entry = Table(
    "entry",
    metadata,
    Column("entry_id", ROW_NUMBER, primary_key=True),
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
    Column("released_from", Text),
    Column("withdrawn_at", Instant),
    Column("quarantined_at", Instant),
    Column("deleted_at", Instant),
    Column("mark", Text, nullable=False, server_default=""),
)

# What makes an entry a candidate for a later digest than its week's. The index holds these rows alone, so finding
# the late ones costs what is late; queries must use this very expression, or the index is not seen.
_released = entry.c.released_from.is_not(None)
unplaced = and_(entry.c.week.is_(None), or_(entry.c.backlog.is_(false()), _released))

quarantined = entry.c.quarantined_at.is_not(None)
alive = entry.c.deleted_at.is_(None)
present = entry.c.vanished_at.is_(None)

# An address may be longer than an index takes; so many characters tell nearly all apart, who asks compares the rest.
PREFIX_CHARS = 200
page_prefix = literal_column(f"substr(url_key, 1, {PREFIX_CHARS})", Text)
media_prefix = literal_column(f"substr(enclosure_key, 1, {PREFIX_CHARS})", Text)
has_media = entry.c.enclosure_key != literal_column("''", Text)

# PostgreSQL's indexes are as partial as SQLite's; the migrations say so to both. Said here, it would load that dialect,
# a tenth of a start, into every process.
# A guid may be 200 kB long, more than any index takes: its hash is the key.
Index("entry_guid", entry.c.feed_id, entry.c.guid_sha256, unique=True)
Index("entry_published", entry.c.feed_id, entry.c.published_at, entry.c.deleted_at)
Index("entry_week", entry.c.week, sqlite_where=entry.c.week.is_not(None))
Index("entry_unplaced", entry.c.feed_id, entry.c.published_at, sqlite_where=unplaced)
Index("entry_released", entry.c.released_from, sqlite_where=_released)
Index("entry_present", entry.c.feed_id, entry.c.mark, sqlite_where=present)
Index("entry_page", page_prefix, entry.c.feed_id)
Index("entry_media", media_prefix, entry.c.feed_id, sqlite_where=has_media)
Index("entry_quarantined", entry.c.feed_id, sqlite_where=quarantined)

content = Table(
    "content",
    metadata,
    Column("entry_id", ForeignKey("entry.entry_id"), primary_key=True),
    Column("facts", JSON, nullable=False),
    Column("body_html", Text, nullable=False),
)

# Where each week's edition stands; a week without a row is a draft nobody has touched.
edition = Table(
    "edition",
    metadata,
    Column("week", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("number", Integer, unique=True),
    Column("revision", Integer, nullable=False),
    Column("version", Integer),
    Column("moved_at", Instant),
    Column("moved_by", Text, nullable=False),
    Column("remark", Text, nullable=False),
)

# Every seal there ever was: rows are added, never changed. ``edition.version`` names the one that counts.
sealed = Table(
    "sealed",
    metadata,
    Column("week", ForeignKey("edition.week"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("sealed_at", Instant, nullable=False),
    Column("sealed_by", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("preheader", Text, nullable=False),
    Column("html", LargeBinary, nullable=False),
    Column("text", LargeBinary, nullable=False),
    Column("eml", LargeBinary, nullable=False),
    Column("manifest", LargeBinary, nullable=False),
    Column("stories", JSON, nullable=False),
    Column("overrides", JSON, nullable=False),
)

# Which entries a sealed edition tells, and which halves of its stories came too late for it. The key is the entry
# alone: that no entry is in two editions is a promise of the database, whatever the program does.
edition_entry = Table(
    "edition_entry",
    metadata,
    Column("entry_id", ForeignKey("entry.entry_id"), primary_key=True),
    Column("week", ForeignKey("edition.week"), nullable=False),
    Column("half", Boolean, nullable=False),
)
Index("edition_entry_week", edition_entry.c.week)

# What the network said about an edition's links and pictures, by the hash of what its readers get.
look = Table(
    "look",
    metadata,
    Column("content_hash", Text, primary_key=True),
    Column("looked_at", Instant, nullable=False),
    Column("checks", JSON, nullable=False),
)

week = Table(
    "week",
    metadata,
    Column("week", Text, primary_key=True),
    Column("settled_at", Instant, nullable=False),
)

# How far the archive behind a feed was read.
backfill = Table(
    "backfill",
    metadata,
    Column("feed_id", Text, primary_key=True),
    Column("next_url", Text, nullable=False),
    Column("pages", JSON, nullable=False),
    Column("entries", Integer, nullable=False),
    Column("done", Boolean, nullable=False),
    Column("read_at", Instant, nullable=False),
)

# What chapters and transcripts say of an episode, by their address, so that each is asked for once.
talk = Table(
    "talk",
    metadata,
    Column("url", Text, primary_key=True),
    Column("lines", JSON, nullable=False),
    Column("read_at", Instant, nullable=False),
)

# How large a picture is, as its first bytes say. Without width and height: it was read, and they do not say.
picture = Table(
    "picture",
    metadata,
    Column("url", Text, primary_key=True),
    Column("width", BigInteger),
    Column("height", BigInteger),
    Column("length_bytes", BigInteger),
    Column("seen_at", Instant, nullable=False),
)

# The Markdown made of a body, by the key of all it was made of, so that each is made once.
excerpt = Table(
    "excerpt",
    metadata,
    Column("of", Text, primary_key=True),
    Column("markdown", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
)

# What people are told, one row for each time it came about. Of one thing there is one open row: a promise of the
# database, whatever the number of processes.
notice = Table(
    "notice",
    metadata,
    Column("notice_id", ROW_NUMBER, primary_key=True),
    Column("about", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant),
)
still_open = notice.c.closed_at.is_(None)
Index("notice_open", notice.c.about, unique=True, sqlite_where=still_open)

# A notice in one way: to be told when ``due_at`` comes, told since ``told_at``.
telling = Table(
    "telling",
    metadata,
    Column("notice_id", ForeignKey("notice.notice_id"), primary_key=True),
    Column("way", Text, primary_key=True),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant),
    Column("told_at", Instant),
    Column("trouble", Text, nullable=False),
)
to_be_told = telling.c.due_at.is_not(None)
Index("telling_due", telling.c.due_at, sqlite_where=to_be_told)

# How an edition's entries read when they were sealed, kept when their source rewrites them.
former = Table(
    "former",
    metadata,
    Column("entry_id", ForeignKey("entry.entry_id"), primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("body_html", Text, nullable=False),
    Column("kept_at", Instant, nullable=False),
)

# The words of titles and excerpts, to find older entries about the same. SQLite keeps them by itself, in C, for a few
# microseconds an entry; nothing else is made of an entry before a digest takes it.
_WORDS = """CREATE VIRTUAL TABLE entry_words
USING fts5(title, text, content='', columnsize=0, tokenize='porter unicode61 remove_diacritics 2')"""
_FILL_WORDS = """CREATE TRIGGER entry_words_fill AFTER INSERT ON content BEGIN
INSERT INTO entry_words (rowid, title, text)
SELECT entry.entry_id, entry.title, coalesce(json_extract(facts, '$.excerpt_text'), '') || ' ' ||
coalesce(json_extract(facts, '$.categories'), '') || ' ' || coalesce(json_extract(facts, '$.guest'), '')
FROM content JOIN entry ON entry.entry_id = content.entry_id WHERE content.entry_id = new.entry_id; END"""
for _statement in (_WORDS, _FILL_WORDS):
    event.listen(metadata, "after_create", DDL(_statement).execute_if(dialect="sqlite"))  # type: ignore[no-untyped-call]
