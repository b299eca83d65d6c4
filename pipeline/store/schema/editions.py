"""Tables of editions, the entries they publish, their proofs and checks."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
)

from pipeline.store.schema.types import Instant, metadata

# Weeks whose entries were assigned. A week is closed once.
closed_week = Table(
    "closed_week",
    metadata,
    Column("week", Text, primary_key=True),
    Column("closed_at", Instant, nullable=False),
)

# The state of each week's edition; a week without a row is a draft that nobody has changed.
edition = Table(
    "edition",
    metadata,
    Column("week", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("number", Integer, unique=True),
    Column("revision", Integer, nullable=False),
    Column("version", Integer),
    Column("changed_at", Instant),
    Column("changed_by", Text, nullable=False),
    Column("note", Text, nullable=False),
)

# Every edition and correction that was ever sealed: rows are added, never changed. ``edition.version`` names the
# current edition.
sealed_edition = Table(
    "sealed_edition",
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

# The variants of each sealed edition, in the order of its manifest; topics are separated by blanks.
sealed_variant = Table(
    "sealed_variant",
    metadata,
    Column("week", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("topics", Text, nullable=False),
    Column("frequency", Text, nullable=False),
    Column("shown", Text, nullable=False),
    Column("subscribers", Integer, nullable=False),
    Column("subject", Text, nullable=False),
    Column("preheader", Text, nullable=False),
    Column("html", LargeBinary, nullable=False),
    Column("text", LargeBinary, nullable=False),
    Column("eml", LargeBinary, nullable=False),
    ForeignKeyConstraint(["week", "version"], ["sealed_edition.week", "sealed_edition.version"]),
)

# Corrections of sent editions. Their bytes are rows of ``sealed_edition`` like others, which ``version`` names.
correction = Table(
    "correction",
    metadata,
    Column("week", ForeignKey("edition.week"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("text_md", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("note", Text, nullable=False),
    ForeignKeyConstraint(["week", "version"], ["sealed_edition.week", "sealed_edition.version"]),
)

# The entries a sealed edition carries, and late counterparts of its stories. The key is the entry alone, so that the
# database itself guarantees that no entry is in two editions.
edition_entry = Table(
    "edition_entry",
    metadata,
    Column("entry_id", ForeignKey("entry.entry_id"), primary_key=True),
    Column("week", ForeignKey("edition.week"), nullable=False),
    Column("late_counterpart", Boolean, nullable=False),
)
Index("edition_entry_week", edition_entry.c.week)

# Keys of the texts in sealed editions (``text/text_keys.py``): they find a story again, whatever its feed changes.
published_text = Table(
    "published_text",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("entry_id", ForeignKey("entry.entry_id"), primary_key=True),
)

# Results of the link check, by the hash of the edition's bytes.
link_check = Table(
    "link_check",
    metadata,
    Column("content_hash", Text, primary_key=True),
    Column("checked_at", Instant, nullable=False),
    Column("results", JSON, nullable=False),
)

# Markdown excerpts, by a hash of all they were made from, so that each is made once.
excerpt = Table(
    "excerpt",
    metadata,
    Column("key", Text, primary_key=True),
    Column("markdown", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

# Every proof that was sent, or claimed to be sent.
proof = Table(
    "proof",
    metadata,
    Column("week", Text, primary_key=True),
    Column("content_hash", Text, primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("claimed_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("manifest", LargeBinary, nullable=False),
)

# Tokens of proof buttons that were used; the primary key makes sure that each is used once.
used_token = Table(
    "used_token",
    metadata,
    Column("token_key", Text, primary_key=True),
    Column("used_at", Instant, nullable=False),
)
