"""Copies of the store that nobody else reads, and a store put back while others come in."""

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
    """A store that has moved on since its backup, ``b.db``."""
    file = tmp_path / "pipeline.db"
    with Store.open(f"sqlite:///{file}") as store:
        back_up(store, tmp_path / "b.db")
        for state in MANY:
            store.feeds.save(state)
    return file


def feeds(file: Path) -> int:
    """Count what a whole store remembers."""
    with Store.open(f"sqlite:///{file}") as store:
        assert store.maintenance.integrity_errors() == []
        return len(store.feeds.states())


def at_sync(monkeypatch: pytest.MonkeyPatch, act: Callable[[str], None]) -> None:
    """Do something whenever a file or a folder is about to be on the disk for good: named by where it lies then."""
    sync = os.fsync

    def first(handle: int) -> None:
        act(os.readlink(f"/proc/self/fd/{handle}"))
        sync(handle)

    monkeypatch.setattr(os, "fsync", first)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="files are told by /proc")
def test_who_comes_in_while_the_backup_is_written_is_not_run_over(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that begins to work while the copy goes to the disk keeps its store, and the restore is refused."""
    opened: list[Store] = []

    def tick(path: str) -> None:
        if path.endswith(".new") and not opened:
            opened.append(Store.open(f"sqlite:///{file}"))
            opened[0].feeds.save(FeedState(feed_id="tick"))

    at_sync(monkeypatch, tick)
    with pytest.raises(RefusedError, match="is open in another process"):
        restore(tmp_path / "b.db", file, now=NOW, overwrite=True)
    opened[0].close()
    assert feeds(file) == len(MANY) + 1


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="files are told by /proc")
def test_who_waits_for_the_old_store_cannot_write_beside_the_new_one(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opened before the new one had its place, written to afterwards: it is told so, and leaves no log there."""
    early = sqlite3.connect(file, isolation_level=None, timeout=0)

    def come(path: str) -> None:
        if path.endswith(".new"):
            early.execute("PRAGMA journal_mode = DELETE")  # opens the file, and holds nothing
        else:
            assert feeds(file) == 0  # the new one is there, and open to everybody

    at_sync(monkeypatch, come)
    restore(tmp_path / "b.db", file, now=NOW, overwrite=True)
    with closing(early), pytest.raises(sqlite3.OperationalError, match="readonly"):
        early.execute("PRAGMA journal_mode = WAL")
    assert not list(tmp_path.glob("pipeline.db-*"))
    assert feeds(file) == 0


def test_a_log_without_its_store_is_not_taken_for_the_new_ones(file: Path, tmp_path: Path) -> None:
    """Somebody took the store away and left its log: what is restored is the backup and nothing else."""
    with Store.open(f"sqlite:///{file}") as store:
        store.feeds.save(FeedState(feed_id="late"))
        logs = {end: file.with_name(file.name + end).read_bytes() for end in ("-wal", "-shm")}
    file.unlink()
    for end, log in logs.items():
        file.with_name(file.name + end).write_bytes(log)
    assert restore(tmp_path / "b.db", file, now=NOW) is None
    assert feeds(file) == 0


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
def test_a_store_and_its_copies_are_their_owners_alone(file: Path, tmp_path: Path) -> None:
    """Database, log, backup, restored store and export: none is for others to read, whatever the umask says."""
    before = os.umask(0o002)
    try:
        with Store.open(f"sqlite:///{tmp_path / 'made.db'}") as store:
            store.feeds.save(FeedState(feed_id="late"))
            back_up(store, tmp_path / "b2.db")
            modes = {each.name: each.stat().st_mode & 0o777 for each in tmp_path.glob("made.db*")}
        restore(tmp_path / "b2.db", tmp_path / "fresh.db", now=NOW)
        with atomic_file(tmp_path / "all.jsonl", overwrite=False) as fresh:
            fresh.write_text("{}")
    finally:
        os.umask(before)
    for name in ("b2.db", "fresh.db", "all.jsonl"):
        modes[name] = (tmp_path / name).stat().st_mode & 0o777
    assert set(modes) >= {"made.db", "made.db-wal", "b2.db", "fresh.db", "all.jsonl"}
    assert set(modes.values()) == {0o600}, modes


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
def test_a_store_that_is_there_keeps_its_mode(file: Path) -> None:
    """Who lets a group in did so on purpose."""
    file.chmod(0o640)
    Store.open(f"sqlite:///{file}").close()
    assert file.stat().st_mode & 0o777 == 0o640
