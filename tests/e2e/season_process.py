"""Fork publications that live through a season until somebody kills them.

Each line on stdin names a folder and the number of weeks; the process id is printed. ``moment.txt`` in the folder
counts the ticks that were completed. Each tick is followed by the editor's actions.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from pipeline.app.reload import ReloadingApp
from tests.year_simulation import (
    HOUR,
    START,
    WEEK,
    SimulatedEditor,
    SimulatedFeeds,
    create_publication,
    posts,
    run_tick,
    time_steps,
)

SEED = 11
STEP = timedelta(hours=12)


def run_season(folder: Path, weeks: int) -> None:
    """Continue where the last process stopped."""
    progress = folder / "moment.txt"
    world = SimulatedFeeds(folder / "net", posts(SEED, weeks), {})
    season = list(time_steps(START + 2 * HOUR, START + (weeks + 3) * WEEK, STEP))
    with ReloadingApp(folder / "config.toml") as reloading:
        for nth, now in list(enumerate(season, 1))[int(progress.read_text() or 0) :]:
            world.update(now)
            run_tick(reloading, now)
            SimulatedEditor(reloading.app).act(now)
            fresh = progress.with_suffix(".new")
            fresh.write_text(str(nth))
            fresh.replace(progress)


def warm_up() -> None:
    """Import and compile everything before anything is killed."""
    with tempfile.TemporaryDirectory() as folder:
        create_publication(Path(folder))
        (Path(folder) / "moment.txt").write_text("36")  # of 42: the last days are enough
        run_season(Path(folder), 0)


def main() -> None:
    """Fork a publication for each line of stdin."""
    warm_up()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are not waited for
    for line in sys.stdin:
        folder, weeks = line.split()
        process = os.fork()
        if process == 0:
            run_season(Path(folder), int(weeks))
            os._exit(0)
        print(process, flush=True)


if __name__ == "__main__":
    main()
