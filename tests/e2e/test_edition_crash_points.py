"""Killed before any statement of a move and before any touch of a file: the store is before or after, never between."""

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
"""Each move, and what was done with the week before."""
SHORT = ("approve",)
"""Those that every run makes; approving writes most."""


class Fuses:
    """Makes moves that are cut short."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def burn(self, places: int, move: str, folder: Path) -> str:
        """Make a move of W08 that dies after so many places; gives the place, or ``done``."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(places, move, W08, folder, file=self.process.stdin, flush=True)
        return self.process.stdout.readline().strip()


@pytest.fixture(scope="module")
def fuses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuses]:
    with subprocess.Popen(
        [sys.executable, Path(__file__).with_name("crash_points.py"), tmp_path_factory.mktemp("themes")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as process:
        yield Fuses(process)


@pytest.fixture(scope="module")
def theme(tmp_path_factory: pytest.TempPathFactory) -> Theme:
    return small_theme(tmp_path_factory.mktemp("themes"))


def prepare(folder: Path, theme: Theme, before: tuple[str, ...]) -> None:
    """Send a post in W07; its episode turns up in W08, beside two more posts: a week with all there is to write."""
    folder.mkdir()
    house = PublicationHarness(folder, theme).set_time(MONDAY)
    house.fetch()
    house.fetch(feed="podcast")
    week = [entry(title, W08_OPENS) for title in ("Soup", "Salt")]
    house.fetch(entry("Bread", W08_OPENS - DAY))
    house.set_time_after_closing(W07).publish(W07)
    house.fetch(*week, entry("Bread", W08_OPENS - DAY))
    house.fetch(episode("Bread", W08_OPENS), feed="podcast")
    house.set_time_after_closing(W08)
    for move in before:
        if move == "edit":
            house.fetch(week[0], entry("Salt", W08_OPENS, body_html="<p>Less.</p>"), entry("Bread", W08_OPENS - DAY))
        else:
            getattr(house, move)(W08)
    house.store.close()


def rows(folder: Path) -> dict[str, list[str]]:
    """Read everything the store holds; the index of words, which nothing here writes to, aside."""
    with closing(sqlite3.connect(folder / "pipeline.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        names = [name for (name,) in tables if not name.startswith("entry_words")]
        return {name: sorted(map(repr, connection.execute(f"SELECT * FROM {name}"))) for name in names}


def mails(folder: Path) -> dict[str, bytes]:
    """Read every mail that is visible, in the Maildir or beside it."""
    out = folder / "outbox"
    found = [*out.glob("*.eml"), *(out / "Maildir" / "new").glob("*"), *(out / "Maildir" / "cur").glob("*")]
    return {str(path.relative_to(out)): path.read_bytes() for path in found}


def state(folder: Path) -> str:
    with closing(sqlite3.connect(folder / "pipeline.db")) as connection:
        found = connection.execute("SELECT state FROM edition WHERE week = ?", (str(W08),)).fetchone()
        return found[0] if found else "draft"


@pytest.mark.xdist_group("fuses")
@pytest.mark.parametrize(
    "case", [each if each in SHORT else pytest.param(each, marks=pytest.mark.slow) for each in MOVES]
)
def test_killed_at_any_place_of_a_move_it_is_made_or_not_made(
    tmp_path: Path, fuses: Fuses, theme: Theme, case: str
) -> None:
    """Whatever the place: all tables are as before, or as after (or as while sending); made again, it is as after."""
    move, folder = case.split()[0], tmp_path / "publication"
    prepare(folder, theme, MOVES[case])
    shutil.copytree(folder, tmp_path / "before")
    fuses.burn(0, move, folder)
    before, mails_before = rows(tmp_path / "before"), mails(tmp_path / "before")
    after, mails_after = rows(folder), mails(folder)
    assert before != after
    places: list[str] = []
    while True:
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / "before", folder)
        if (place := fuses.burn(len(places), move, folder)) == "done":
            break
        places.append(place)
        found = state(folder)
        assert found == "sending" or rows(folder) in (before, after), f"half done at {place}: {found}"
        assert mails(folder) == mails_before or found == "sending", f"mail is out at {place}: {found}"
        if rows(folder) != after:
            assert fuses.burn(1_000, move, folder) == "done"
        assert (rows(folder), mails(folder)) == (after, mails_after), f"killed at {place}, made again"
    assert places.count("commit") == (2 if move == "send" else 1)
    assert case != "approve" or places.count("INSERT INTO edition_entry") == 2, "the other half was not bound"
