"""Kinds of columns that SQLite and PostgreSQL keep alike.

In: nothing. Out: SQLAlchemy types. Touches no database.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, TypeDecorator

_ZONELESS = len("2026-02-09 12:00:00.000000")


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC to the microsecond; a naive one is a bug and raises ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn into UTC on the way in: SQLite drops the zone, so it must not matter."""
        return value and _in_utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give UTC back on the way out."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    # SQLite has no type for it and keeps text. Of every row several are written and read, so that is done in one call
    # into C each, four times as fast as by way of SQLAlchemy's own type; what is kept is the same.

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """Give what turns a value into what the driver takes."""
        return _to_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        """Give what turns what the driver gives into a value."""
        return _from_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return value.astimezone(UTC)


def _to_text(value: datetime | None) -> str | None:
    return _in_utc(value).isoformat(" ", "microseconds")[:_ZONELESS] if value else None


def _from_text(text: str | None) -> datetime | None:
    return datetime.fromisoformat(f"{text}+00:00") if text else None


# SQLite numbers rows by itself only where the key is a plain INTEGER.
ROW_NUMBER = BigInteger().with_variant(Integer(), "sqlite")
