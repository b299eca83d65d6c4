"""How entries read when an edition sealed them, kept for a while after their source has rewritten them.

In: ways to read and to write, frozen records. Out: the same. Every method is one transaction; ``keep`` is part of the
one that rewrites.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, literal, select

from pipeline.model.entry import EntryRevision
from pipeline.store.dialects import insert
from pipeline.store.errors import Transaction
from pipeline.store.schema import Instant, content, edition_entry, entry, entry_revision


class EntryRevisionRepository:
    """The former wordings of a store's entries; made by it."""

    def __init__(self, reading: Transaction, writing: Transaction) -> None:
        self._reading = reading
        self._writing = writing

    def get(self, fingerprints: Mapping[int, str]) -> dict[int, EntryRevision]:
        """Give how entries read under these fingerprints, by entry id; left out is what was never rewritten."""
        with self._reading() as connection:
            rows = connection.execute(
                select(entry_revision).where(entry_revision.c.entry_id.in_(fingerprints))
            ).mappings()
            return {
                row["entry_id"]: EntryRevision(
                    title=row["title"],
                    url=row["details"].get("url", ""),
                    enclosure_url=(row["details"].get("enclosure") or {}).get("url", ""),
                    body_html=row["body_html"],
                )
                for row in rows
                if row["fingerprint"] == fingerprints[row["entry_id"]]
            }

    def prune(self, before: datetime) -> None:
        """Drop what was kept before an instant."""
        old = entry_revision.c.replaced_at < before
        with self._reading() as connection:
            if connection.execute(select(entry_revision.c.entry_id).where(old).limit(1)).first() is None:
                return  # nothing to write, so no other writer need wait
        with self._writing() as connection:
            connection.execute(delete(entry_revision).where(old))


def keep(connection: Connection, entry_ids: Collection[int], now: datetime) -> None:
    """Keep, of these entries, how those read that an edition tells: they are about to be rewritten."""
    told = (
        select(
            entry.c.entry_id,
            entry.c.fingerprint,
            entry.c.title,
            content.c.details,
            content.c.body_html,
            literal(now, Instant),
        )
        .join_from(entry, content)
        .join(edition_entry, edition_entry.c.entry_id == entry.c.entry_id)
        .where(entry.c.entry_id.in_(entry_ids), edition_entry.c.late_counterpart.is_(False))
    )
    columns = ["entry_id", "fingerprint", "title", "details", "body_html", "replaced_at"]
    statement = insert(connection.dialect.name, entry_revision).from_select(columns, told)
    connection.execute(statement.on_conflict_do_nothing())
