"""An App that follows its config.toml, for processes that run for a long time."""

from __future__ import annotations

import ctypes
import gc
import logging
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pipeline.app.app import App
from pipeline.app.tasks import run_due_tasks, validate
from pipeline.model.errors import PipelineError

if TYPE_CHECKING:
    from pipeline.scheduler.engine import Supervise, TaskResult

log = logging.getLogger(__name__)


class ReloadingApp:
    """The App of a config.toml, reloaded when the file changes. A context manager: it closes the App.

    A file that cannot be used is refused, with ``error`` set, and the App stays as it was. For the daemon
    (``unattended``) everything the file names is opened before the App is replaced, and the log says what happened; the
    desk shows errors on its pages instead.
    """

    def __init__(self, path: Path, *, unattended: bool = True) -> None:
        self._path = path
        self._unattended = unattended
        self._loaded_stamp = file_stamp(path)
        self.app = App.load(path)
        self.error: PipelineError | None = None
        """The reason why the newest config.toml was refused; None if it is in use."""
        self._has_worked = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the App."""
        self.app.close()

    def current(self) -> App:
        """Return the App, reloaded first if config.toml has changed."""
        if file_stamp(self._path) != self._loaded_stamp:
            self._reload()
        return self.app

    def request_reload(self) -> None:
        """Reload at the next opportunity, whether or not the file has changed. Safe in a signal handler."""
        self._loaded_stamp = ""

    def run_due_tasks(self, now: datetime, watch: Supervise = nullcontext) -> Iterator[TaskResult]:
        """Run the tasks that are due, each in the context that ``watch`` returns for it, and yield their results."""
        for result in run_due_tasks(self.current(), now, watch):
            self._has_worked = True
            yield result

    def release_memory(self) -> None:
        """Release the memory that tasks have used since the last call, back to the system where glibc is used."""
        if not self._has_worked:
            return
        self._has_worked = False
        gc.collect()  # an idle process rarely triggers a collection
        self.app.store().maintenance.release_memory()
        with suppress(OSError, AttributeError):  # other C libraries have no malloc_trim
            ctypes.CDLL(None).malloc_trim(0)

    def _reload(self) -> None:
        self._loaded_stamp = file_stamp(self._path)  # before reading: a later write then counts as another change
        try:
            app = App.load(self._path)
            if self._unattended:
                _validate_or_close(app)
        except PipelineError as error:
            self.error = error
            if self._unattended:
                log.warning("the new settings are refused and the old ones stay in use: %s", error)
            return
        self.app.close()
        self.app, self.error = app, None
        if self._unattended:
            log.info("reloaded %s", self._path)


def _validate_or_close(app: App) -> None:
    try:
        validate(app)
    except BaseException:
        app.close()
        raise


def file_stamp(path: Path) -> str:
    """Return a text that differs once the file was written, replaced or removed."""
    try:
        status = path.stat()
    except OSError:
        return "absent"
    return f"{status.st_ino}-{status.st_mtime_ns}-{status.st_size}"
