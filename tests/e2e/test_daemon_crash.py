"""Killed at any moment of fetch, draft, approval and mailing, and started again: nothing lost, nothing twice."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from season_process import SEED, run_season
from test_store_crash import is_alive

from tests.year_simulation import START, WEEK, collect_result, create_publication, posts, verify

ROOT = Path(__file__).parents[2]
LONGEST_SECONDS = 0.15
"""About as long as a beat takes that reads the feeds and makes a draft."""

PATIENCE_SECONDS = 60.0


@pytest.fixture
def liver(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Forks publications."""
    with (
        (tmp_path / "stderr.txt").open("w") as errors,
        subprocess.Popen(
            [sys.executable, Path(__file__).with_name("season_process.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        ) as process,
    ):
        yield process
    assert "Traceback" not in (tmp_path / "stderr.txt").read_text()


def start(liver: subprocess.Popen[str], folder: Path, weeks: int) -> int:
    """Start a publication; give its process id."""
    assert liver.stdin is not None
    assert liver.stdout is not None
    print(folder, weeks, file=liver.stdin, flush=True)
    return int(liver.stdout.readline())


def lived_through(folder: Path) -> int:
    """Say how many moments were lived through to their end."""
    return int((folder / "moment.txt").read_text() or 0)


def check_halfway(folder: Path) -> None:
    """Whatever was cut short: the database is whole, and no story is told twice."""
    with closing(sqlite3.connect(folder / "pipeline.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    assert set(collect_result(folder).published.values()) <= {1}


@pytest.mark.parametrize(("kills", "weeks"), [(10, 1), pytest.param(200, 26, marks=pytest.mark.slow(minutes=1))])
def test_killed_at_any_moment_nothing_is_lost_and_nothing_goes_out_twice(
    tmp_path: Path, liver: subprocess.Popen[str], kills: int, weeks: int
) -> None:
    """Each time the next process goes on where the dead one was; at the end all is told, and every mail is out once."""
    folder, chance = tmp_path / "publication", random.Random(SEED)
    folder.mkdir()
    create_publication(folder)
    (folder / "moment.txt").touch()
    for kill in range(kills):
        goal = lived_through(folder) + chance.choice((0, 1, 1, 2))
        process = start(liver, folder, weeks)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while lived_through(folder) < goal:
            assert time.monotonic() < deadline, "the publication does not get on"
            time.sleep(0.001)
        time.sleep(chance.random() * LONGEST_SECONDS)
        os.kill(process, signal.SIGKILL)
        while is_alive(process):
            time.sleep(0.001)
        if kill % 10 == 9:
            check_halfway(folder)
    run_season(folder, weeks)
    verify(collect_result(folder), posts(SEED, weeks), START + weeks * WEEK)
