"""Counts for the metrics endpoint, without anything that names what is counted.

Each comes from an index, so that it can be queried every few seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from pipeline.model.run import RunStatus
from pipeline.store.database import Database
from pipeline.store.schema import edition, entry, feed, is_alive, migration, run


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseInfo:
    """The kind and version of the database."""

    dialect: str
    """``sqlite`` or ``postgresql``."""
    schema_version: int
    """The number of the newest migration."""
    journal_mode: str
    """SQLite's journal mode, e.g. ``wal``; empty on PostgreSQL."""


@dataclass(frozen=True, slots=True)
class StoreMetrics:
    """Counts of feeds, entries, editions and runs."""

    database: Database

    def database_info(self) -> DatabaseInfo:
        """Return the kind and version of the database."""
        with self.database.read() as connection:
            schema = connection.scalar(select(func.max(migration.c.number))) or 0
            dialect = connection.dialect.name
            journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar() if dialect == "sqlite" else ""
            return DatabaseInfo(dialect=dialect, schema_version=schema, journal_mode=str(journal))

    def feeds_by_outcome(self, feed_ids: Collection[str]) -> dict[str, int]:
        """Return the number of feeds by their last outcome; ``never`` counts those that were never fetched."""
        with self.database.read() as connection:
            outcomes = {row.feed_id: row.outcome for row in connection.execute(select(feed.c.feed_id, feed.c.outcome))}
        return dict(Counter(outcomes.get(feed_id, "") or "never" for feed_id in feed_ids))

    def entry_counts(self) -> tuple[int, int]:
        """Return the number of stored entries, and of all that were ever stored."""
        total = select(func.count()).select_from(entry)
        with self.database.read() as connection:
            return connection.scalar(total.where(is_alive)) or 0, connection.scalar(total) or 0

    def editions_by_state(self) -> tuple[dict[str, int], int]:
        """Return the number of editions by state, and the highest edition number."""
        by_state = select(edition.c.state, func.count().label("editions")).group_by(edition.c.state)
        with self.database.read() as connection:
            counts = {row.state: row.editions for row in connection.execute(by_state)}
            return counts, connection.scalar(select(func.max(edition.c.number))) or 0

    def runs_by_status(self) -> dict[tuple[str, str], int]:
        """Return the number of runs by task id and status."""
        key = run.c.task_id, run.c.status
        with self.database.read() as connection:
            rows = connection.execute(select(*key, func.count()).group_by(*key))
            return {(task_id, status): count for task_id, status, count in rows}

    def last_finished_at(self, *statuses: RunStatus) -> dict[str, datetime]:
        """Return when each task's last run finished, of those with one of these statuses if any are named."""
        last = func.max(run.c.finished_at).label("last_at")
        finished = select(run.c.task_id, last).where(run.c.finished_at.is_not(None)).group_by(run.c.task_id)
        if statuses:
            finished = finished.where(run.c.status.in_(statuses))
        with self.database.read() as connection:
            return {row.task_id: row.last_at for row in connection.execute(finished)}
