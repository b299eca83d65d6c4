"""The repository of feed archives: how far each was read, and the entries its pages brought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from pipeline.model.feed import ArchivePosition
from pipeline.model.update import EntryChange
from pipeline.store.database import Database
from pipeline.store.dialects import upsert
from pipeline.store.entry_updates import insert_archived
from pipeline.store.schema import archive_position
from pipeline.store.word_index import optimize_word_index


@dataclass(frozen=True, slots=True)
class ArchiveRepository:
    """Positions in the archives of feeds."""

    database: Database

    def positions(self) -> dict[str, ArchivePosition]:
        """Return how far each archive was read, by feed id."""
        with self.database.read() as connection:
            rows = connection.execute(select(archive_position)).mappings()
            return {
                row["feed_id"]: ArchivePosition(**{**row, "page_hashes": tuple(row["page_hashes"])}) for row in rows
            }

    def save_page(self, position: ArchivePosition, changes: Sequence[EntryChange], *, now: datetime) -> int:
        """Write the new entries of one page as archived, and the position after it; return the number of new entries.

        At the end of the archive the word index is optimized.
        """
        names = [column.name for column in archive_position.columns]
        row = {name: getattr(position, name) for name in names} | {"page_hashes": list(position.page_hashes)}
        with self.database.write() as connection:
            count = insert_archived(connection, changes, now)
            upsert(connection, archive_position, row)
            if position.done:
                optimize_word_index(connection)
            return count
