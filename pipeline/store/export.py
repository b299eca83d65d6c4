"""All rows as plain values, and back: what moves a publication from one kind of database to another.

In: a connection, rows. Out: rows. Begins and ends no transaction. Every table takes part, whichever joins, in an order
in which each finds what it refers to; the rows of a table come by their keys, alike on every database.
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
from pipeline.store.schema import commit_counter, metadata, migration, signing_key

Row = tuple[str, dict[str, Any]]
_AT_A_TIME = 100
_OWN = {migration.name, commit_counter.name, signing_key.name}
"""What a database knows of itself, not of the publication. A key stays where it was made: an export may get about."""
_KINDS = {
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
    """Say which tables there are, and of which kind each column is.

    >>> column_types()["closed_week"]
    {'week': 'text', 'closed_at': 'instant'}
    """
    return {table.name: {column.name: _kind(column.type) for column in table.columns} for table in _tables()}


def rows(connection: Connection) -> Iterator[Row]:
    """Give every row there is, a few in memory at a time."""
    for table in _tables():
        kinds = column_types()[table.name]
        keys = [bytewise(connection, column) if _is_text(column) else column for column in table.primary_key]
        found = connection.execution_options(yield_per=_AT_A_TIME).execute(select(table).order_by(*keys))
        for row in found.mappings():
            yield table.name, {name: _out(value, kinds[name]) for name, value in row.items()}


def fill(connection: Connection, given: Iterable[Row]) -> dict[str, int]:
    """Insert rows into tables that are empty; counts what is there afterwards, by table."""
    tables = {table.name: table for table in _tables()}
    if full := [name for name, table in tables.items() if connection.execute(select(table).limit(1)).first()]:
        raise RefusedError(f"the store is not empty (there is something in {full[0]}): import into a new one.")
    for name, group in groupby(given, key=lambda row: row[0]):
        if name not in tables:
            raise CorruptBackupError(f"the export holds a table {name!r} that this version does not know.")
        _insert(connection, tables[name], (values for _, values in group))
    for table in tables.values():
        reset_sequence(connection, table)
    return {name: connection.scalar(select(func.count()).select_from(table)) or 0 for name, table in tables.items()}


def _tables() -> list[Table]:
    return [table for table in metadata.sorted_tables if table.name not in _OWN]


def _kind(declared: object) -> str:
    return _KINDS[type(declared).__name__]


def _is_text(column: Any) -> bool:
    return _kind(column.type) == "text"


def _insert(connection: Connection, table: Table, given: Iterable[dict[str, Any]]) -> None:
    kinds, portion = column_types()[table.name], []
    for values in given:
        if values.keys() != kinds.keys():
            raise CorruptBackupError(f"a row of {table.name} has other columns than this version: export it anew.")
        portion.append({name: _in(value, kinds[name], table.name) for name, value in values.items()})
        if len(portion) == _AT_A_TIME:
            _send(connection, table, portion)
            portion = []
    _send(connection, table, portion)


def _send(connection: Connection, table: Table, portion: list[dict[str, Any]]) -> None:
    try:
        if portion:
            connection.execute(table.insert(), portion)
    except (IntegrityError, StatementError) as refused:
        if type(refused) not in (IntegrityError, StatementError):
            raise  # the database is in trouble, not the row
        raise CorruptBackupError(
            f"rows of {table.name} contradict each other or the other tables: export them anew."
        ) from refused


def _out(value: Any, kind: str) -> Any:
    if value is None or kind not in _WRITE:
        return value
    return _WRITE[kind](value)


def _in(value: Any, kind: str, table: str) -> Any:
    try:
        return None if value is None else _READ[kind](value)
    except (TypeError, ValueError) as wrong:
        raise CorruptBackupError(f"a row of {table} holds {str(value)[:40]!r} where {kind} belongs.") from wrong


def _instant(value: str) -> datetime:
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError("has no time zone")
    return at


def _as_is(kind: type | tuple[type, ...]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise TypeError
        return value

    return read


_WRITE: dict[str, Callable[[Any], Any]] = {
    "instant": lambda at: at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    "bytes": lambda data: b64encode(data).decode("ascii"),
}
_READ: dict[str, Callable[[Any], Any]] = {
    "text": _as_is(str),
    "integer": _as_is(int),
    "real": _as_is((int, float)),
    "boolean": _as_is(bool),
    "instant": _instant,
    "json": lambda value: value,
    "bytes": lambda data: b64decode(data, validate=True),
}
