"""Column types that SQLite and PostgreSQL store alike, and the MetaData all tables belong to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, MetaData, TypeDecorator

metadata = MetaData()
_LENGTH_WITHOUT_ZONE = len("2026-02-09 12:00:00.000000")


class Instant(TypeDecorator[datetime]):
    """An aware datetime, stored in UTC with microseconds; a naive one raises ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC: SQLite drops the time zone, so it must not carry information."""
        return value and _to_utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the value in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    # SQLite has no datetime type and stores text. Every row has several of these, so they are converted by one call
    # into C each, four times as fast as SQLAlchemy's own type; the stored text is the same.

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """Return the function that converts a value for the driver."""
        return _to_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        """Return the function that converts what the driver returns."""
        return _from_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _to_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return value.astimezone(UTC)


def _to_text(value: datetime | None) -> str | None:
    return _to_utc(value).isoformat(" ", "microseconds")[:_LENGTH_WITHOUT_ZONE] if value else None


def _from_text(text: str | None) -> datetime | None:
    return datetime.fromisoformat(f"{text}+00:00") if text else None


# SQLite numbers rows by itself only if the key is a plain INTEGER.
ROW_ID = BigInteger().with_variant(Integer(), "sqlite")
