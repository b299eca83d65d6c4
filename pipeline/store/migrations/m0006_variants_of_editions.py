"""Store the variants that an edition was sealed with."""

from __future__ import annotations

from sqlalchemy import Connection

_TABLE = """CREATE TABLE sealed_variant (
week TEXT NOT NULL, version INTEGER NOT NULL, position INTEGER NOT NULL, topics TEXT NOT NULL, frequency TEXT NOT NULL,
shown TEXT NOT NULL, subscribers INTEGER NOT NULL, subject TEXT NOT NULL, preheader TEXT NOT NULL,
html {bytes} NOT NULL, text {bytes} NOT NULL, eml {bytes} NOT NULL, PRIMARY KEY (week, version, position),
FOREIGN KEY(week, version) REFERENCES sealed_edition (week, version))"""


def upgrade(connection: Connection) -> None:
    """Create the table."""
    connection.exec_driver_sql(_TABLE.format(bytes="BYTEA" if connection.dialect.name == "postgresql" else "BLOB"))
