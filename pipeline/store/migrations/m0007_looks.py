"""What the network said about an edition's links and pictures, so that an approval can go by it."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Connection, DateTime, MetaData, Table, Text


def upgrade(connection: Connection) -> None:
    """Create the table."""
    Table(
        "look",
        metadata := MetaData(),
        Column("content_hash", Text, primary_key=True),
        Column("looked_at", DateTime(timezone=True), nullable=False),
        Column("checks", JSON, nullable=False),
    )
    metadata.create_all(connection)
