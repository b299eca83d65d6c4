"""A PostgreSQL server for the tests, named by $PIPELINE_TEST_POSTGRES; ``.ci/postgres`` starts one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, inspect, make_url

from pipeline.store.schema import metadata, migration

_RESET_SEQUENCES = """
SELECT setval((schemaname || '.' || sequencename)::regclass, start_value, false) FROM pg_sequences
"""
SERVER = os.environ.get("PIPELINE_TEST_POSTGRES", "")


def execute(url: str, *statements: str) -> None:
    """Run SQL statements outside a transaction."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


@contextmanager
def temporary_database(purpose: str = "") -> Iterator[str]:
    """Create a database for this process alone, and drop it at the end."""
    name = f"test_{os.getpid()}{purpose}"
    # A collation that is not bytewise, so that queries that need another order must say so.
    create = f"CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-GB' LOCALE 'C.UTF-8'"
    execute(SERVER, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", create)
    yield make_url(SERVER).set(database=name).render_as_string(hide_password=False)
    execute(SERVER, f"DROP DATABASE {name} WITH (FORCE)")


def clear(url: str) -> None:
    """Delete all rows of a database and keep its tables, which take longest to create.

    DELETE, since there are few rows: TRUNCATE creates a hundred files, which takes ten times as long.
    """
    engine = create_engine(url)
    existing = set(inspect(engine).get_table_names()) - {migration.name}
    engine.dispose()
    if existing:
        referring_first = [table.name for table in reversed(metadata.sorted_tables) if table.name in existing]
        names = [*existing.difference(referring_first), *referring_first]
        execute(
            url,
            *(f"DELETE FROM {name}" for name in names),
            _RESET_SEQUENCES,
            "INSERT INTO commit_counter VALUES (1, 0)",
        )
