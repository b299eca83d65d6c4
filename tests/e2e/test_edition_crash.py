"""Processes are killed while they approve, hold, resume, skip or send: nothing is half done or sent twice."""

from __future__ import annotations

import json
import mailbox
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from edition_process import LIFECYCLES, WEEKS, fill, publication, run_lifecycles
from sqlalchemy import Row, create_engine
from test_store_crash import is_alive, wait_until

from pipeline.digest.render.theme import Theme
from pipeline.model.edition import EditionRecord
from pipeline.model.week import Week
from tests.publication import PublicationHarness, small_theme

ROOT = Path(__file__).parents[2]
LONGEST_SECONDS = 0.02
"""About as long as a transition takes."""


@pytest.fixture
def forker(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    script = Path(__file__).with_name("edition_process.py")
    (tmp_path / "themes").mkdir()
    with subprocess.Popen(
        [sys.executable, script, tmp_path / "themes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as process:
        yield process


def kill_one(
    process: subprocess.Popen[str], folder: Path, url: str, weeks: Sequence[Week], *, moves: int, seconds: float
) -> None:
    """Let a process report some transitions, wait a little longer, and kill it in the middle of the next."""
    assert process.stdin is not None
    assert process.stdout is not None
    report = folder / "moves.txt"
    before = report.stat().st_size
    print(len(weeks), folder, url, file=process.stdin, flush=True)
    forker = int(process.stdout.readline())
    wait_until(lambda: report.read_bytes()[before:].count(b"\n") >= moves)
    time.sleep(seconds)
    os.kill(forker, signal.SIGKILL)
    wait_until(lambda: not is_alive(forker))


def query(url: str, question: str) -> list[Row[Any]]:
    """Query the database directly."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = list(connection.exec_driver_sql(question))
    engine.dispose()
    return found


def check(harness: PublicationHarness, url: str) -> None:
    """Check after a kill that every edition is before or after each transition, in all tables."""
    records = harness.store.editions.all()
    assert harness.store.maintenance.integrity_errors() == []
    owned = Counter(week for (week,) in query(url, "SELECT week FROM edition_entry WHERE NOT late_counterpart"))
    placed = Counter(week for (week,) in query(url, "SELECT assigned_week FROM entry WHERE assigned_week IS NOT NULL"))
    for week, record in records.items():
        sealed = harness.store.editions.sealed(week)
        assert (record.number is None) == (sealed is None), "a number without a seal, or a seal without a number"
        published_guids = len(sealed.entry_ids) if sealed and record.is_sealed else 0
        assert (owned[week], placed[week]) == (published_guids, published_guids), (
            f"{record} owns {owned[week]}, has {placed[week]}"
        )
    numbers = sorted(each.number for each in records.values() if each.number)
    assert numbers == list(range(1, len(numbers) + 1))
    check_messages(harness, records)


def check_messages(harness: PublicationHarness, records: dict[str, EditionRecord]) -> None:
    """Check that no message was sent twice, and only those of editions being sent or sent."""
    folder = harness.folder / "outbox" / "Maildir"
    maildir = mailbox.Maildir(folder, create=False) if (folder / "new").exists() else []
    weeks = Counter(str(each["Message-ID"])[1:9] for each in maildir)
    assert set(weeks.values()) <= {1}
    assert all(records[week].state in ("sending", "sent") for week in weeks)


def check_reported(harness: PublicationHarness) -> None:
    """Check that reported transitions were stored."""
    report = harness.folder / "moves.txt"
    lines = report.read_text().split("\n")
    done = {week: move for week, _, move in (line.partition(" ") for line in lines) if week and move != "end"}
    goes_on = {"approve": "approved", "hold": "held", "resume": "approved", "skip": "skipped", "send": "sent"}
    order = ["draft", "approved", "held", "sending", "sent", "skipped"]
    for week, move in done.items():
        state = harness.store.editions.get(week).state
        wanted = goes_on.get(move, "sent")
        assert state == wanted or order.index(state) > order.index("draft"), f"{week}: {move} was reported, is {state}"
        assert wanted not in ("sent", "skipped") or state == wanted


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'pipeline.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.mark.parametrize(
    ("url", "kills"),
    [
        ("sqlite", 12),
        pytest.param("postgresql", 8, marks=pytest.mark.postgres),
        pytest.param("sqlite", 200, marks=pytest.mark.slow(minutes=1)),
        pytest.param("postgresql", 200, marks=[pytest.mark.postgres, pytest.mark.slow(minutes=1)]),
    ],
    indirect=["url"],
)
def test_killed_processes_leave_nothing_half_done(
    tmp_path: Path, forker: subprocess.Popen[str], kills: int, url: str
) -> None:
    """Each process continues where the last was killed; at the end every message was sent once."""
    theme: Theme = small_theme(tmp_path / "themes")
    folder, chance = tmp_path / "publication", random.Random(7)
    folder.mkdir()
    weeks = WEEKS[: 3 * kills // 4]
    fill(folder, theme, url, weeks)
    (folder / "moves.txt").touch()
    for kill in range(kills):
        moves, seconds = chance.choice((0, 0, 1, 1, 2)), chance.random() * LONGEST_SECONDS
        kill_one(forker, folder, url, weeks, moves=moves, seconds=seconds)
        if kill % 4 == 3:
            harness = publication(folder, theme, url)
            check(harness, url)
            check_reported(harness)
            harness.store.close()
    run_lifecycles(folder, theme, url, weeks)
    harness = publication(folder, theme, url)
    check(harness, url)
    states = {week: record.state for week, record in harness.store.editions.all().items()}
    assert states == {
        str(week): "skipped" if "skip" in LIFECYCLES[n % len(LIFECYCLES)] else "sent" for n, week in enumerate(weeks)
    }
    sent = [week for n, week in enumerate(weeks) if "send" in LIFECYCLES[n % len(LIFECYCLES)]]
    assert len(list((folder / "outbox").glob("*.eml"))) == len(sent)
    carried = [name for week in states if states[week] == "sent" for name in published_guids(harness, week)]
    assert len(carried) == len(set(carried))
    harness.store.close()


def published_guids(harness: PublicationHarness, week: str) -> list[str]:
    sealed = harness.store.editions.sealed(week)
    assert sealed is not None
    manifest = json.loads(sealed.edition.manifest)
    return [entry["guid"] for story in manifest["stories"] for entry in story["entries"]]
