"""The differences between SQLite and PostgreSQL. Independent of the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    LargeBinary,
    Subquery,
    Table,
    Text,
    bindparam,
    cast,
    column,
    create_engine,
    event,
    func,
    make_url,
    select,
)
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

from pipeline.model.errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite
    from sqlalchemy.sql.dml import ReturningInsert
    from sqlalchemy.types import TypeEngine

_SQLITE_PRAGMAS = (
    "PRAGMA busy_timeout = 5000",
    "PRAGMA foreign_keys = ON",
    "PRAGMA synchronous = FULL",  # a lost commit could publish an entry twice
    "PRAGMA secure_delete = ON",  # what is deleted about people is overwritten; the default of some builds only
)
# synchronous_commit for the same reason, whatever the server's default. The database of a publication fits into memory,
# where a page costs the same in any order, so random_page_cost makes the planner prefer indexes.
_POSTGRESQL_OPTIONS = {
    "options": "-c timezone=utc -c lock_timeout=10s -c synchronous_commit=on -c random_page_cost=1.1",
    "connect_timeout": 10,
}
_MIGRATION_LOCK = 0x_5EA1ED  # any number, as long as all our processes use the same
_DELIVERY_LOCK = 0x_5EA1EE


def make_engine(url: str) -> Engine:
    """Return an engine for ``sqlite:///…`` or ``postgresql+psycopg://…``; nothing is opened yet.

    Raise StoreError if the URL names another database or its driver is not installed.
    """
    try:
        name = make_url(url).get_backend_name()
        if name == "sqlite":
            return _make_sqlite_engine(url)
        if name == "postgresql":
            # pool_pre_ping: the server may have been restarted since the connection was last used.
            return create_engine(url, connect_args=_POSTGRESQL_OPTIONS, pool_pre_ping=True, hide_parameters=True)
    except (ArgumentError, NoSuchModuleError):
        name = "no known database"
    except ModuleNotFoundError as error:
        raise StoreError(f"[store] url needs the Python package {error.name}: install it beside the program") from error
    raise StoreError(f"[store] url names {name}; write sqlite:///pipeline.db or postgresql+psycopg://user@host/name")


def make_private(engine: Engine) -> None:
    """Create the file of a new SQLite database readable by its owner alone: it will hold the signing keys."""
    if engine.dialect.name == "sqlite" and engine.url.database:
        with suppress(OSError):  # it exists, or SQLite will report what is wrong
            Path(engine.url.database).touch(mode=0o600, exist_ok=False)


def for_snapshots(engine: Engine) -> Engine:
    """Return the engine with transactions whose queries all see one state; those of SQLite always do."""
    return engine if engine.dialect.name == "sqlite" else engine.execution_options(isolation_level="REPEATABLE READ")


def for_writing(engine: Engine) -> Engine:
    """Return the engine with transactions that take the write lock when they begin."""
    # In SQLite, a deferred transaction that reads before it writes fails at once if another writer was faster.
    return engine.execution_options(begin="BEGIN IMMEDIATE")


def enable_write_ahead_log(engine: Engine) -> None:
    """Switch SQLite to WAL mode, in which reading and writing do not block each other; the file remembers it."""
    if engine.dialect.name != "sqlite":
        return
    try:
        _switch_to_wal(engine)
    except OperationalError:
        # Two processes that switch at once fail without waiting: wait for the other one, then switch.
        with for_writing(engine).begin():
            pass
        _switch_to_wal(engine)


def lock_migrations(connection: Connection) -> None:
    """Wait until no other process migrates; on SQLite the write transaction has done so."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")


def lock_deliveries(connection: Connection) -> None:
    """Wait until no other transaction changes deliveries that exist; on SQLite the write transaction has done so.

    Two that change the same rows in another order would wait for each other.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_DELIVERY_LOCK})")


def insert(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT with ``on_conflict_…`` methods, which both dialects spell alike."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


def insert_if_absent(connection: Connection, table: Table, row: dict[str, Any]) -> bool:
    """Insert a row; return False if one with its key exists."""
    return connection.execute(_insert_if_absent(connection.dialect.name, table), row).first() is not None


@cache
def _insert_if_absent(dialect: str, table: Table) -> ReturningInsert[Any]:
    # RETURNING, because not every driver reports the number of rows.
    return insert(dialect, table).on_conflict_do_nothing().returning(*table.primary_key)


def upsert(connection: Connection, table: Table, row: dict[str, Any]) -> None:
    """Insert a row, or replace the one with its key."""
    statement = insert(connection.dialect.name, table).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=row))


def upsert_all(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows with the same columns, or replace those with their keys."""
    statement = insert(connection.dialect.name, table)
    values = {name: statement.excluded[name] for name in rows[0]}
    connection.execute(statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=values), rows)


def rows_of_json(dialect: str, parameter: str, columns: Mapping[str, TypeEngine[Any]]) -> Subquery:
    """Return rows with these columns from a parameter that is a JSON array of arrays.

    A statement about many rows stays the same however many there are, and is executed in one step.
    """
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import JSON

        elements = func.json_array_elements(cast(bindparam(parameter, type_=Text), JSON))
        element = elements.table_valued(column("value", JSON)).render_derived()
        values = [element.c.value[index].as_string() for index in range(len(columns))]
    else:
        element = func.json_each(bindparam(parameter, type_=Text)).table_valued("value")
        values = [func.json_extract(element.c.value, f"$[{index}]") for index in range(len(columns))]
    typed = (cast(value, kind).label(name) for value, (name, kind) in zip(values, columns.items(), strict=True))
    return select(*typed).select_from(element).subquery("given")


def release_memory(connection: Connection) -> None:
    """Make SQLite, which runs in this process, free the memory it caches for further queries."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA shrink_memory")


def use_snapshot(connection: Connection) -> None:
    """Make a new transaction see one state of the database throughout; in SQLite it always does."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def bytewise(connection: Connection, column: ColumnElement[str]) -> ColumnElement[str]:
    """Return a text column to order by its UTF-8 bytes, as SQLite does, whatever the server's collation."""
    return column.collate("C") if connection.dialect.name == "postgresql" else column


def utf8_length(connection: Connection, column: ColumnElement[str]) -> ColumnElement[int]:
    """Return the length of a text in bytes of UTF-8."""
    if connection.dialect.name == "postgresql":
        return func.octet_length(column)
    return func.length(cast(column, LargeBinary))


def reset_sequence(connection: Connection, table: Table) -> None:
    """Continue numbering rows after those inserted with a number of their own; SQLite does so by itself."""
    column = table.autoincrement_column
    if column is not None and connection.dialect.name == "postgresql":
        last = select(func.coalesce(func.max(column), 0) + 1)
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        connection.execute(select(func.setval(sequence, last.scalar_subquery(), False)))


def _make_sqlite_engine(url: str) -> Engine:
    engine = create_engine(url, hide_parameters=True)  # addresses of people stay out of errors, and so of logs

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # sqlite3 would begin by itself, too late and without IMMEDIATE
        for pragma in _SQLITE_PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if statement := connection.get_execution_options().get("begin", "BEGIN"):
            connection.exec_driver_sql(statement)

    return engine


def _switch_to_wal(engine: Engine) -> None:
    with engine.execution_options(begin="").connect() as connection:  # not allowed inside a transaction
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
