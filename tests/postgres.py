"""A PostgreSQL for the tests: databases of this process's own on the server that $PIPELINE_TEST_POSTGRES names.

In: the environment (``.ci/postgres`` starts a server and prints what to put there). Out: addresses of empty databases.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, inspect, make_url

from pipeline.store.schema import metadata, migration

_COUNT_AGAIN = """
SELECT setval((schemaname || '.' || sequencename)::regclass, start_value, false) FROM pg_sequences
"""
SERVER = os.environ.get("PIPELINE_TEST_POSTGRES", "")


def execute(url: str, *statements: str) -> None:
    """Run SQL outside of any transaction."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


@contextmanager
def temporary_database(purpose: str = "") -> Iterator[str]:
    """Make a database that no other test run knows, and drop it in the end."""
    name = f"test_{os.getpid()}{purpose}"
    # Text sorted as a person would want it: what needs another order must say so.
    made = f"CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-GB' LOCALE 'C.UTF-8'"
    execute(SERVER, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", made)
    yield make_url(SERVER).set(database=name).render_as_string(hide_password=False)
    execute(SERVER, f"DROP DATABASE {name} WITH (FORCE)")


def clear(url: str) -> None:
    """Take all that is kept out of a database; its tables, which take longest to make, stay when there are any.

    Rows are deleted, as there are few: TRUNCATE makes a hundred files anew, which takes ten times as long.
    """
    engine = create_engine(url)
    there = set(inspect(engine).get_table_names()) - {migration.name}
    engine.dispose()
    if there:
        referring_first = [table.name for table in reversed(metadata.sorted_tables) if table.name in there]
        names = [*there.difference(referring_first), *referring_first]
        execute(
            url, *(f"DELETE FROM {name}" for name in names), _COUNT_AGAIN, "INSERT INTO commit_counter VALUES (1, 0)"
        )
