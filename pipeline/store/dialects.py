"""What SQLite and PostgreSQL do differently, in one place.

In: a URL or a connection. Out: an engine, or a statement in its dialect. Knows no table of ours.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    LargeBinary,
    Table,
    cast,
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

_PER_CONNECTION = (
    "PRAGMA busy_timeout = 5000",
    "PRAGMA foreign_keys = ON",
    "PRAGMA synchronous = FULL",  # a lost commit could publish an entry twice
)
# synchronous_commit for the same reason, whatever the server does for others. What a publication keeps fits into
# memory, where a page costs the same in any order: so the planner takes the indexes.
_PER_SESSION = {
    "options": "-c timezone=utc -c lock_timeout=10s -c synchronous_commit=on -c random_page_cost=1.1",
    "connect_timeout": 10,
}
_MIGRATION_LOCK = 0x_5EA1ED  # any number, as long as all our processes use the same


def make_engine(url: str) -> Engine:
    """Make an engine for ``sqlite:///…`` or ``postgresql+psycopg://…``; nothing is opened or touched yet."""
    try:
        name = make_url(url).get_backend_name()
        if name == "sqlite":
            return _sqlite_engine(url)
        if name == "postgresql":
            # Asked whether it is still there: a server may have been started anew since.
            return create_engine(url, connect_args=_PER_SESSION, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError):
        name = "nothing known"
    except ModuleNotFoundError as error:
        raise StoreError(f"[store] url needs the Python package {error.name}: install it beside the program") from error
    raise StoreError(f"[store] url names {name}; write sqlite:///pipeline.db or postgresql+psycopg://user@host/name")


def make_private(engine: Engine) -> None:
    """Make the file of a database that is not there yet, for its owner alone: its signing key lets people in."""
    if engine.dialect.name == "sqlite" and engine.url.database:
        with suppress(OSError):  # it is there, or SQLite will say what is wrong
            Path(engine.url.database).touch(mode=0o600, exist_ok=False)


def for_writing(engine: Engine) -> Engine:
    """Give the same engine, whose transactions take the right to write when they begin."""
    # A deferred transaction that reads first and then writes fails at once when another writer was quicker.
    return engine.execution_options(begin="BEGIN IMMEDIATE")


def enable_write_ahead_log(engine: Engine) -> None:
    """Let readers and the writer not wait for each other; SQLite remembers it in the file."""
    if engine.dialect.name != "sqlite":
        return
    try:
        _switch(engine)
    except OperationalError:
        # Two that switch at once are in each other's way, and SQLite does not wait: so wait for the other's end.
        with for_writing(engine).begin():
            pass
        _switch(engine)


def lock_migrations(connection: Connection) -> None:
    """Wait until no other process migrates; SQLite's writing transaction has seen to that already."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")


def insert(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Begin an INSERT that knows ON CONFLICT, which both dialects spell alike."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


def release_memory(connection: Connection) -> None:
    """Let SQLite, which works in this process, give back the memory it holds in case that it is asked again."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA shrink_memory")


def use_snapshot(connection: Connection) -> None:
    """Let all that a fresh transaction reads be of one moment; in SQLite it always is."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def bytewise(connection: Connection, column: ColumnElement[str]) -> ColumnElement[str]:
    """Order a text by its UTF-8 bytes, as SQLite does, and not by a server's language."""
    return column.collate("C") if connection.dialect.name == "postgresql" else column


def utf8_length(connection: Connection, column: ColumnElement[str]) -> ColumnElement[int]:
    """Measure a text in UTF-8."""
    if connection.dialect.name == "postgresql":
        return func.octet_length(column)
    return func.length(cast(column, LargeBinary))


def reset_sequence(connection: Connection, table: Table) -> None:
    """Let a table number its next row beyond those that came with their numbers; SQLite does so by itself."""
    column = table.autoincrement_column
    if column is not None and connection.dialect.name == "postgresql":
        last = select(func.coalesce(func.max(column), 0) + 1)
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        connection.execute(select(func.setval(sequence, last.scalar_subquery(), False)))


def insert_if_absent(connection: Connection, table: Table, row: dict[str, Any]) -> bool:
    """Insert a row; False when its key was there before."""
    # Asked for by what comes back: a row count is not to be had from every driver.
    statement = insert(connection.dialect.name, table).values(row).on_conflict_do_nothing()
    return connection.execute(statement.returning(*table.primary_key)).first() is not None


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # sqlite3 would begin by itself, too late and without IMMEDIATE
        for pragma in _PER_CONNECTION:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if statement := connection.get_execution_options().get("begin", "BEGIN"):
            connection.exec_driver_sql(statement)

    return engine


def _switch(engine: Engine) -> None:
    with engine.execution_options(begin="").connect() as connection:  # not allowed inside a transaction
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
