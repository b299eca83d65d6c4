"""The tables of proofs, beside those in ``tables``.

In: nothing. Out: SQLAlchemy tables. Touches no database.
"""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, Table, Text

from pipeline.store.columns import Instant
from pipeline.store.tables import metadata

# Every proof that was sent, or was about to be.
proof = Table(
    "proof",
    metadata,
    Column("week", Text, primary_key=True),
    Column("content_hash", Text, primary_key=True),
    Column("nth", Integer, primary_key=True, autoincrement=False),
    Column("claimed_at", Instant, nullable=False),
    Column("posted_at", Instant),
    Column("manifest", LargeBinary, nullable=False),
)

# The passes that were used: the key alone makes that happen once.
used_pass = Table(
    "used_pass",
    metadata,
    Column("pass_key", Text, primary_key=True),
    Column("used_at", Instant, nullable=False),
)

# What signs links, one key a purpose, made at first use and never again.
signing_key = Table(
    "signing_key",
    metadata,
    Column("purpose", Text, primary_key=True),
    Column("secret", Text, nullable=False),
)
