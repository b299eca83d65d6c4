"""The repository of excerpts, a cache: whatever is deleted is made again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select

from pipeline.store.database import Database
from pipeline.store.dialects import insert
from pipeline.store.rows import storable
from pipeline.store.schema import excerpt


@dataclass(frozen=True, slots=True)
class ExcerptRepository:
    """Markdown excerpts, by a hash of all they were made from."""

    database: Database

    def get(self, keys: Collection[str]) -> dict[str, str]:
        """Return the stored excerpts, by key."""
        statement = select(excerpt.c.key, excerpt.c.markdown).where(excerpt.c.key.in_(keys))
        with self.database.read() as connection:
            return {row.key: row.markdown for row in connection.execute(statement)}

    def save(self, excerpts: Mapping[str, str], *, now: datetime) -> None:
        """Write excerpts, by key; one that another process has written meanwhile stays."""
        rows = [
            {"key": key, "markdown": markdown, "created_at": now}
            for key, markdown in excerpts.items()
            if storable(markdown) == markdown  # a database would return another text, so it is made again each time
        ]
        if rows:
            with self.database.write() as connection:
                connection.execute(insert(connection.dialect.name, excerpt).on_conflict_do_nothing(), rows)

    def prune(self, before: datetime) -> int:
        """Delete excerpts made before an instant; return how many."""
        is_old = excerpt.c.created_at < before
        with self.database.write() as connection:
            count = connection.scalar(select(func.count()).select_from(excerpt).where(is_old)) or 0
            connection.execute(delete(excerpt).where(is_old))
        return count
