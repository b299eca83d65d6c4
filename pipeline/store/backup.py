"""Copies of an SQLite database: made while it is written to, looked over, put in its place.

In: a connection or files. Out: files that are whole, or BrokenCopy. Knows no table but that of the migrations. Renames
and overwrites nothing: whoever calls says where things go.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import cast

from sqlalchemy import Connection

from pipeline.model.errors import CorruptBackupError, RefusedError, StoreError, StoreTooNewError
from pipeline.store.migrate import list_migrations

_MOST_FAULTS = 20
_PATIENCE_SECONDS = 5.0


def integrity_errors(connection: Connection) -> list[str]:
    """Name what SQLite finds wrong: with its pages and indexes, then with references that lead nowhere."""
    wrong = [row[0] for row in connection.exec_driver_sql(f"PRAGMA integrity_check({_MOST_FAULTS})") if row[0] != "ok"]
    lost = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(_MOST_FAULTS)
    return [*wrong, *(f"row {row[1]} of {row[0]} refers to a missing {row[2]}" for row in lost)]


def copy(connection: Connection, file: Path) -> None:
    """Copy the open database into a new file, as of one moment, and look the copy over."""
    with _no_whole_copy(), closing(sqlite3.connect(file)) as target:
        # In one step: others go on writing into the log meanwhile, and no step is ever begun anew.
        _driver(connection).backup(target)
        _settle(target)


def copy_file(source: Path, target: Path) -> None:
    """Copy a database that nobody need have open, with what its log still holds; look the copy over."""
    there = f"{source.absolute().as_uri()}?mode=rw"  # never made when it is missing
    with (
        _no_whole_copy(source),
        closing(sqlite3.connect(there, uri=True)) as opened,
        closing(sqlite3.connect(target)) as fresh,
    ):
        opened.backup(fresh)
        _settle(fresh)
        _refuse_strangers(fresh, source)


def compact(connection: Connection) -> None:
    """Rewrite an SQLite database without its empty pages."""
    if connection.dialect.name == "sqlite":
        driver = _driver(connection)
        driver.rollback()  # VACUUM is its own transaction, and nothing was written in this one
        driver.execute("VACUUM")
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def has_data(file: Path) -> bool:
    """Tell whether a file holds a feed, or what is not ours; one that cannot be read may hold anything."""
    if not file.exists() or not file.stat().st_size:
        return False
    try:
        with closing(sqlite3.connect(file, timeout=_PATIENCE_SECONDS)) as opened:
            tables = {row[0] for row in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            return any(
                opened.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone()  # noqa: S608 - one of these two
                for name in {"feed", "edition"} & tables
            ) or (not {"feed", "edition"} & tables and bool(tables))
    except sqlite3.DatabaseError:
        return True


@contextmanager
def exclusive_access(file: Path) -> Iterator[None]:
    """Keep a database from other processes, its log folded in; Refused while another has it open."""
    if not file.exists():
        yield
        return
    with closing(sqlite3.connect(file, timeout=0.2, isolation_level=None)) as opened:
        try:
            # Only who has it alone may leave the write-ahead log (https://www.sqlite.org/wal.html).
            (mode,) = opened.execute("PRAGMA journal_mode = DELETE").fetchone()
            opened.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as busy:
            raise _in_use(file) from busy
        except sqlite3.DatabaseError:
            mode = "delete"  # damaged beyond opening: nobody works with it
        if mode == "wal":
            raise _in_use(file)
        yield


def _driver(connection: Connection) -> sqlite3.Connection:
    return cast(sqlite3.Connection, connection.connection.driver_connection)


def _in_use(file: Path) -> RefusedError:
    return RefusedError(
        f"{file} is open in another process: stop `pipeline run` and the preview first, then try again."
    )


def _settle(fresh: sqlite3.Connection) -> None:
    """Make a copy one file without a log, and look it over."""
    fresh.execute("PRAGMA journal_mode = DELETE")
    wrong = [row[0] for row in fresh.execute("PRAGMA integrity_check(1)") if row[0] != "ok"]
    if wrong:
        raise sqlite3.DatabaseError(wrong[0])


def _refuse_strangers(fresh: sqlite3.Connection, source: Path) -> None:
    if not fresh.execute("SELECT 1 FROM sqlite_master WHERE name = 'pipeline_migration'").fetchone():
        raise CorruptBackupError(f"{source} is no backup of this program: name a file that `pipeline backup` wrote.")
    (number,) = fresh.execute("SELECT coalesce(max(number), 0) FROM pipeline_migration").fetchone()
    if number > max(list_migrations()):
        raise StoreTooNewError(
            f"{source} was written by a newer pipeline (schema {number}, this one knows {max(list_migrations())}): "
            "install that version, then restore."
        )


@contextmanager
def _no_whole_copy(of: Path | None = None) -> Iterator[None]:
    """Say what SQLite complains of: a disk that is full, or pages that make no sense."""
    try:
        yield
    except sqlite3.DatabaseError as trouble:
        if "full" in str(trouble):
            raise StoreError("the copy has no room on its disk: free some space and try again.") from trouble
        if of:
            raise CorruptBackupError(f"{of} is not a whole database ({trouble}): use another backup.") from trouble
        raise CorruptBackupError(
            f"no whole copy can be made ({trouble}): see what `pipeline doctor` says."
        ) from trouble
