"""An App that follows its config.toml: read again between beats when the file has changed, or somebody asks for it.

In: a config file. Out: beats of the App that it describes now. A file that cannot be used is refused with its sentence
in the log, and the App that was there goes on. Looks at the file, reads no clock.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pipeline.app.tasks import App
from pipeline.model.errors import PipelineError

if TYPE_CHECKING:
    from pipeline.scheduler.engine import TaskResult

log = logging.getLogger(__name__)


class ReloadingApp:
    """The App of a config file as it is now. Use as a context manager: it closes what it opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark = _mark(path)
        self.app = App.load(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.app.close()

    def run_due_tasks(self, now: datetime) -> Iterator[TaskResult]:
        """Do what is due, by the newest config.toml that can be used."""
        if _mark(self._path) != self._mark:
            self.reload()
        return _rested(self.app, now)

    def request_reload(self) -> None:
        """Read config.toml before the next beat, changed or not. May be called at any moment, from a signal too."""
        self._mark = ()

    def reload(self) -> None:
        """Take config.toml as it is now, or leave everything as it was and say why."""
        # Looked at before it is read: what is written meanwhile counts as another change.
        self._mark = _mark(self._path)
        try:
            fresh = _tried(self._path)
        except PipelineError as trouble:
            log.warning("the new settings are refused, the old ones stay: %s", trouble)
            return
        self.app.close()
        self.app = fresh
        log.info("took the settings of %s as they are now", self._path)


def _rested(app: App, now: datetime) -> Iterator[TaskResult]:
    """Do what is due, and give back the memory that it took: it would be held for the rest of a daemon's life."""
    idle = True
    for beat in app.run_due_tasks(now):
        idle = False
        yield beat
    if not idle:
        gc.collect()  # by itself it would be looked for ever more seldom, and nobody waits now
        app.store.maintenance.release_memory()


def _tried(path: Path) -> App:
    """Load an App and try what its config names: the store opens, the theme compiles."""
    fresh = App.load(path)
    try:
        fresh.validate()
    except BaseException:
        fresh.close()
        raise
    return fresh


def _mark(path: Path) -> tuple[int, ...]:
    """Give a value that is another one after the file was written or replaced; nothing when there is none."""
    try:
        found = path.stat()
    except OSError:
        return (0,)
    return found.st_ino, found.st_mtime_ns, found.st_size
