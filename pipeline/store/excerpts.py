"""Excerpts that were made once, by what they were made of.

In: ways to read and to write, plain values. Out: the same. Every method is one transaction. Nothing here is more than
what it saves: whatever is dropped is made again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import delete, func, select

from pipeline.store.dialects import insert
from pipeline.store.errors import Transaction
from pipeline.store.rows import storable
from pipeline.store.schema import excerpt


class ExcerptRepository:
    """The excerpts a store keeps; made by it."""

    def __init__(self, reading: Transaction, writing: Transaction) -> None:
        self._reading = reading
        self._writing = writing

    def get(self, keys: Collection[str]) -> dict[str, str]:
        """Give those that are kept, by key."""
        with self._reading() as connection:
            rows = connection.execute(select(excerpt.c.key, excerpt.c.markdown).where(excerpt.c.key.in_(keys)))
            return {row.key: row.markdown for row in rows}

    def save(self, excerpts: Mapping[str, str], *, now: datetime) -> None:
        """Keep new ones; of one that another process kept meanwhile, the first is as good."""
        # What a database would not give back as it was is better made again.
        kept = {key: markdown for key, markdown in excerpts.items() if storable(markdown) == markdown}
        rows = [{"key": key, "markdown": markdown, "created_at": now} for key, markdown in kept.items()]
        if rows:
            with self._writing() as connection:
                connection.execute(insert(connection.dialect.name, excerpt).on_conflict_do_nothing(), rows)

    def prune(self, before: datetime) -> int:
        """Drop those made before an instant; counts them."""
        old = excerpt.c.created_at < before
        with self._writing() as connection:
            count = connection.scalar(select(func.count()).select_from(excerpt).where(old)) or 0
            connection.execute(delete(excerpt).where(old))
        return count
