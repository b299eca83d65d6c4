"""Fork processes that move editions through their lifecycles until somebody kills them.

Each line on stdin names a number of weeks, the folder of a publication, and the URL of its store; the process id is
printed. Finished transitions are appended to ``moves.txt``. Forking a process that has imported everything takes
milliseconds.
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
    """Open a publication long after all its weeks have closed."""
    return PublicationHarness(folder, theme, url).set_time(CLOCK.bounds(WEEKS[-1].next())[1])


def fill(folder: Path, theme: Theme, url: str, weeks: Sequence[Week]) -> None:
    """Fetch two posts in every week."""
    harness = PublicationHarness(folder, theme, url).set_time(MONDAY)
    harness.fetch()
    for week in weeks:
        opens_at, closes_at = CLOCK.bounds(week)
        harness.set_time(closes_at)
        at = [opens_at + (closes_at - opens_at) * part for part in (0.3, 0.6)]
        harness.now = at[1]
        known = [entry(f"{name} of {week}", when) for name, when in zip(("Bread", "Soup"), at, strict=True)]
        harness.fetch(*known)
    harness.store.close()


def run_lifecycles(folder: Path, theme: Theme, url: str, weeks: Sequence[Week]) -> None:
    """Run the transitions of each week and record them."""
    harness = publication(folder, theme, url)
    report = os.open(folder / "moves.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for week, moves in zip(weeks, cycle(LIFECYCLES), strict=False):
        for name, move in steps(harness, week, moves):
            try:
                move(week)
            except RefusedError:
                continue  # done before the last process was killed
            os.write(report, f"{week} {name}\n".encode())
    os.write(report, b"end end\n")
    harness.store.close()


def steps(
    harness: PublicationHarness, week: Week, moves: tuple[str, ...]
) -> Iterator[tuple[str, Callable[[Week], object]]]:
    """Yield the transitions of a lifecycle; an interrupted send is finished first."""
    if harness.store.editions.get(str(week)).state == "sending":
        yield "send", harness.send
    for name in moves:
        yield name, getattr(harness, name)


def main() -> None:
    """Fork a process for each line of stdin."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # child processes are not waited for
    theme = small_theme(Path(sys.argv[1]))
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            count, folder, url = line.split()
            run_lifecycles(Path(folder), theme, url, WEEKS[: int(count)])
            os._exit(0)
        print(process, flush=True)


if __name__ == "__main__":
    main()
