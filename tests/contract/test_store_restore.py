"""Private copies of the store, and restoring while other processes open it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from store_factories import NOW

from pipeline.jobs.maintenance.atomic_file import atomic_file
from pipeline.jobs.maintenance.backup import back_up, restore
from pipeline.model.errors import RefusedError
from pipeline.model.feed import FeedState
from pipeline.store import Store

MANY = [FeedState(feed_id=f"feed{number}", url="u" * 200) for number in range(60)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A store that was written after its backup ``b.db``."""
    file = tmp_path / "pipeline.db"
    with Store.open(f"sqlite:///{file}") as store:
        back_up(store, tmp_path / "b.db")
        for state in MANY:
            store.feeds.save(state)
    return file


def count_feeds(file: Path) -> int:
    """Return the number of count_feeds in a whole store."""
    with Store.open(f"sqlite:///{file}") as store:
        assert store.maintenance.integrity_errors() == []
        return len(store.feeds.states())


def at_sync(monkeypatch: pytest.MonkeyPatch, act: Callable[[str], None]) -> None:
    """Call a function with the path of each file or folder about to be synced to disk."""
    sync = os.fsync

    def first(handle: int) -> None:
        act(os.readlink(f"/proc/self/fd/{handle}"))
        sync(handle)

    monkeypatch.setattr(os, "fsync", first)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_restore_refuses_a_store_opened_meanwhile(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that opens the store while the copy is synced keeps it, and the restore is refused."""
    opened: list[Store] = []

    def tick(path: str) -> None:
        if path.endswith(".new") and not opened:
            opened.append(Store.open(f"sqlite:///{file}"))
            opened[0].feeds.save(FeedState(feed_id="tick"))

    at_sync(monkeypatch, tick)
    with pytest.raises(RefusedError, match="is open in another process"):
        restore(tmp_path / "b.db", file, now=NOW, overwrite=True)
    opened[0].close()
    assert count_feeds(file) == len(MANY) + 1


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_a_process_waiting_for_the_old_store_cannot_write(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It opened the old file and writes after the new one took its place: it gets an error and leaves no log."""
    early = sqlite3.connect(file, isolation_level=None, timeout=0)

    def come(path: str) -> None:
        if path.endswith(".new"):
            early.execute("PRAGMA journal_mode = DELETE")  # opens the file, and holds nothing
        else:
            assert count_feeds(file) == 0  # the new one is there, and open to everybody

    at_sync(monkeypatch, come)
    restore(tmp_path / "b.db", file, now=NOW, overwrite=True)
    with closing(early), pytest.raises(sqlite3.OperationalError, match="readonly"):
        early.execute("PRAGMA journal_mode = WAL")
    assert not list(tmp_path.glob("pipeline.db-*"))
    assert count_feeds(file) == 0


def test_a_leftover_log_is_not_used(file: Path, tmp_path: Path) -> None:
    """The store is gone and its log is left: what is restored is the backup and nothing else."""
    with Store.open(f"sqlite:///{file}") as store:
        store.feeds.save(FeedState(feed_id="late"))
        logs = {end: file.with_name(file.name + end).read_bytes() for end in ("-wal", "-shm")}
    file.unlink()
    for end, log in logs.items():
        file.with_name(file.name + end).write_bytes(log)
    assert restore(tmp_path / "b.db", file, now=NOW) is None
    assert count_feeds(file) == 0


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX file modes")
def test_a_store_and_its_copies_are_private(file: Path, tmp_path: Path) -> None:
    """Database, log, backup, restored store and export are readable by the owner alone, whatever the umask."""
    before = os.umask(0o002)
    try:
        with Store.open(f"sqlite:///{tmp_path / 'made.db'}") as store:
            store.feeds.save(FeedState(feed_id="late"))
            back_up(store, tmp_path / "b2.db")
            modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("made.db*")}
        restore(tmp_path / "b2.db", tmp_path / "fresh.db", now=NOW)
        with atomic_file(tmp_path / "all.jsonl", overwrite=False) as fresh:
            fresh.write_text("{}")
    finally:
        os.umask(before)
    for name in ("b2.db", "fresh.db", "all.jsonl"):
        modes[name] = (tmp_path / name).stat().st_mode & 0o777
    assert set(modes) >= {"made.db", "made.db-wal", "b2.db", "fresh.db", "all.jsonl"}
    assert set(modes.values()) == {0o600}, modes


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX file modes")
def test_an_existing_store_keeps_its_mode(file: Path) -> None:
    """A group was given access on purpose."""
    file.chmod(0o640)
    Store.open(f"sqlite:///{file}").close()
    assert file.stat().st_mode & 0o777 == 0o640
