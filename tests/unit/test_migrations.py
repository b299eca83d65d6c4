"""Migrations: the steps lead to today's tables, once, whoever takes them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, inspect, select, text

from pipeline.store import Store, schema
from pipeline.store.dialects import make_engine
from pipeline.store.migrate import list_migrations, migrate


def described(engine: Engine) -> dict[str, Any]:
    """A database's tables, columns, keys and indexes, as it tells them itself."""
    seen = inspect(engine)
    return {
        name: {
            "columns": {each["name"]: (str(each["type"]), each["nullable"]) for each in seen.get_columns(name)},
            "key": seen.get_pk_constraint(name)["constrained_columns"],
            "references": seen.get_foreign_keys(name),
            "indexes": _indexes(engine, name),
        }
        for name in seen.get_table_names()
    }


def _indexes(engine: Engine, table: str) -> dict[str, str]:
    """As they were written: SQLAlchemy does not reflect an index of an expression."""
    question = text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = :name AND sql IS NOT NULL")
    with engine.connect() as connection:
        return {row.name: row.sql for row in connection.execute(question, {"name": table})}


def test_the_steps_lead_to_todays_tables(tmp_path: Path) -> None:
    """A migrated database and ``schema`` agree on every column, key and index."""
    migrated, today = make_engine(f"sqlite:///{tmp_path / 'migrated.db'}"), create_engine("sqlite://")
    migrate(migrated)
    schema.metadata.create_all(today)
    assert described(migrated) == described(today)
    migrated.dispose()
    today.dispose()


def test_the_steps_are_numbered_without_gaps() -> None:
    """1, 2, 3 …, and no number is used twice."""
    folder = Path(schema.__file__).parents[1] / "migrations"
    files = sorted(each.stem for each in folder.glob("m*.py"))
    assert list(list_migrations().values()) == files
    assert list(list_migrations()) == list(range(1, len(files) + 1))


def test_each_step_is_recorded(tmp_path: Path) -> None:
    """The database knows which steps it has been through, and opening it again adds none."""
    engine = make_engine(f"sqlite:///{tmp_path / 'pipeline.db'}")
    migrate(engine)
    migrate(engine)
    with engine.connect() as connection:
        taken = {row.number: row.name for row in connection.execute(select(schema.migration))}
    assert taken == list_migrations()
    engine.dispose()


@pytest.mark.parametrize("attempt", range(10))
def test_many_open_a_new_database_at_once(tmp_path: Path, attempt: int) -> None:
    """Each finds it complete; the steps are taken by one of them."""
    url, openers = f"sqlite:///{tmp_path / f'{attempt}.db'}", 6
    start = Barrier(openers)

    def open_and_ask() -> str:
        start.wait()
        with Store.open(url) as store:
            return store.revision()

    with ThreadPoolExecutor(openers) as pool:
        marks = [pool.submit(open_and_ask) for _ in range(openers)]
        assert [mark.result() for mark in marks] == ["0"] * openers
