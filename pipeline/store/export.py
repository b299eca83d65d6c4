"""All rows as values for JSON, and back: moves a publication from one kind of database to another.

All tables are included but those about the database itself, ordered so that each row finds the rows it refers to; the
rows of a table are ordered by primary key, alike on every database. Runs in the caller's transaction.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Table, func, select
from sqlalchemy.exc import IntegrityError, StatementError

from pipeline.model.errors import CorruptBackupError, RefusedError
from pipeline.store.dialects import bytewise, reset_sequence
from pipeline.store.schema import (
    click_key,
    commit_counter,
    editor_session,
    metadata,
    migration,
    owner,
    pending_click,
    scanner,
    signing_key,
)

Row = tuple[str, dict[str, Any]]
_BATCH = 100
NEVER_COPIED = {click_key.name, pending_click.name, scanner.name, editor_session.name}
"""Tables that no copy keeps: about the clients of clicks, whose rows are deleted within minutes, and open sessions."""
_NOT_EXPORTED = {migration.name, commit_counter.name, owner.name, signing_key.name, *NEVER_COPIED}
"""Tables about the database, not the publication. Signing keys never leave it: an export may fall into wrong hands."""
_TYPES = {
    "Text": "text",
    "String": "text",
    "Integer": "integer",
    "BigInteger": "integer",
    "Float": "real",
    "Boolean": "boolean",
    "Instant": "instant",
    "JSON": "json",
    "LargeBinary": "bytes",
}


def column_types() -> dict[str, dict[str, str]]:
    """Return the type of each column, by table and column.

    >>> column_types()["closed_week"]
    {'week': 'text', 'closed_at': 'instant'}
    """
    return {
        table.name: {column.name: _TYPES[type(column.type).__name__] for column in table.columns}
        for table in _exported_tables()
    }


def rows(connection: Connection) -> Iterator[Row]:
    """Yield every row as table name and values by column, a few in memory at a time."""
    all_types = column_types()
    for table in _exported_tables():
        types = all_types[table.name]
        keys = [bytewise(connection, key) if types[key.name] == "text" else key for key in table.primary_key]
        result = connection.execution_options(yield_per=_BATCH).execute(select(table).order_by(*keys))
        for row in result.mappings():
            yield table.name, {name: _to_json(value, types[name]) for name, value in row.items()}


def insert_rows(connection: Connection, given: Iterable[Row]) -> dict[str, int]:
    """Insert rows into tables that are empty; return the number of rows of each table afterwards."""
    tables = {table.name: table for table in _exported_tables()}
    all_types = column_types()
    if filled := [name for name, table in tables.items() if connection.execute(select(table).limit(1)).first()]:
        raise RefusedError(f"the store is not empty ({filled[0]} has rows): import into a new one.")
    for name, group in groupby(given, key=lambda row: row[0]):
        if name not in tables:
            raise CorruptBackupError(f"the export holds a table {name!r} that this version does not know.")
        _insert(connection, tables[name], all_types[name], (values for _, values in group))
    for table in tables.values():
        reset_sequence(connection, table)
    return {name: connection.scalar(select(func.count()).select_from(table)) or 0 for name, table in tables.items()}


def _exported_tables() -> list[Table]:
    return [table for table in metadata.sorted_tables if table.name not in _NOT_EXPORTED]


def _insert(connection: Connection, table: Table, types: dict[str, str], given: Iterable[dict[str, Any]]) -> None:
    batch = []
    for values in given:
        if values.keys() != types.keys():
            raise CorruptBackupError(f"a row of {table.name} has other columns than this version: export it again.")
        batch.append({name: _from_json(value, types[name], table.name) for name, value in values.items()})
        if len(batch) == _BATCH:
            _execute(connection, table, batch)
            batch = []
    _execute(connection, table, batch)


def _execute(connection: Connection, table: Table, batch: list[dict[str, Any]]) -> None:
    try:
        if batch:
            connection.execute(table.insert(), batch)
    except (IntegrityError, StatementError) as error:
        if type(error) not in (IntegrityError, StatementError):
            raise  # the database failed, not the row
        raise CorruptBackupError(
            f"rows of {table.name} contradict each other or the other tables: export them again."
        ) from error


def _to_json(value: Any, column_type: str) -> Any:
    if value is None or column_type not in _WRITERS:
        return value
    return _WRITERS[column_type](value)


def _from_json(value: Any, column_type: str, table: str) -> Any:
    try:
        return None if value is None else _DECODERS[column_type](value)
    except (TypeError, ValueError) as error:
        raise CorruptBackupError(
            f"a row of {table} has {str(value)[:40]!r} where {column_type} is expected."
        ) from error


def _read_instant(value: str) -> datetime:
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise ValueError("has no time zone")
    return instant


def _require(expected: type | tuple[type, ...]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
            raise TypeError
        return value

    return read


_WRITERS: dict[str, Callable[[Any], Any]] = {
    "instant": lambda instant: instant.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    "bytes": lambda data: b64encode(data).decode("ascii"),
}
_DECODERS: dict[str, Callable[[Any], Any]] = {
    "text": _require(str),
    "integer": _require(int),
    "real": _require((int, float)),
    "boolean": _require(bool),
    "instant": _read_instant,
    "json": lambda value: value,
    "bytes": lambda data: b64decode(data, validate=True),
}
