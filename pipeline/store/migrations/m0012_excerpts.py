"""The excerpts that digests have told, so that the same digest is made again without making them again."""

from __future__ import annotations

from sqlalchemy import Column, Connection, DateTime, MetaData, Table, Text


def upgrade(connection: Connection) -> None:
    """Create the table."""
    Table(
        "excerpt",
        metadata := MetaData(),
        Column("of", Text, primary_key=True),
        Column("markdown", Text, nullable=False),
        Column("made_at", DateTime(timezone=True), nullable=False),
    )
    metadata.create_all(connection)
