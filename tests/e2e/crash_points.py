"""Makes one move of an edition on a fuse: dies in the middle of it, at a place that can be tried again.

In: a line on stdin for each try: after how many places to die, the move, the week, and the folder that holds the
publication. Out: a line on stdout: the place it died at, or ``done`` when the move was over before. The first try of a
folder is a rehearsal and does not die; the others are forks of it, warmed up.

A place is a statement of a writing transaction, its commit, or what is done to a file of the publication. Death is
SIGKILL, as by a machine that loses power: nothing is caught, nothing is flushed.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edition_process import publication
from sqlalchemy import Engine, event

from pipeline.model.week import Week
from tests.publication import PublicationHarness, small_theme

FILE_EVENTS = {"open", "os.mkdir", "os.rename", "os.remove"}
"""What Python says before it is done (PEP 578)."""
DEFERRED = "BEGIN"
"""How a transaction begins that only reads."""


class CrashPoint:
    """Burns from place to place; ``places``: so many are passed alive."""

    def __init__(self, places: int, folder: Path) -> None:
        self.left = places
        self.folder = str(folder)

    def lit(self) -> None:
        """Be told of each place, until death."""
        event.listen(Engine, "before_cursor_execute", self._statement)
        event.listen(Engine, "commit", lambda connection: self._burn(connection, "commit"))
        sys.addaudithook(self._file)

    def _statement(self, connection: Any, _cursor: object, statement: str, *_rest: object) -> None:
        self._burn(connection, " ".join(statement.split()[:3]))

    def _burn(self, connection: Any, place: str) -> None:
        if connection.get_execution_options().get("begin", DEFERRED) != DEFERRED:
            self._pass(place)

    def _file(self, said: str, given: tuple[Any, ...]) -> None:
        if said in FILE_EVENTS and str(given[0]).startswith(self.folder) and (said != "open" or given[2] & os.O_WRONLY):
            self._pass(f"{said} {Path(given[0]).name}")

    def _pass(self, place: str) -> None:
        self.left -= 1
        if self.left < 0:
            os.write(1, place.encode())
            os.kill(os.getpid(), signal.SIGKILL)


def run_until_crash(places: int, move: Callable[[Week], object], week: Week, folder: Path) -> None:
    """Make a move in a fork and say so, or die there."""
    child = os.fork()
    if child == 0:
        CrashPoint(places, folder).lit()
        move(week)
        os.write(1, b"done")
        os._exit(0)
    os.waitpid(child, 0)


def main() -> None:
    """Answer each line, until stdin ends."""
    theme = small_theme(Path(sys.argv[1]))
    houses: dict[str, PublicationHarness] = {}
    for line in sys.stdin:
        places, name, week, folder = line.split()
        if house := houses.get(folder):
            run_until_crash(int(places), getattr(house, name), Week.parse(week), house.folder)
        else:
            house = houses[folder] = publication(Path(folder), theme, url="")
            getattr(house, name)(Week.parse(week))
            house.store.close()
        print(flush=True)


if __name__ == "__main__":
    main()
