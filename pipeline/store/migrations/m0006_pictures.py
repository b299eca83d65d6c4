"""How large pictures are, so that a mail can say it and never blow one up."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Connection, DateTime, MetaData, Table, Text


def upgrade(connection: Connection) -> None:
    """Create the table."""
    Table(
        "picture",
        metadata := MetaData(),
        Column("url", Text, primary_key=True),
        Column("width", BigInteger),
        Column("height", BigInteger),
        Column("length_bytes", BigInteger),
        Column("seen_at", DateTime(timezone=True), nullable=False),
    )
    metadata.create_all(connection)
