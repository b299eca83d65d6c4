"""Proofs: which were sent, which of their buttons were used, and what signs them."""

from __future__ import annotations

from sqlalchemy import Column, Connection, DateTime, Integer, LargeBinary, MetaData, Table, Text


def upgrade(connection: Connection) -> None:
    """Create the tables."""
    metadata = MetaData()
    Table(
        "proof",
        metadata,
        Column("week", Text, primary_key=True),
        Column("content_hash", Text, primary_key=True),
        Column("nth", Integer, primary_key=True, autoincrement=False),
        Column("claimed_at", DateTime(timezone=True), nullable=False),
        Column("posted_at", DateTime(timezone=True)),
        Column("manifest", LargeBinary, nullable=False),
    )
    Table(
        "used_pass",
        metadata,
        Column("pass_key", Text, primary_key=True),
        Column("used_at", DateTime(timezone=True), nullable=False),
    )
    Table(
        "signing_key",
        metadata,
        Column("purpose", Text, primary_key=True),
        Column("secret", Text, nullable=False),
    )
    metadata.create_all(connection)
