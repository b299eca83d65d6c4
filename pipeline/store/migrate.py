"""Migrates a database to the current schema, or refuses it untouched.

All missing migrations run in one transaction, so a killed process leaves the database as it was.
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
    """Return the module name of each migration, by number and in order.

    >>> list_migrations()[1]
    'm0001_initial'
    """
    names = sorted(module.name for module in iter_modules(migrations.__path__))
    return {int(name[1:5]): name for name in names}


def migrate(engine: Engine) -> None:
    """Apply the missing migrations.

    Raise StoreTooNewError if a newer version wrote the database, StoreError if another program did; nothing is written
    then.
    """
    make_private(engine)
    with engine.connect() as connection:
        missing = _missing(connection)
    enable_write_ahead_log(engine)
    if missing:
        with for_writing(engine).begin() as connection:
            lock_migrations(connection)
            # Asked again inside the transaction: another process may have been faster.
            missing = _missing(connection)
            migration.create(connection, checkfirst=True)
            for number, name in missing.items():
                import_module(f"{migrations.__name__}.{name}").upgrade(connection)
                connection.execute(migration.insert().values(number=number, name=name))


def _missing(connection: Connection) -> dict[int, str]:
    applied, known = _newest_applied(connection), list_migrations()
    if applied > max(known):
        raise StoreTooNewError(
            f"{_name(connection)} was written by a newer pipeline (schema {applied}, this one knows {max(known)}); "
            "install that version again"
        )
    return {number: name for number, name in known.items() if number > applied}


def _newest_applied(connection: Connection) -> int:
    tables = inspect(connection).get_table_names()
    if migration.name in tables:
        return cast(int, connection.scalar(select(func.coalesce(func.max(migration.c.number), 0))))
    if tables and connection.dialect.name == "sqlite":
        raise StoreError(f"{_name(connection)} belongs to another program; name another file in [store] url")
    return 0


def _name(connection: Connection) -> str:
    return connection.engine.url.render_as_string(hide_password=True)
