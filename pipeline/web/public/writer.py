"""One writer for all that the pages change. Changes that wait are committed together.

SQLite has one writer at a time, and threads that wait for it sleep and try again; with each commit synced to the disk
that allows some fifty sign-ups a second. Here they queue in memory instead, and one sync serves all that have gathered
during the one before. A page is answered only after the commit.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Self, TypeVar

from pipeline.model.errors import PipelineError, StoreError
from pipeline.store import Store

MAX_BATCH = 64
MAX_ATTEMPTS = 4
"""How often a commit is tried while another process writes; each waits some seconds for that."""
Result = TypeVar("Result")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Change:
    store: Store
    make: Callable[[], Any]
    outcome: Future[Any] = field(default_factory=Future)


class Writer:
    """A thread that makes changes in the order in which they come. A context manager: it ends with all made."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[_Change | None] = SimpleQueue()
        self.commits = 0
        """How many there were."""
        self._thread = Thread(target=self._work, name="public writer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._queue.put(None)
        self._thread.join()

    @property
    def waiting(self) -> int:
        """How many changes wait to be made."""
        return self._queue.qsize()

    def run(self, store: Store, make: Callable[[], Result]) -> Result:
        """Make a change in the writer's thread, within a transaction; return its result once that is committed.

        A PipelineError of ``make`` is raised here; what it wrote before then stays.
        """
        change = _Change(store, make)
        self._queue.put(change)
        result: Result = change.outcome.result()
        return result

    def submit(self, store: Store, make: Callable[[], object]) -> None:
        """Make a change in the writer's thread, for which nobody waits; its error is logged."""
        change = _Change(store, make)
        change.outcome.add_done_callback(_log_error)
        self._queue.put(change)

    def _work(self) -> None:
        while (change := self._queue.get()) is not None:
            batch = [change]
            while len(batch) < MAX_BATCH:
                try:
                    following = self._queue.get_nowait()
                except Empty:
                    break
                if following is None or following.store is not change.store:
                    self._queue.put(following)
                    break
                batch.append(following)
            self._commit(batch)

    def _commit(self, batch: Sequence[_Change]) -> None:
        """Commit changes together; if that fails, each by itself, so that only the one that is wrong fails."""
        error: Exception | None = None
        for attempt in range(MAX_ATTEMPTS):
            try:
                self._make(batch)
            except StoreError as failure:
                error = failure
                log.warning("%s%s", failure, "" if attempt == MAX_ATTEMPTS - 1 else "; trying again")
                time.sleep(0.1 * attempt)
            except Exception as failure:
                error = failure
                break
            else:
                return
        if len(batch) == 1:
            batch[0].outcome.set_exception(error or AssertionError("a commit failed"))
        elif isinstance(error, StoreError):
            for change in batch:
                change.outcome.set_exception(error)
        else:
            for change in batch:
                self._commit([change])

    def _make(self, batch: Sequence[_Change]) -> None:
        results: list[Any] = []
        with batch[0].store.audience_transaction():
            for change in batch:
                try:
                    results.append(change.make())
                except StoreError:
                    raise
                except PipelineError as refusal:
                    results.append(refusal)
        self.commits += 1
        for change, result in zip(batch, results, strict=True):
            if isinstance(result, PipelineError):
                change.outcome.set_exception(result)
            else:
                change.outcome.set_result(result)


def _log_error(outcome: Future[Any]) -> None:
    if error := outcome.exception():
        log.error("a change was lost: %s", error, exc_info=None if isinstance(error, PipelineError) else error)
