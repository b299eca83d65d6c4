"""What the instruments show of the store: counts, and nothing that names what is counted.

In: a way to read. Out: numbers. One look into an index each, so that it may be asked every few seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from pipeline.model.run import RunStatus
from pipeline.store.errors import Transaction
from pipeline.store.schema import edition, entry, feed, is_alive, migration, run


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseInfo:
    """What a store is built on."""

    dialect: str
    """``sqlite`` or ``postgresql``."""
    schema_version: int
    """The number of the newest migration."""
    journal_mode: str
    """How SQLite keeps its journal, e.g. ``wal``; empty elsewhere."""


class StoreMetrics:
    """The instruments of a store; made by it."""

    def __init__(self, reading: Transaction) -> None:
        self._reading = reading

    def database_info(self) -> DatabaseInfo:
        """Tell what the store is built on."""
        with self._reading() as connection:
            schema = connection.scalar(select(func.max(migration.c.number))) or 0
            dialect = connection.dialect.name
            journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar() if dialect == "sqlite" else ""
            return DatabaseInfo(dialect=dialect, schema_version=schema, journal_mode=str(journal))

    def feeds_by_outcome(self, feed_ids: Collection[str]) -> dict[str, int]:
        """Count feeds by their last outcome; ``never`` are those that were not asked yet."""
        with self._reading() as connection:
            words = {row.feed_id: row.outcome for row in connection.execute(select(feed.c.feed_id, feed.c.outcome))}
        return dict(Counter(words.get(each, "") or "never" for each in feed_ids))

    def entry_counts(self) -> tuple[int, int]:
        """Count the entries that are kept, and all that ever came in."""
        with self._reading() as connection:
            kept = connection.scalar(select(func.count()).select_from(entry).where(is_alive)) or 0
            return kept, connection.scalar(select(func.count()).select_from(entry)) or 0

    def editions_by_state(self) -> tuple[dict[str, int], int]:
        """Count editions by where they stand, and tell the newest number."""
        with self._reading() as connection:
            by_state = connection.execute(
                select(edition.c.state, func.count().label("editions")).group_by(edition.c.state)
            )
            counted = {row.state: row.editions for row in by_state}
            return counted, connection.scalar(select(func.max(edition.c.number))) or 0

    def runs_by_outcome(self) -> dict[tuple[str, str], int]:
        """Count the runs of each task by how they ended."""
        with self._reading() as connection:
            ended = run.c.task_id, run.c.status
            counted = connection.execute(select(*ended, func.count()).group_by(*ended))
            return {(task, outcome): number for task, outcome, number in counted}

    def last_finished_at(self, *outcomes: RunStatus) -> dict[str, datetime]:
        """Tell when each task last ended, in one of these ways where some are named."""
        last = func.max(run.c.finished_at).label("last_at")
        ended = select(run.c.task_id, last).where(run.c.finished_at.is_not(None))
        wanted = ended.where(run.c.status.in_(outcomes)) if outcomes else ended
        with self._reading() as connection:
            return {row.task_id: row.last_at for row in connection.execute(wanted.group_by(run.c.task_id))}
