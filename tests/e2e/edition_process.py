"""Stands in for a machine that loses power in the middle of an edition's life: forks movers until somebody kills them.

In: a line on stdin for each mover: how many weeks, a folder that holds a publication of as many, and the address of its
store. Out: the mover's process id on stdout. A mover takes one week after another through approval, holding, resuming,
skipping and sending, and writes the week and the move it has finished into ``moves.txt``. Forking one process that has
everything imported makes one in milliseconds.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from pathlib import Path

from pipeline.digest.render.theme import Theme
from pipeline.model.errors import RefusedError
from pipeline.model.week import Week
from tests.factories import MONDAY, entry
from tests.publication import CLOCK, W07, PublicationHarness, small_theme

WEEKS = [W07.next(n) for n in range(150)]
LIFECYCLES = (
    ("approve", "send"),
    ("approve", "hold", "resume", "send"),
    ("approve", "skip"),
    ("hold", "skip"),
    ("approve", "hand_over"),
)


def publication(folder: Path, theme: Theme, url: str) -> PublicationHarness:
    """Open the publication in a folder, long after all its weeks have closed."""
    return PublicationHarness(folder, theme, url).set_time(CLOCK.bounds(WEEKS[-1].next())[1])


def fill(folder: Path, theme: Theme, url: str, weeks: Sequence[Week]) -> None:
    """Publish two posts in every week, each seen in its time."""
    house = PublicationHarness(folder, theme, url).set_time(MONDAY)
    house.fetch()
    for week in weeks:
        opens_at, closes_at = CLOCK.bounds(week)
        house.set_time(closes_at)
        at = [opens_at + (closes_at - opens_at) * part for part in (0.3, 0.6)]
        house.now = at[1]
        known = [entry(f"{name} of {week}", when) for name, when in zip(("Bread", "Soup"), at, strict=True)]
        house.fetch(*known)
    house.store.close()


def run_lifecycles(folder: Path, theme: Theme, url: str, weeks: Sequence[Week]) -> None:
    """Move the weeks on, one after the other, and report."""
    house = publication(folder, theme, url)
    report = os.open(folder / "moves.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for week, moves in zip(weeks, cycle(LIFECYCLES), strict=False):
        for name, move in steps(house, week, moves):
            try:
                move(week)
            except RefusedError:
                continue  # done before the last mover was killed
            os.write(report, f"{week} {name}\n".encode())
    os.write(report, b"end end\n")
    house.store.close()


def steps(
    house: PublicationHarness, week: Week, moves: tuple[str, ...]
) -> Iterator[tuple[str, Callable[[Week], object]]]:
    """Give the moves of a life; a week that was killed while it was sending is finished first."""
    if house.store.editions.get(str(week)).state == "sending":
        yield "send", house.send
    for name in moves:
        yield name, getattr(house, name)


def main() -> None:
    """Fork a mover for each line, until stdin ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are not waited for
    theme = small_theme(Path(sys.argv[1]))
    for line in sys.stdin:
        mover = os.fork()
        if mover == 0:
            count, folder, url = line.split()
            run_lifecycles(Path(folder), theme, url, WEEKS[: int(count)])
            os._exit(0)
        print(mover, flush=True)


if __name__ == "__main__":
    main()
