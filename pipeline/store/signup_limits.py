"""The repository of what limits sign-ups: counters that start again after a time, and challenges that were used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, delete, select

from pipeline.store.database import Database
from pipeline.store.dialects import insert
from pipeline.store.schema import signup_limit


@dataclass(frozen=True, slots=True)
class SignupLimitRepository:
    """Counters by key, such as that of a network."""

    database: Database

    def count(self, key: str, *, within: timedelta, now: datetime) -> int:
        """Count one more of a key, and return how many there were since the counter started.

        It starts again with the first one after ``within``.
        """
        row = {"key": key, "since": now, "count": 1, "expires_at": now + within}
        is_over = signup_limit.c.expires_at <= now
        with self.database.write(counted=False) as connection:
            statement = insert(connection.dialect.name, signup_limit).values(row)
            statement = statement.on_conflict_do_update(
                index_elements=[signup_limit.c.key],
                set_={
                    "since": case((is_over, now), else_=signup_limit.c.since),
                    "count": case((is_over, 1), else_=signup_limit.c.count + 1),
                    "expires_at": case((is_over, now + within), else_=signup_limit.c.expires_at),
                },
            )
            return int(connection.execute(statement.returning(signup_limit.c.count)).scalar_one())

    def current(self, key: str, now: datetime) -> int:
        """Return how many there were of a key since its counter started."""
        query = select(signup_limit.c.count).where(signup_limit.c.key == key, signup_limit.c.expires_at > now)
        with self.database.read() as connection:
            return connection.scalar(query) or 0

    def prune(self, now: datetime) -> None:
        """Delete the counters that would start again."""
        with self.database.write(counted=False) as connection:
            connection.execute(delete(signup_limit).where(signup_limit.c.expires_at <= now))
