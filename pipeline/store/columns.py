"""Kinds of columns that SQLite and PostgreSQL keep alike.

In: nothing. Out: SQLAlchemy types. Touches no database.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, TypeDecorator


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC to the microsecond; a naive one is a bug and raises ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn into UTC on the way in: SQLite drops the zone, so it must not matter."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give UTC back on the way out."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite numbers rows by itself only where the key is a plain INTEGER.
ROW_NUMBER = BigInteger().with_variant(Integer(), "sqlite")
