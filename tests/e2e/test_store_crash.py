"""A run killed at any moment leaves a database that opens and has everything reported as committed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from store_process import POSTS

from pipeline.store import Store

KILLS = 24
NEW_DATABASE_EVERY = 8  # kills, so that some happen while the database is created


class Writers:
    """Starts writers and kills them."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def kill_after(self, file: Path, report: Path, commits: int, seconds: float) -> None:
        """Start a writer, and kill it some seconds after it has reported this many commits."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        before = report.stat().st_size
        print(f"sqlite:///{file}", report, file=self.process.stdin, flush=True)
        writer = int(self.process.stdout.readline())
        wait_until(lambda: report.read_bytes()[before:].count(b"\n") >= commits)
        time.sleep(seconds)
        os.kill(writer, signal.SIGKILL)
        wait_until(lambda: not is_alive(writer))


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait up to a minute for a condition, checking it every half millisecond."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "the writer does nothing"
        time.sleep(0.0005)


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def writers() -> Iterator[Writers]:
    script = Path(__file__).with_name("store_process.py")
    with subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Writers(process)


def count_feeds(file: Path, report: Path) -> int:
    """Open the database after a kill and verify it; return the number of feeds."""
    with Store.open(f"sqlite:///{file}") as store:
        counts = {feed_id: count.entries for feed_id, count in store.feeds.stats().items()}
    assert set(report.read_text().split()) <= set(counts), "a feed that was reported committed is gone"
    assert set(counts.values()) <= {POSTS}, "a feed was written in part"
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        bodies = connection.execute("SELECT count(*) FROM content").fetchone()
    assert bodies == (sum(counts.values()),)
    return len(counts)


def test_a_killed_run_loses_no_commit(tmp_path: Path, writers: Writers) -> None:
    """Writers are killed while they open the database, inside and between transactions; nothing is lost or partial."""
    stored = 0
    for kill in range(KILLS):
        file, report = (tmp_path / f"{kill // NEW_DATABASE_EVERY}.{kind}" for kind in ("db", "txt"))
        report.touch()
        writers.kill_after(file, report, commits=kill % NEW_DATABASE_EVERY, seconds=(kill * 7 % 20) / 1000)
        stored += count_feeds(file, report)
    assert stored > KILLS
