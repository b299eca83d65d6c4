"""Migrations lead to today's schema, once, whichever process applies them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, inspect, select, text

from pipeline.model.entry import TimedText
from pipeline.store import Store, schema
from pipeline.store.dialects import make_engine
from pipeline.store.migrate import list_migrations, migrate


def describe(engine: Engine) -> dict[str, Any]:
    """Return a database's tables, columns, keys and indexes, as it reports them."""
    inspector = inspect(engine)
    return {
        name: {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"]) for column in inspector.get_columns(name)
            },
            "key": inspector.get_pk_constraint(name)["constrained_columns"],
            "references": inspector.get_foreign_keys(name),
            "indexes": _indexes(engine, name),
        }
        for name in inspector.get_table_names()
    }


def _indexes(engine: Engine, table: str) -> dict[str, str]:
    """Return indexes as they were written: SQLAlchemy does not reflect an index of an expression."""
    question = text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = :name AND sql IS NOT NULL")
    with engine.connect() as connection:
        return {row.name: row.sql for row in connection.execute(question, {"name": table})}


def test_the_migrations_lead_to_the_schema(tmp_path: Path) -> None:
    """A migrated database and ``schema`` agree on every column, key and index."""
    migrated, today = make_engine(f"sqlite:///{tmp_path / 'migrated.db'}"), create_engine("sqlite://")
    migrate(migrated)
    schema.metadata.create_all(today)
    assert describe(migrated) == describe(today)
    migrated.dispose()
    today.dispose()


def test_the_migrations_are_numbered_without_gaps() -> None:
    """1, 2, 3 …, and no number is used twice."""
    folder = Path(schema.__file__).parents[1] / "migrations"
    files = sorted(path.stem for path in folder.glob("m*.py"))
    assert list(list_migrations().values()) == files
    assert list(list_migrations()) == list(range(1, len(files) + 1))


def test_each_migration_is_recorded(tmp_path: Path) -> None:
    """The database lists the migrations applied, and opening it again adds none."""
    engine = make_engine(f"sqlite:///{tmp_path / 'pipeline.db'}")
    migrate(engine)
    migrate(engine)
    with engine.connect() as connection:
        taken = {row.number: row.name for row in connection.execute(select(schema.migration))}
    assert taken == list_migrations()
    engine.dispose()


def test_contents_of_episodes_are_kept_without_times(tmp_path: Path) -> None:
    """What was fetched before the times were stored is shown as before; nothing is fetched again."""
    url = f"sqlite:///{tmp_path / 'pipeline.db'}"
    engine = make_engine(url)
    with engine.begin() as connection:
        import_module("pipeline.store.migrations.m0001_initial").upgrade(connection)
        schema.migration.create(connection, checkfirst=True)
        connection.execute(schema.migration.insert().values(number=1, name="m0001_initial"))
        row = {
            "url": "https://a.example/1.json",
            "lines": ["Salt", "Smoke"],
            "fetched_at": datetime(2026, 2, 9, tzinfo=UTC),
        }
        connection.execute(schema.episode_detail.insert().values(**row))
    engine.dispose()
    with Store.open(url) as store:
        details = store.media.episode_details([row["url"]])
    assert details == {row["url"]: (TimedText(text="Salt"), TimedText(text="Smoke"))}


@pytest.mark.parametrize("attempt", range(10))
def test_concurrent_processes_open_a_new_database(tmp_path: Path, attempt: int) -> None:
    """Each finds it complete; one of them applies the migrations."""
    url, openers = f"sqlite:///{tmp_path / f'{attempt}.db'}", 6
    start = Barrier(openers)

    def open_and_ask() -> str:
        start.wait()
        with Store.open(url) as store:
            return store.revision()

    with ThreadPoolExecutor(openers) as pool:
        futures = [pool.submit(open_and_ask) for _ in range(openers)]
        assert [future.result() for future in futures] == ["0"] * openers
