"""Bring a database up to date, or refuse it untouched.

In: an engine. Out: nothing; afterwards the database has today's tables. One transaction holds all missing steps, so
a killed process leaves the database as it was.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import cast

from sqlalchemy import Connection, Engine, func, inspect, select

from pipeline.model.errors import StoreError, StoreTooNewError
from pipeline.store import migrations
from pipeline.store.dialects import enable_write_ahead_log, for_writing, lock_migrations, make_private
from pipeline.store.schema import migration


def list_migrations() -> dict[int, str]:
    """List the migrations, number to module name, in order.

    >>> list_migrations()[1]
    'm0001_initial'
    """
    names = sorted(module.name for module in iter_modules(migrations.__path__))
    return {int(name[1:5]): name for name in names}


def migrate(engine: Engine) -> None:
    """Apply the missing migrations; StoreTooNew or StoreError before the first byte is written."""
    make_private(engine)
    with engine.connect() as connection:
        missing = _missing(connection)
    enable_write_ahead_log(engine)
    if missing:
        with for_writing(engine).begin() as connection:
            lock_migrations(connection)
            _apply(connection)


def _apply(connection: Connection) -> None:
    # Asked again inside the transaction: another process may have been quicker.
    missing = _missing(connection)
    migration.create(connection, checkfirst=True)
    for number, name in missing.items():
        import_module(f"{migrations.__name__}.{name}").upgrade(connection)
        connection.execute(migration.insert().values(number=number, name=name))


def _missing(connection: Connection) -> dict[int, str]:
    done, known = _done(connection), list_migrations()
    if done > max(known):
        raise StoreTooNewError(
            f"{_name(connection)} was written by a newer pipeline (schema {done}, this one knows {max(known)}); "
            "install that version again"
        )
    return {number: name for number, name in known.items() if number > done}


def _done(connection: Connection) -> int:
    tables = inspect(connection).get_table_names()
    if migration.name in tables:
        return cast(int, connection.scalar(select(func.coalesce(func.max(migration.c.number), 0))))
    if tables and connection.dialect.name == "sqlite":
        raise StoreError(f"{_name(connection)} belongs to another program; name another file in [store] url")
    return 0


def _name(connection: Connection) -> str:
    return connection.engine.url.render_as_string(hide_password=True)
