"""A publication that is killed at random moments and restarted loses nothing and sends nothing twice."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path

import pytest
from season_process import SEED, moments, run_season
from test_store_crash import is_alive

from tests import postgres
from tests.year_simulation import SQLITE, START, WEEK, collect_result, create_publication, posts, verify

ROOT = Path(__file__).parents[2]
MAX_DELAY_SECONDS = 0.15
"""About the duration of a tick that fetches the feeds and builds a draft."""

PROGRESS_TIMEOUT_SECONDS = 60.0


@pytest.fixture
def forker(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Return a process that forks a process for each publication named on its stdin."""
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


def start(forker: subprocess.Popen[str], folder: Path, weeks: int) -> int:
    """Start a publication and return its process id."""
    assert forker.stdin is not None
    assert forker.stdout is not None
    print(folder, weeks, file=forker.stdin, flush=True)
    return int(forker.stdout.readline())


def completed_moments(folder: Path) -> int:
    """Return the number of simulated moments that were completed."""
    return int((folder / "moment.txt").read_text() or 0)


def check_invariants(folder: Path, url: str) -> None:
    """Check that the database is intact and no story was published twice."""
    if not (folder / "importing").exists():
        if url == SQLITE:
            with closing(sqlite3.connect(folder / "pipeline.db")) as database:
                assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        assert set(collect_result(folder).published.values()) <= {1}


def sent_titles(folder: Path) -> Counter[str]:
    """Count the stories in all messages that left, whatever the store knows."""
    messages = [message_from_bytes(path.read_bytes(), policy=SMTP) for path in (folder / "outbox").glob("*.eml")]
    texts = [message.get_body(("plain",)).get_content() for message in messages]  # type: ignore[union-attr]
    return Counter(line.partition(": https://")[2] for text in texts for line in text.splitlines() if ": https" in line)


@pytest.mark.parametrize(
    ("kind", "kills", "weeks"),
    [
        ("sqlite", 5, 1),
        pytest.param("sqlite", 300, 26, marks=pytest.mark.slow(minutes=4)),
        pytest.param("postgresql", 100, 9, marks=[pytest.mark.postgres, pytest.mark.slow(minutes=3)]),
    ],
)
def test_a_killed_publication_loses_nothing_and_sends_nothing_twice(
    tmp_path: Path, forker: subprocess.Popen[str], kind: str, kills: int, weeks: int, request: pytest.FixtureRequest
) -> None:
    """The next process continues where the killed one stopped; in the end every story was published exactly once.

    Kills hit fetch, digest, approve, send, backup, restore, prune, export and import.
    """
    folder, chance = tmp_path / "publication", random.Random(SEED)
    folder.mkdir()
    url = SQLITE if kind == "sqlite" else str(request.getfixturevalue("scratch_database"))
    create_publication(folder, url)
    (folder / "moment.txt").touch()
    for kill in range(kills):
        completed = completed_moments(folder)
        is_early = completed * kills > kill * len(moments(weeks))  # on a fast machine: more kills are to come
        goal = completed + (0 if is_early else chance.choice((0, 1, 1, 2)))
        process = start(forker, folder, weeks)
        deadline = time.monotonic() + PROGRESS_TIMEOUT_SECONDS
        while completed_moments(folder) < goal:
            assert time.monotonic() < deadline, "the publication makes no progress"
            time.sleep(0.001)
        time.sleep(chance.random() * MAX_DELAY_SECONDS / (10 if is_early else 1))
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            assert completed_moments(folder) == len(moments(weeks)), "the process ended by itself"
            assert kill > kills * 0.8
            break
        while is_alive(process):
            time.sleep(0.001)
        if kill % 10 == 9:
            check_invariants(folder, url)
    run_season(folder, weeks)
    verify(collect_result(folder), posts(SEED, weeks), START + weeks * WEEK)
    assert set(sent_titles(folder).values()) == {1}


@pytest.fixture
def scratch_database() -> Iterator[str]:
    """The URL of a database whose schema may be dropped."""
    with postgres.temporary_database("_season") as url:
        yield url
