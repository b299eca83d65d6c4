"""The repository of what limits sign-ups and log-ins: counters that start again after a time, and what works once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import bindparam, case, delete, select
from sqlalchemy.sql.dml import ReturningInsert

from pipeline.store.database import Database
from pipeline.store.dialects import insert
from pipeline.store.schema import signup_limit
from pipeline.store.schema.types import Instant

_CURRENT = select(signup_limit.c.count).where(
    signup_limit.c.key == bindparam("of_key"), signup_limit.c.expires_at > bindparam("now")
)


@dataclass(frozen=True, slots=True)
class SignupLimitRepository:
    """Counters by key, such as that of a network."""

    database: Database

    def count(self, key: str, *, within: timedelta, now: datetime) -> int:
        """Count one more of a key, and return how many there were since the counter started.

        It starts again with the first one after ``within``.
        """
        values = {"of_key": key, "now": now, "until": now + within}
        with self.database.write(counted=False) as connection:
            return int(connection.execute(_count_one(connection.dialect.name), values).scalar_one())

    def current(self, key: str, now: datetime) -> int:
        """Return how many there were of a key since its counter started."""
        with self.database.read() as connection:
            return connection.scalar(_CURRENT, {"of_key": key, "now": now}) or 0

    def prune(self, now: datetime) -> None:
        """Delete the counters that would start again."""
        with self.database.write(counted=False) as connection:
            connection.execute(delete(signup_limit).where(signup_limit.c.expires_at <= now))


@cache
def _count_one(dialect: str) -> ReturningInsert[int]:
    """Return the statement that counts one more; a sign-up executes it three times, and building it costs more."""
    now, until = bindparam("now", type_=Instant()), bindparam("until", type_=Instant())
    is_over = signup_limit.c.expires_at <= now
    row = {"key": bindparam("of_key"), "since": now, "count": 1, "expires_at": until}
    counted = {
        "since": case((is_over, now), else_=signup_limit.c.since),
        "count": case((is_over, 1), else_=signup_limit.c.count + 1),
        "expires_at": case((is_over, until), else_=signup_limit.c.expires_at),
    }
    statement = insert(dialect, signup_limit).values(row)
    statement = statement.on_conflict_do_update(index_elements=[signup_limit.c.key], set_=counted)
    return statement.returning(signup_limit.c.count)
