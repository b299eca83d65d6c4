"""Copies of an SQLite database: made while it is in use, verified, and prepared to be put in its place.

Nothing here renames or overwrites a file; the caller decides where a copy goes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import cast

from sqlalchemy import Connection

from pipeline.model.errors import CorruptBackupError, RefusedError, StoreError, StoreTooNewError
from pipeline.store.export import NEVER_COPIED
from pipeline.store.migrate import list_migrations

_MAX_ERRORS = 20
_TIMEOUT_SECONDS = 5.0


def integrity_errors(connection: Connection) -> list[str]:
    """Return what SQLite finds wrong with its pages, indexes and foreign keys, one line each."""
    checked = connection.exec_driver_sql(f"PRAGMA integrity_check({_MAX_ERRORS})")
    errors = [row[0] for row in checked if row[0] != "ok"]
    dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(_MAX_ERRORS)
    return [*errors, *(f"row {row[1]} of {row[0]} refers to a missing {row[2]}" for row in dangling)]


def copy(connection: Connection, file: Path) -> None:
    """Copy the open database, as it is at one moment, into a new file and verify it.

    Raise CorruptBackupError if no whole copy can be made, StoreError if the disk is full.
    """
    with _map_errors(), closing(sqlite3.connect(file)) as target:
        # In one step: other processes go on writing into the log meanwhile, and no step is ever repeated.
        _driver(connection).backup(target)
        _finish(target)


def copy_file(source: Path, target: Path) -> None:
    """Copy a database file that need not be open, including what its log still holds, and verify the copy.

    Raise CorruptBackupError if it is damaged or not a database of this program, StoreTooNewError if a newer version
    wrote it, StoreError if the disk is full.
    """
    uri = f"{source.absolute().as_uri()}?mode=rw"  # never creates a missing file
    with (
        _map_errors(source),
        closing(sqlite3.connect(uri, uri=True)) as opened,
        closing(sqlite3.connect(target)) as copied,
    ):
        opened.backup(copied)
        _finish(copied)
        _require_our_schema(copied, source)


def compact(connection: Connection) -> None:
    """Rewrite an SQLite database without its empty pages."""
    if connection.dialect.name == "sqlite":
        driver = _driver(connection)
        driver.rollback()  # VACUUM is a transaction of its own, and nothing was written in this one
        driver.execute("VACUUM")
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def has_data(file: Path) -> bool:
    """Check whether a file has feeds or editions, or data of another program; assume so if it cannot be read."""
    if not file.exists() or not file.stat().st_size:
        return False
    try:
        with closing(sqlite3.connect(file, timeout=_TIMEOUT_SECONDS)) as opened:
            tables = {row[0] for row in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            ours = {"feed", "edition"} & tables
            if not ours:
                return bool(tables)
            return any(opened.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone() for name in ours)  # noqa: S608
    except sqlite3.DatabaseError:
        return True


@contextmanager
def exclusive_access(file: Path, *, unchanged_since: Path | None = None) -> Iterator[None]:
    """Keep other processes from a database, its log merged into it.

    Raise RefusedError if another process has it open, or has written it after ``unchanged_since`` was copied from it.
    """
    if not file.exists():
        yield
        return
    with closing(sqlite3.connect(file, timeout=0.2, isolation_level=None)) as opened:
        in_use = RefusedError(
            f"{file} is open in another process: stop `pipeline run` and the preview first, then try again."
        )
        try:
            # Only the sole user of a database may leave WAL mode (https://www.sqlite.org/wal.html).
            (mode,) = opened.execute("PRAGMA journal_mode = DELETE").fetchone()
            opened.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise in_use from error
        except sqlite3.DatabaseError:
            mode = "delete"  # damaged beyond opening, so no process uses it
        if mode == "wal" or (unchanged_since and _count_commits(opened) != _count_commits_of(unchanged_since)):
            raise in_use
        yield


def _count_commits(opened: sqlite3.Connection) -> int:
    (commits,) = opened.execute("SELECT commits FROM commit_counter").fetchone()
    return int(commits)


def _count_commits_of(file: Path) -> int:
    with closing(sqlite3.connect(file)) as opened:
        return _count_commits(opened)


def _driver(connection: Connection) -> sqlite3.Connection:
    return cast(sqlite3.Connection, connection.connection.driver_connection)


def _finish(copied: sqlite3.Connection) -> None:
    """Make a copy one file without a log, verify it, and delete what nobody should keep."""
    copied.execute("PRAGMA journal_mode = DELETE")
    errors = [row[0] for row in copied.execute("PRAGMA integrity_check(1)") if row[0] != "ok"]
    if errors:
        raise sqlite3.DatabaseError(errors[0])
    copied.execute("PRAGMA secure_delete = ON")
    tables = {row[0] for row in copied.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for name in sorted(NEVER_COPIED & tables):
        copied.execute(f"DELETE FROM {name}")  # noqa: S608
    copied.commit()


def _require_our_schema(copied: sqlite3.Connection, source: Path) -> None:
    if not copied.execute("SELECT 1 FROM sqlite_master WHERE name = 'pipeline_migration'").fetchone():
        raise CorruptBackupError(f"{source} is no backup of this program: name a file that `pipeline backup` wrote.")
    (number,) = copied.execute("SELECT coalesce(max(number), 0) FROM pipeline_migration").fetchone()
    newest = max(list_migrations())
    if number > newest:
        raise StoreTooNewError(
            f"{source} was written by a newer pipeline (schema {number}, this one knows {newest}): "
            "install that version, then restore."
        )


@contextmanager
def _map_errors(source: Path | None = None) -> Iterator[None]:
    """Raise SQLite's errors while copying ``source``, or the open store, as StoreError or CorruptBackupError."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if "full" in str(error):
            raise StoreError("the disk has no room for the copy: free some space and try again.") from error
        if source:
            raise CorruptBackupError(f"{source} is not a whole database ({error}): use another backup.") from error
        raise CorruptBackupError(f"no whole copy can be made ({error}): see what `pipeline doctor` reports.") from error
