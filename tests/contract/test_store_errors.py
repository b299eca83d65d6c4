"""What may be wrong with a database file, and that opening it makes nothing worse."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from store_factories import MONDAY, NOW, apply, blog_post, insert, make_change

from pipeline.model.errors import StoreError, StoreTooNewError
from pipeline.model.feed import FeedState
from pipeline.store import Store


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pipeline.db"


def execute(file: Path, *statements: str) -> list[Any]:
    """Run SQL without the store; return the rows of the last statement."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        return [connection.execute(statement).fetchall() for statement in statements][-1]


def open_store(file: Path) -> Store:
    return Store.open(f"sqlite:///{file}")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_newer_database_is_refused_untouched(file: Path) -> None:
    """Not a byte differs afterwards, and no journal is left beside it."""
    open_store(file).close()
    execute(
        file,
        "INSERT INTO pipeline_migration VALUES (9999, 'm9999_tomorrow')",
        "PRAGMA journal_mode = DELETE",
    )
    before = contents(file.parent)
    with pytest.raises(
        StoreTooNewError, match=r"pipeline\.db was written by a newer pipeline \(schema 9999, this one knows"
    ):
        open_store(file)
    assert contents(file.parent) == before


def test_another_programs_database_is_refused_untouched(file: Path) -> None:
    """A file with tables of another program is never written."""
    execute(file, "CREATE TABLE entry (id INTEGER)")
    before = contents(file.parent)
    with pytest.raises(StoreError, match="belongs to another program"):
        open_store(file)
    assert contents(file.parent) == before


def test_a_file_that_is_no_database_is_refused_untouched(file: Path) -> None:
    """The error says what the file is not, and what to do."""
    file.write_text("a shopping list\n" * 100)
    before = contents(file.parent)
    with pytest.raises(StoreError, match=r"is not a database; move that file away or name another"):
        open_store(file)
    assert contents(file.parent) == before


def test_an_empty_file_becomes_a_database(file: Path) -> None:
    """A file made by ``touch`` is as good as none."""
    file.touch()
    with open_store(file) as store:
        assert store.feeds.states() == {}


def test_a_missing_folder_is_named(file: Path) -> None:
    """The folder is not created."""
    with pytest.raises(StoreError, match="cannot be opened; create the folder"):
        open_store(file.parent / "missing" / "pipeline.db")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("pipeline.db", "names no known database; write sqlite:///"),
        ("mysql://localhost/pipeline", "names mysql; write sqlite:///"),
        ("sqlite+nothing:///x.db", "names no known database; write sqlite:///"),
    ],
)
def test_a_url_of_no_known_database_is_refused(url: str, sentence: str) -> None:
    """The error shows what a URL looks like."""
    with pytest.raises(StoreError, match=sentence):
        Store.open(url)


def test_a_damaged_database_is_reported(file: Path) -> None:
    """Overwritten pages raise an error with advice, not a traceback."""
    with open_store(file) as store:
        insert(store, *(blog_post(number) for number in range(500)))
    with file.open("r+b") as pages:
        pages.seek(4096)
        pages.write(os.urandom(1) * (file.stat().st_size - 4096))
    with pytest.raises(StoreError, match="is damaged; restore a backup"), open_store(file) as store:
        store.entries.identities("blog")


def test_a_reader_does_not_wait_for_a_writer(file: Path) -> None:
    """In WAL mode a reader sees what was committed and waits for nobody."""
    with open_store(file) as store, closing(sqlite3.connect(file, isolation_level=None)) as writer:
        insert(store, blog_post())
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE entry SET title = 'not yet'")
        assert [known.title for known in store.entries.identities("blog")] == ["Post 1"]
        writer.execute("ROLLBACK")


def test_the_database_is_in_wal_mode(file: Path) -> None:
    """Whatever mode it was in before."""
    open_store(file).close()
    execute(file, "PRAGMA journal_mode = DELETE")
    open_store(file).close()
    assert execute(file, "PRAGMA journal_mode") == [("wal",)]


def test_nothing_is_left_beside_a_closed_database(file: Path) -> None:
    """The log is merged when the last connection closes, so copying one file copies everything."""
    with open_store(file) as store:
        insert(store, blog_post())
    assert list(contents(file.parent)) == ["pipeline.db"]


@contextmanager
def limit_pages(pages: int) -> Iterator[None]:
    """Give every database opened meanwhile a disk of this many pages."""

    def limit(connection: Any, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(Engine, "connect", limit)
    yield
    event.remove(Engine, "connect", limit)


def test_a_full_disk_loses_nothing(file: Path) -> None:
    """The whole transaction is refused; with room again, it succeeds."""
    changes = [make_change(blog_post(number, body_html="x" * 10_000)) for number in range(2, 200)]
    with open_store(file) as store:
        insert(store, blog_post(1))
    with limit_pages(60), open_store(file) as store:
        with pytest.raises(StoreError, match="has no room left; free some disk space"):
            apply(store, changes, state=FeedState(feed_id="blog", etag="new"))
        assert [known.title for known in store.entries.identities("blog")] == ["Post 1"]
        assert store.feeds.states()["blog"].etag == ""
    with open_store(file) as store:
        assert apply(store, changes).new == 198
    assert execute(file, "PRAGMA integrity_check") == [("ok",)]


def test_commits_are_synced_and_keys_are_checked(file: Path) -> None:
    """Each connection syncs at commit, waits for a lock, and enforces foreign keys."""
    pragma_values: list[tuple[int, ...]] = []

    def ask(connection: Any) -> None:
        pragmas = ("synchronous", "busy_timeout", "foreign_keys")
        pragma_values.append(tuple(connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas))

    event.listen(Engine, "begin", ask)
    with open_store(file) as store:
        insert(store, blog_post())
        store.entries.between(MONDAY, NOW, ["blog"])
    event.remove(Engine, "begin", ask)
    assert set(pragma_values) == {(2, 5000, 1)}


def test_importing_the_package_does_not_import_sqlalchemy() -> None:
    """A command that stores nothing does not pay for it."""
    asked = "import sys, pipeline.store; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0
