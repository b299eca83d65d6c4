"""The repository of entry revisions: entries as an edition published them, saved before their source rewrites them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, literal, select

from pipeline.model.entry import EntryRevision
from pipeline.store.database import Database
from pipeline.store.dialects import insert
from pipeline.store.schema import Instant, content, edition_entry, entry, entry_revision


@dataclass(frozen=True, slots=True)
class EntryRevisionRepository:
    """Former revisions of published entries, by entry id and fingerprint."""

    database: Database

    def get(self, fingerprints: Mapping[int, str]) -> dict[int, EntryRevision]:
        """Return the revisions with these fingerprints, by entry id; entries that were never rewritten are absent."""
        statement = select(entry_revision).where(entry_revision.c.entry_id.in_(fingerprints))
        with self.database.read() as connection:
            return {
                row["entry_id"]: EntryRevision(
                    title=row["title"],
                    url=row["details"].get("url", ""),
                    enclosure_url=(row["details"].get("enclosure") or {}).get("url", ""),
                    body_html=row["body_html"],
                )
                for row in connection.execute(statement).mappings()
                if row["fingerprint"] == fingerprints[row["entry_id"]]
            }

    def prune(self, before: datetime) -> None:
        """Delete revisions that were replaced before an instant."""
        is_old = entry_revision.c.replaced_at < before
        with self.database.read() as connection:
            if connection.execute(select(entry_revision.c.entry_id).where(is_old).limit(1)).first() is None:
                return  # nothing to write, so no other writer has to wait
        with self.database.write() as connection:
            connection.execute(delete(entry_revision).where(is_old))


def save_revisions(connection: Connection, entry_ids: Collection[int], now: datetime) -> None:
    """Save, inside the caller's transaction, those of the entries that an edition carries."""
    columns = ["entry_id", "fingerprint", "title", "details", "body_html", "replaced_at"]
    published = (
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
    statement = insert(connection.dialect.name, entry_revision).from_select(columns, published)
    connection.execute(statement.on_conflict_do_nothing())
