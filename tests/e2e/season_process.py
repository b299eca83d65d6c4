"""Fork publications that live through a season until somebody kills them.

Each line on stdin names a folder and the number of weeks; the process id is printed. ``moment.txt`` in the folder
counts the moments that were completed. Each has a tick, the editor's actions, and maintenance now and then: backups,
restored some days later, exports, imported into a new store, and pruning.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from pipeline.app import App
from pipeline.app.delivery import build_recovery
from pipeline.app.digests import build_digest_context
from pipeline.app.reload import ReloadingApp
from pipeline.jobs.editions.workflow import EditionWorkflow
from pipeline.jobs.maintenance.atomic_file import atomic_file
from pipeline.jobs.maintenance.backup import back_up, restore
from pipeline.jobs.maintenance.export import export_lines, import_lines
from pipeline.jobs.maintenance.prune import prune
from pipeline.model.week import Week
from tests import postgres
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
KEEP = timedelta(days=30)


def moments(weeks: int) -> list[datetime]:
    """Return the moments of a season."""
    return list(time_steps(START + 2 * HOUR, START + (weeks + 3) * WEEK, STEP))


def run_season(folder: Path, weeks: int) -> None:
    """Continue where the last process stopped."""
    progress = folder / "moment.txt"
    world = SimulatedFeeds(folder / "net", posts(SEED, weeks), {})
    with ReloadingApp(folder / "config.toml") as living:
        for nth, now in list(enumerate(moments(weeks), 1))[int(progress.read_text() or 0) :]:
            world.update(now)
            Operator(living.app).act(nth, now)
            run_tick(living, now)
            SimulatedEditor(living.app).act(now)
            fresh = progress.with_suffix(".new")
            fresh.write_text(str(nth))
            fresh.replace(progress)


class Operator:
    """Who maintains the store, and finishes what a killed process began."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.backup, self.export = app.folder / "backup.db", app.folder / "export.jsonl"
        self.importing = app.folder / "importing"

    def act(self, nth: int, now: datetime) -> None:
        """Do what is due at the nth moment."""
        if self.importing.exists():
            self._import(now)
        actions: dict[int, Callable[[datetime], object]] = {
            1: self._back_up,
            3: lambda now: prune(self.app.store(), KEEP, now=now),
            4: self._restore,
            6: self._export,
            9: self._import,
        }
        actions.get(nth % 11, lambda now: None)(now)
        self._answer(now)

    def _back_up(self, now: datetime) -> None:
        if self.app.store_file:
            back_up(self.app.store(), self.backup, overwrite=True)

    def _restore(self, now: datetime) -> None:
        """Go back some days; what was sent meanwhile stays sent."""
        if self.app.store_file and self.backup.exists():
            self.app.close()
            recovery = build_recovery(self.app)
            restore(
                self.backup,
                self.app.store_file,
                now=now,
                overwrite=True,
                settle=lambda restored, previous: recovery.after_restore(restored, previous, now=now),
            )

    def _export(self, now: datetime) -> None:
        with atomic_file(self.export, overwrite=True) as path, path.open("w", encoding="utf-8") as file:
            file.writelines(export_lines(self.app.store()))

    def _import(self, now: datetime) -> None:
        """Move into a new store with an older export, from the beginning if that was interrupted."""
        if not self.export.exists():
            return
        self.importing.touch()
        self.app.close()
        if file := self.app.store_file:
            for path in file.parent.glob(f"{file.name}*"):
                path.unlink()
        else:
            postgres.execute(self.app.config.store.url, "DROP SCHEMA IF EXISTS public CASCADE", "CREATE SCHEMA public")
        with self.export.open(encoding="utf-8") as lines:
            recovery = build_recovery(self.app)
            import_lines(self.app.store(), lines, settle=lambda store: recovery.after_restore(store, None, now=now))
        self.importing.unlink()

    def _answer(self, now: datetime) -> None:
        """Say of each week whether it was sent: if it was, its message is in the outbox."""
        workflow = EditionWorkflow(store=self.app.store(), context=build_digest_context(self.app), actor="ann")
        while record := self.app.store().editions.unconfirmed():
            assert not list((self.app.folder / "outbox").glob(f"{record.week}*")), "a sent edition was not recognised"
            workflow.resume(Week.parse(record.week), now=now)


def warm_up() -> None:
    """Import and compile everything before anything is killed."""
    with tempfile.TemporaryDirectory() as folder:
        create_publication(Path(folder))
        (Path(folder) / "moment.txt").write_text("30")  # of 42: the last days are enough
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
