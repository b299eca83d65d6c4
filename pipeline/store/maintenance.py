"""Maintenance of the database: integrity, backup, pruning, export and import."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, func, not_, select, update

from pipeline.model.errors import RefusedError
from pipeline.model.health import Owner
from pipeline.store import backup, export
from pipeline.store.database import Database
from pipeline.store.dialects import release_memory, upsert, use_snapshot, utf8_length
from pipeline.store.schema import (
    Instant,
    content,
    correction,
    edition,
    edition_entry,
    entry,
    feed,
    is_quarantined,
    is_unassigned,
    owner,
    run,
)

_BATCH = 500
_BEFORE = bindparam("before", type_=Instant)
# Entries of no week may still be published, and those in quarantine were not even decided on.
_IS_PRUNABLE = (
    (content.c.body_html != "")
    & (entry.c.published_at < _BEFORE)
    & (entry.c.changed_at < _BEFORE)
    & not_(is_unassigned)
    & not_(is_quarantined)
    & entry.c.entry_id.not_in(select(edition_entry.c.entry_id))
)
_PRUNABLE = (
    select(content.c.entry_id)
    .join_from(content, entry)
    .where(_IS_PRUNABLE, content.c.entry_id > bindparam("after"))
    .order_by(content.c.entry_id)
    .limit(_BATCH)
)


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Occasional work on a whole store."""

    database: Database

    def release_memory(self) -> None:
        """Return SQLite's cache memory to the operating system, after work that filled it."""
        with self.database.read() as connection:
            release_memory(connection)

    def integrity_errors(self) -> list[str]:
        """Return what is wrong with the database, one line each.

        SQLite reads all of it for this; a server checks itself, so there is nothing to return.
        """
        with self.database.read() as connection:
            return backup.integrity_errors(connection) if connection.dialect.name == "sqlite" else []

    def owner(self) -> Owner | None:
        """Return the publication that uses the database, or None if none has claimed it."""
        with self.database.read() as connection:
            row = connection.execute(select(owner.c.publication, owner.c.config)).first()
            return Owner(*row) if row else None

    def claim(self, publication: Owner) -> None:
        """Record the publication that uses the database, unless another one does."""
        current = self.owner()
        if current != publication and (current is None or current.is_same(publication)):
            with self.database.write() as connection:
                upsert(connection, owner, {"owner_id": 1, **asdict(publication)})

    def changed_at(self) -> datetime | None:
        """Return when the store last recorded anything about feeds, entries, runs or editions; None if it never did."""
        columns = (
            *(feed.c.checked_at, entry.c.changed_at, run.c.claimed_at, run.c.finished_at),
            *(edition.c.changed_at, correction.c.changed_at),
        )
        with self.database.read() as connection:
            instants = [connection.scalar(select(func.max(column))) for column in columns]
        return max(filter(None, instants), default=None)

    def back_up(self, file: Path) -> None:
        """Write a copy of the database as it is at one moment, while other processes go on writing.

        Raise RefusedError on a server, CorruptBackupError if the copy is not whole: then the database is damaged.
        """
        with self.database.read() as connection:
            if connection.dialect.name != "sqlite":
                raise RefusedError(
                    "[store] url names a server, which has backups of its own: use pg_dump, or `pipeline export FILE`."
                )
            backup.copy(connection, file)

    def compact(self) -> None:
        """Return the space of deleted rows to the disk; a server does so by itself."""
        with self.database.read() as connection:
            backup.compact(connection)

    def drop_bodies(self, before: datetime) -> tuple[int, int]:
        """Delete bodies from before an instant that no edition carries or may still carry; return entries and bytes.

        The entry itself stays, with its identity, fingerprint and excerpt: it can be referred to and never returns as
        new. Each batch is one transaction, so that no other writer waits for long.
        """
        entries = freed_bytes = last = 0
        while True:
            with self.database.write() as connection:
                ids = list(connection.scalars(_PRUNABLE, {"before": before, "after": last}))
                if not ids:
                    return entries, freed_bytes
                is_chosen = content.c.entry_id.in_(ids)
                size = func.coalesce(func.sum(utf8_length(connection, content.c.body_html)), 0)
                freed_bytes += int(connection.scalar(select(size).where(is_chosen)) or 0)
                connection.execute(update(content).where(is_chosen).values(body_html=""))
            entries, last = entries + len(ids), ids[-1]

    def export_rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield every row as it is at one moment: the table's name, and its values for JSON by column."""
        with self.database.read() as connection:
            use_snapshot(connection)
            yield from export.rows(connection)

    def import_rows(self, rows: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, int]:
        """Insert such rows into an empty store, all or nothing; return the number of rows by table.

        Raise RefusedError if the store is not empty, CorruptBackupError if the rows contradict each other or the
        schema. An exception raised by ``rows`` leaves the store empty, too.
        """
        with self.database.write() as connection:
            return export.insert_rows(connection, rows)
