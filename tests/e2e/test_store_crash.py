"""A run killed at any moment leaves a database that opens and holds everything that was reported committed."""

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
from store_writer import POSTS

from pipeline.store import Store

KILLS = 40
FRESH_EVERY = 8  # each so many kills a new database, so that some die while it is being made


class Writers:
    """Starts writers and kills them."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def die_after(self, file: Path, report: Path, commits: int, seconds: float) -> None:
        """Let a writer report so many commits, wait a little more, and kill it in whatever it is doing."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        before = report.stat().st_size
        print(f"sqlite:///{file}", report, file=self.process.stdin, flush=True)
        writer = int(self.process.stdout.readline())
        until(lambda: report.read_bytes()[before:].count(b"\n") >= commits)
        time.sleep(seconds)
        os.kill(writer, signal.SIGKILL)
        until(lambda: not alive(writer))


def until(true: Callable[[], bool]) -> None:
    """Look every half millisecond, for a minute: the machine may be busy with something else."""
    give_up_at = time.monotonic() + 60
    while not true():
        assert time.monotonic() < give_up_at, "the writer does nothing"
        time.sleep(0.0005)


def alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def writers() -> Iterator[Writers]:
    script = Path(__file__).with_name("store_writer.py")
    with subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Writers(process)


def check(file: Path, report: Path) -> int:
    """Open the database after a kill; gives how many feeds it holds."""
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


def test_a_killed_run_loses_nothing_it_had_committed(tmp_path: Path, writers: Writers) -> None:
    """Writers are killed while opening, between commits and in them; every time all is there, and nothing in part."""
    held = 0
    for kill in range(KILLS):
        file, report = (tmp_path / f"{kill // FRESH_EVERY}.{kind}" for kind in ("db", "txt"))
        report.touch()
        writers.die_after(file, report, commits=kill % FRESH_EVERY, seconds=(kill * 7 % 20) / 1000)
        held += check(file, report)
    assert held > KILLS
