"""Run one transition of an edition in a fork and kill it at a given point, with SIGKILL.

Each line on stdin names the number of points to pass, the transition, the week, and the folder of the publication. A
line on stdout names the point where it died, or ``done``. The first run of a folder is a rehearsal that is not killed;
the others are forks of it.

A point is a statement or commit of a writing transaction, or an operation on a file of the publication.
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
"""Audit events before file operations (PEP 578)."""
DEFERRED = "BEGIN"
"""How a read-only transaction begins."""


class CrashPoint:
    """Kills the process after ``points`` points."""

    def __init__(self, points: int, folder: Path) -> None:
        self.left = points
        self.folder = str(folder)

    def install(self) -> None:
        """Install the hooks."""
        event.listen(Engine, "before_cursor_execute", self._statement)
        event.listen(Engine, "commit", lambda connection: self._transaction(connection, "commit"))
        sys.addaudithook(self._file)

    def _statement(self, connection: Any, _cursor: object, statement: str, *_rest: object) -> None:
        self._transaction(connection, " ".join(statement.split()[:3]))

    def _transaction(self, connection: Any, point: str) -> None:
        if connection.get_execution_options().get("begin", DEFERRED) != DEFERRED:
            self._reach(point)

    def _file(self, event_name: str, arguments: tuple[Any, ...]) -> None:
        if (
            event_name in FILE_EVENTS
            and str(arguments[0]).startswith(self.folder)
            and (event_name != "open" or arguments[2] & os.O_WRONLY)
        ):
            self._reach(f"{event_name} {Path(arguments[0]).name}")

    def _reach(self, point: str) -> None:
        self.left -= 1
        if self.left < 0:
            os.write(1, point.encode())
            os.kill(os.getpid(), signal.SIGKILL)


def run_until_crash(points: int, move: Callable[[Week], object], week: Week, folder: Path) -> None:
    """Run a transition in a fork until it is done or killed."""
    child = os.fork()
    if child == 0:
        CrashPoint(points, folder).install()
        move(week)
        os.write(1, b"done")
        os._exit(0)
    os.waitpid(child, 0)


def main() -> None:
    """Process each line of stdin."""
    theme = small_theme(Path(sys.argv[1]))
    harnesses: dict[str, PublicationHarness] = {}
    for line in sys.stdin:
        points, name, week, folder = line.split()
        if harness := harnesses.get(folder):
            run_until_crash(int(points), getattr(harness, name), Week.parse(week), harness.folder)
        else:
            harness = harnesses[folder] = publication(Path(folder), theme, url="")
            getattr(harness, name)(Week.parse(week))
            harness.store.close()
        print(flush=True)


if __name__ == "__main__":
    main()
