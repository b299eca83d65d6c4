"""Backup and restore: copies are whole, of one moment, and replace a store without losing it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from importlib import import_module
from pathlib import Path
from threading import Event, Thread

import pytest
from store_factories import NOW, apply, blog_post, insert, make_change

from pipeline.jobs.maintenance.backup import back_up, restore
from pipeline.model.errors import CorruptBackupError, RefusedError, StoreError, StoreTooNewError, UsageError
from pipeline.model.feed import FeedState
from pipeline.store import Store
from pipeline.store.dialects import make_engine
from pipeline.store.migrate import list_migrations
from pipeline.store.schema import migration


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pipeline.db"


@pytest.fixture
def closed_store(file: Path) -> Path:
    """A closed store with one entry."""
    with Store.open(f"sqlite:///{file}") as store:
        insert(store, blog_post(1))
    return file


def titles(file: Path) -> list[str]:
    with Store.open(f"sqlite:///{file}") as store:
        return [known.title for known in store.entries.identities("blog")]


# Backup


def test_a_backup_is_one_whole_file(closed_store: Path, tmp_path: Path) -> None:
    """No other file is left beside it, and it opens as a store with the same content."""
    with Store.open(f"sqlite:///{closed_store}") as store:
        assert back_up(store, tmp_path / "b.db") == (tmp_path / "b.db").stat().st_size
    assert [path.name for path in tmp_path.iterdir() if "b.db" in path.name] == ["b.db"]
    assert titles(tmp_path / "b.db") == ["Post 1"]


def test_a_backup_is_of_one_moment_while_others_write(file: Path, tmp_path: Path) -> None:
    """Each feed is written with twenty entries in one transaction; every copy has all twenty or none."""
    stop = Event()

    def write() -> None:
        with Store.open(f"sqlite:///{file}") as store:
            for number in range(10_000):
                changes = [make_change(blog_post(item, feed_id=f"feed{number}")) for item in range(20)]
                apply(store, changes, state=FeedState(feed_id=f"feed{number}"))
                if stop.is_set():
                    return

    writer = Thread(target=write)
    writer.start()
    with Store.open(f"sqlite:///{file}") as store:
        sizes = [back_up(store, tmp_path / "0.bak")]
        while len(sizes) < 5 or (sizes[-1] == sizes[0] and writer.is_alive()):
            sizes.append(back_up(store, tmp_path / f"{len(sizes)}.bak"))
    stop.set()
    writer.join()
    for number in range(len(sizes)):
        with Store.open(f"sqlite:///{tmp_path / f'{number}.bak'}") as copy:
            assert {count.entries for count in copy.feeds.stats().values()} <= {20}
            assert copy.maintenance.integrity_errors() == []
    assert sizes[-1] > sizes[0], "nothing was written meanwhile"


def test_a_backup_overwrites_only_when_allowed(closed_store: Path, tmp_path: Path) -> None:
    """An existing file stays as it was; with ``overwrite`` it is replaced."""
    there = tmp_path / "b.db"
    there.write_text("precious")
    with Store.open(f"sqlite:///{closed_store}") as store:
        with pytest.raises(RefusedError, match=r"b\.db already exists"):
            back_up(store, there)
        assert there.read_text() == "precious"
        back_up(store, there, overwrite=True)
    assert titles(there) == ["Post 1"]


def test_a_damaged_store_is_not_backed_up(closed_store: Path, tmp_path: Path) -> None:
    """A copy that would not be whole is refused."""
    with Store.open(f"sqlite:///{closed_store}") as store:
        insert(store, *(blog_post(number) for number in range(2, 300)))
    with closed_store.open("r+b") as pages:
        pages.seek(20 * 4096)
        pages.write(b"\xa5" * 4096 * 8)
    with pytest.raises(StoreError, match=r"damaged|no whole copy"), Store.open(f"sqlite:///{closed_store}") as store:
        back_up(store, tmp_path / "b.db")
    assert [path.name for path in tmp_path.iterdir() if "b.db" in path.name] == []


def test_a_backup_into_a_missing_folder_is_refused(closed_store: Path, tmp_path: Path) -> None:
    """The error is a sentence, not a traceback."""
    with (
        Store.open(f"sqlite:///{closed_store}") as store,
        pytest.raises(UsageError, match=r"there is no folder .*missing"),
    ):
        back_up(store, tmp_path / "missing" / "b.db")


@pytest.mark.postgres
def test_a_server_is_not_backed_up(postgres_url: str, tmp_path: Path) -> None:
    """The error names pg_dump and the export."""
    with Store.open(postgres_url) as store, pytest.raises(RefusedError, match="use pg_dump, or `pipeline export FILE`"):
        back_up(store, tmp_path / "b.db")


# Restore


def test_restore_keeps_the_old_store(closed_store: Path, tmp_path: Path) -> None:
    """The old store is whole under its new name, including the content of its log."""
    with Store.open(f"sqlite:///{closed_store}") as store:
        back_up(store, tmp_path / "b.db")
        insert(store, blog_post(2))
    closed_store.chmod(0o640)
    old = restore(tmp_path / "b.db", closed_store, now=NOW, overwrite=True)
    assert old == closed_store.with_name("pipeline.db.20260216T060000Z.old")
    assert closed_store.stat().st_mode & 0o777 == 0o640
    assert titles(closed_store) == ["Post 1"]
    assert titles(old) == ["Post 1", "Post 2"]


def test_restore_replaces_data_only_when_allowed(closed_store: Path, tmp_path: Path) -> None:
    """A store with data stays; an empty one is replaced."""
    with Store.open(f"sqlite:///{closed_store}") as store:
        back_up(store, tmp_path / "b.db")
    with pytest.raises(RefusedError, match="contains a publication: --force"):
        restore(tmp_path / "b.db", closed_store, now=NOW)
    fresh = tmp_path / "fresh.db"
    assert restore(tmp_path / "b.db", fresh, now=NOW) is None
    empty = tmp_path / "empty.db"
    Store.open(f"sqlite:///{empty}").close()
    restore(tmp_path / "b.db", empty, now=NOW)
    assert titles(fresh) == titles(empty) == ["Post 1"]


def test_restore_refuses_an_open_store(closed_store: Path, tmp_path: Path) -> None:
    """An idle process is enough: it would go on writing into the old file."""
    with Store.open(f"sqlite:///{closed_store}") as store:
        back_up(store, tmp_path / "b.db")
        with pytest.raises(RefusedError, match="is open in another process: stop `pipeline run`"):
            restore(tmp_path / "b.db", closed_store, now=NOW, overwrite=True)
        insert(store, blog_post(2))
    assert titles(closed_store) == ["Post 1", "Post 2"]
    assert not list(tmp_path.glob("*.old")) + list(tmp_path.glob(".*"))


def test_restore_replaces_a_damaged_store(closed_store: Path, tmp_path: Path) -> None:
    """It may have data, so ``overwrite`` is required; the damaged file is closed_store."""
    with Store.open(f"sqlite:///{closed_store}") as store:
        back_up(store, tmp_path / "b.db")
    closed_store.write_bytes(b"a shopping list" * 1000)
    with pytest.raises(RefusedError, match="--force"):
        restore(tmp_path / "b.db", closed_store, now=NOW)
    old = restore(tmp_path / "b.db", closed_store, now=NOW, overwrite=True)
    assert old is not None
    assert old.read_bytes().startswith(b"a shopping list")
    assert titles(closed_store) == ["Post 1"]


def test_restore_refuses_other_files(closed_store: Path, tmp_path: Path) -> None:
    """A missing file, another file or program's database, a newer version's or a truncated one: the store stays."""
    text, other, newer, torn = (tmp_path / name for name in ("text", "other", "newer", "torn"))
    text.write_text("a shopping list\n" * 100)
    with Store.open(f"sqlite:///{closed_store}") as store:
        insert(store, *(blog_post(number) for number in range(2, 300)))
        back_up(store, newer)
    torn.write_bytes(newer.read_bytes()[: newer.stat().st_size // 2])
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE t (x)")
    with closing(sqlite3.connect(newer, isolation_level=None)) as connection:
        connection.execute("INSERT INTO pipeline_migration VALUES (9999, 'm9999_tomorrow')")
    before = closed_store.read_bytes()
    for backup, error, sentence in (
        (tmp_path / "missing", UsageError, "there is no file"),
        (text, CorruptBackupError, "is not a whole database"),
        (other, CorruptBackupError, "is no backup of this program"),
        (newer, StoreTooNewError, "was written by a newer pipeline"),
        (torn, CorruptBackupError, "is not a whole database"),
    ):
        with pytest.raises(error, match=sentence):
            restore(backup, closed_store, now=NOW, overwrite=True)
    assert closed_store.read_bytes() == before
    assert not list(tmp_path.glob("*.old")) + list(tmp_path.glob(".*"))


@pytest.mark.parametrize("schema", [1, 6])
def test_a_backup_of_an_older_version_is_migrated(closed_store: Path, tmp_path: Path, schema: int) -> None:
    """It is restored as it was, and migrated when it is opened next."""
    old = make_engine(f"sqlite:///{tmp_path / 'old.db'}")
    with old.begin() as connection:
        migration.create(connection)
        for number, name in list(list_migrations().items())[:schema]:
            import_module(f"pipeline.store.migrations.{name}").upgrade(connection)
            connection.execute(migration.insert().values(number=number, name=name))
    old.dispose()
    restore(tmp_path / "old.db", closed_store, now=NOW, overwrite=True)
    with Store.open(f"sqlite:///{closed_store}") as store:
        assert len(insert(store, blog_post(1))) == 1
        assert store.maintenance.integrity_errors() == []


# Integrity


def test_a_whole_store_has_no_integrity_errors(store: Store) -> None:
    """On every database."""
    insert(store, blog_post(1))
    assert store.maintenance.integrity_errors() == []


def test_integrity_errors_are_named(closed_store: Path) -> None:
    """Content whose entry is missing is found, and an index that lost a row."""
    with closing(sqlite3.connect(closed_store, isolation_level=None)) as connection:
        connection.execute("DELETE FROM entry")
    with Store.open(f"sqlite:///{closed_store}") as store:
        assert store.maintenance.integrity_errors() == ["row 1 of content refers to a missing entry"]
