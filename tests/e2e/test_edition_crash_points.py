"""A process is killed before each statement and file operation of a transition: the store is before or after it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.digest.render.theme import Theme
from tests.factories import MONDAY, entry, episode
from tests.publication import CLOCK, W07, W08, PublicationHarness, small_theme

ROOT = Path(__file__).parents[2]
W08_OPENS = CLOCK.bounds(W08)[0]
DAY = timedelta(days=1)
MOVES = {
    "approve": (),
    "approve again": ("approve", "edit"),
    "hold": ("approve",),
    "skip": ("approve",),
    "resume": ("approve", "hold"),
    "send": ("approve",),
    "hand_over": ("approve",),
}
"""Each transition, and what was done with the week before it."""
ALWAYS_RUN = ("approve",)
"""Transitions of every test run; approving writes most."""


class CrashProcess:
    """Makes transitions that are cut short."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def run(self, points: int, move: str, folder: Path) -> str:
        """Make a transition of W08 that is killed at a crash point; return the point, or ``done``."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(points, move, W08, folder, file=self.process.stdin, flush=True)
        return self.process.stdout.readline().strip()


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CrashProcess]:
    with subprocess.Popen(
        [sys.executable, Path(__file__).with_name("crash_points.py"), tmp_path_factory.mktemp("themes")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as process:
        yield CrashProcess(process)


@pytest.fixture(scope="module")
def theme(tmp_path_factory: pytest.TempPathFactory) -> Theme:
    return small_theme(tmp_path_factory.mktemp("themes"))


def prepare(folder: Path, theme: Theme, before: tuple[str, ...]) -> None:
    """Send a post in W07; its episode arrives in W08 with two more posts, so that all tables are written."""
    folder.mkdir()
    harness = PublicationHarness(folder, theme).set_time(MONDAY)
    harness.fetch()
    harness.fetch(feed="podcast")
    week = [entry(title, W08_OPENS) for title in ("Soup", "Salt")]
    harness.fetch(entry("Bread", W08_OPENS - DAY))
    harness.set_time_after_closing(W07).publish(W07)
    harness.fetch(*week, entry("Bread", W08_OPENS - DAY))
    harness.fetch(episode("Bread", W08_OPENS), feed="podcast")
    harness.set_time_after_closing(W08)
    for move in before:
        if move == "edit":
            harness.fetch(week[0], entry("Salt", W08_OPENS, body_html="<p>Less.</p>"), entry("Bread", W08_OPENS - DAY))
        else:
            getattr(harness, move)(W08)
    harness.store.close()


def rows(folder: Path) -> dict[str, list[str]]:
    """Return all rows of the store, apart from the word index, which transitions do not change."""
    with closing(sqlite3.connect(folder / "pipeline.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        names = [name for (name,) in tables if not name.startswith("entry_words")]
        return {name: sorted(map(repr, connection.execute(f"SELECT * FROM {name}"))) for name in names}


def messages(folder: Path) -> dict[str, bytes]:
    """Return every visible message, in the Maildir or beside it."""
    out = folder / "outbox"
    found = [*out.glob("*.eml"), *(out / "Maildir" / "new").glob("*"), *(out / "Maildir" / "cur").glob("*")]
    return {str(path.relative_to(out)): path.read_bytes() for path in found}


def state(folder: Path) -> str:
    with closing(sqlite3.connect(folder / "pipeline.db")) as connection:
        found = connection.execute("SELECT state FROM edition WHERE week = ?", (str(W08),)).fetchone()
        return found[0] if found else "draft"


@pytest.mark.xdist_group("process")
@pytest.mark.parametrize(
    "case", [each if each in ALWAYS_RUN else pytest.param(each, marks=pytest.mark.slow) for each in MOVES]
)
def test_killed_at_any_point_a_transition_is_made_or_not(
    tmp_path: Path, process: CrashProcess, theme: Theme, case: str
) -> None:
    """All tables are as before or after, or as while sending; a second try completes the transition."""
    move, folder = case.split()[0], tmp_path / case.replace(" ", "-")  # the process remembers folders
    prepare(folder, theme, MOVES[case])
    shutil.copytree(folder, tmp_path / "before")
    process.run(0, move, folder)
    before, messages_before = rows(tmp_path / "before"), messages(tmp_path / "before")
    after, messages_after = rows(folder), messages(folder)
    assert before != after
    points: list[str] = []
    while True:
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / "before", folder)
        if (point := process.run(len(points), move, folder)) == "done":
            break
        points.append(point)
        found = state(folder)
        assert found == "sending" or rows(folder) in (before, after), f"half done at {point}: {found}"
        assert messages(folder) == messages_before or found == "sending", f"mail is out at {point}: {found}"
        if rows(folder) != after:
            assert process.run(1_000, move, folder) == "done"
        assert (rows(folder), messages(folder)) == (after, messages_after), f"killed at {point}, second try"
    assert points.count("commit") == (2 if move == "send" else 1)
    assert case != "approve" or points.count("INSERT INTO edition_entry") == 2, "the duplicate was not linked"
