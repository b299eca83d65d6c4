"""What lies behind the feeds: how far it was read, its words, and what was learnt about episodes."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Connection, DateTime, Integer, MetaData, Table, Text

WORDS = """CREATE VIRTUAL TABLE entry_words
USING fts5(title, text, content='', columnsize=0, tokenize='porter unicode61 remove_diacritics 2')"""
SENTENCES = """SELECT entry.entry_id, entry.title, coalesce(json_extract(facts, '$.excerpt_text'), '') || ' ' ||
coalesce(json_extract(facts, '$.categories'), '') || ' ' || coalesce(json_extract(facts, '$.guest'), '')
FROM content JOIN entry ON entry.entry_id = content.entry_id"""
FILL = f"""CREATE TRIGGER entry_words_fill AFTER INSERT ON content BEGIN
INSERT INTO entry_words (rowid, title, text) {SENTENCES} WHERE content.entry_id = new.entry_id; END"""


def upgrade(connection: Connection) -> None:
    """Create the tables; on SQLite also the index of words, with what is stored already."""
    metadata = MetaData()
    Table(
        "backfill",
        metadata,
        Column("feed_id", Text, primary_key=True),
        Column("next_url", Text, nullable=False),
        Column("pages", JSON, nullable=False),
        Column("entries", Integer, nullable=False),
        Column("done", Boolean, nullable=False),
        Column("read_at", DateTime(timezone=True), nullable=False),
    )
    Table(
        "talk",
        metadata,
        Column("url", Text, primary_key=True),
        Column("lines", JSON, nullable=False),
        Column("read_at", DateTime(timezone=True), nullable=False),
    )
    metadata.create_all(connection)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(WORDS)
        connection.exec_driver_sql(f"INSERT INTO entry_words (rowid, title, text) {SENTENCES}")
        connection.exec_driver_sql(FILL)
