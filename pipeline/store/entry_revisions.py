"""How entries read when an edition sealed them, kept for a while after their source has rewritten them.

In: ways to read and to write, frozen records. Out: the same. Every method is one transaction; ``keep`` is part of the
one that rewrites.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, literal, select

from pipeline.model.entry import EntryRevision
from pipeline.store.columns import Instant
from pipeline.store.dialects import insert
from pipeline.store.errors import Transaction
from pipeline.store.tables import content, edition_entry, entry, former


class EntryRevisionRepository:
    """The former wordings of a store's entries; made by it."""

    def __init__(self, reading: Transaction, writing: Transaction) -> None:
        self._reading = reading
        self._writing = writing

    def get(self, fingerprints: Mapping[int, str]) -> dict[int, EntryRevision]:
        """Give how entries read under these fingerprints, by entry id; left out is what was never rewritten."""
        with self._reading() as connection:
            rows = connection.execute(select(former).where(former.c.entry_id.in_(fingerprints))).mappings()
            return {
                row["entry_id"]: EntryRevision(
                    title=row["title"],
                    url=row["facts"].get("url", ""),
                    enclosure_url=(row["facts"].get("enclosure") or {}).get("url", ""),
                    body_html=row["body_html"],
                )
                for row in rows
                if row["fingerprint"] == fingerprints[row["entry_id"]]
            }

    def prune(self, before: datetime) -> None:
        """Drop what was kept before an instant."""
        old = former.c.kept_at < before
        with self._reading() as connection:
            if connection.execute(select(former.c.entry_id).where(old).limit(1)).first() is None:
                return  # nothing to write, so no other writer need wait
        with self._writing() as connection:
            connection.execute(delete(former).where(old))


def keep(connection: Connection, entry_ids: Collection[int], now: datetime) -> None:
    """Keep, of these entries, how those read that an edition tells: they are about to be rewritten."""
    told = (
        select(
            entry.c.entry_id,
            entry.c.fingerprint,
            entry.c.title,
            content.c.facts,
            content.c.body_html,
            literal(now, Instant),
        )
        .join_from(entry, content)
        .join(edition_entry, edition_entry.c.entry_id == entry.c.entry_id)
        .where(entry.c.entry_id.in_(entry_ids), edition_entry.c.half.is_(False))
    )
    columns = ["entry_id", "fingerprint", "title", "facts", "body_html", "kept_at"]
    statement = insert(connection.dialect.name, former).from_select(columns, told)
    connection.execute(statement.on_conflict_do_nothing())
