"""Tell people what is the matter: once, in every way there is, and again only until it was told.

In: a store's notices, ways to tell. Out: told notices, and a line in the log for each. Trouble with one way is logged,
is tried again later and keeps no other way from telling. Nothing here raises but a bug.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import ClassVar

from pipeline.jobs.tick import Task
from pipeline.model.errors import PipelineError
from pipeline.model.notice import Notice, NoticeLevel, Telling
from pipeline.store.notices import Notices

Way = Callable[[Notice], str]
"""Tells a notice; gives what is to be remembered of that in the log, or raises PipelineError."""
LEASE = timedelta(minutes=15)
"""Longer than any way takes: whoever claims a notice and says nothing for so long has died."""
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(days=1)
_LEVELS: Mapping[NoticeLevel, int] = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

log = logging.getLogger(__name__)


def pause_after(attempts: int) -> timedelta:
    """Say how long to wait after so many attempts that failed: four times as long after each, a day at most.

    >>> [str(pause_after(attempts)) for attempts in (1, 2, 3, 9)]
    ['0:01:00', '0:04:00', '0:16:00', '1 day, 0:00:00']
    """
    return min(FIRST_PAUSE * int(4 ** min(attempts - 1, 9)), LONGEST_PAUSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifier:
    """Tells notices."""

    notices: Notices
    ways: Mapping[str, Way] = field(default_factory=dict)

    def tell(self, notice: Notice) -> None:
        """Tell a notice, unless one of its key is open: then it was told."""
        try:
            if self.notices.add(notice, self.ways):
                _write_down(notice)
        except PipelineError as trouble:
            _write_down(notice)
            log.error("a notice could not be kept, so nobody is told but this log: %s", trouble)
        self.catch_up(notice.at)

    def close(self, key: str, *, at: datetime, farewell: Notice | None = None) -> None:
        """Take a notice back that no longer holds; ``farewell`` is told once if it was open."""
        try:
            if self.notices.close(key, at=at, farewell=farewell, ways=self.ways) and farewell:
                _write_down(farewell)
        except PipelineError as trouble:
            log.error("a notice could not be closed: %s", trouble)
        self.catch_up(at)

    def settle(
        self, about: str, true: Sequence[Notice], *, at: datetime, farewells: Iterable[tuple[str, Notice]] = ()
    ) -> int:
        """Make the open notices whose key starts with ``about`` those that are true; say how many are new.

        What is true is told unless it is open; what is open and no longer true is closed, with its farewell.
        """
        said_at_the_end = dict(farewells)
        there = {each.key for each in self.opened() if each.key.startswith(about)}
        for key in sorted(there - {each.key for each in true}):
            self.close(key, at=at, farewell=said_at_the_end.get(key))
        new = [each for each in true if each.key not in there]
        for each in new:
            self.tell(each)
        return len(new)

    def try_out(self, notice: Notice) -> list[tuple[str, str, PipelineError | None]]:
        """Tell a notice in every way at once, remembering nothing: each way, its answer, its trouble."""
        return [(name, *_tried(way, notice)) for name, way in self.ways.items()]

    def opened(self) -> list[Notice]:
        """Give what is the matter, as far as the store can say."""
        try:
            return self.notices.open()
        except PipelineError as trouble:
            log.error("the notices could not be read: %s", trouble)
            return []

    def catch_up(self, now: datetime) -> None:
        """Tell what is still to be told, by now: what is new, and what failed before."""
        try:
            for telling in self.notices.due(now, list(self.ways)):
                if self.notices.claim(telling, until=now + LEASE):
                    self._tell(telling, now)
        except PipelineError as trouble:
            log.error("notices wait until the store can be used: %s", trouble)

    def waiting(self, now: datetime) -> bool:
        """Tell whether there is something to catch up with."""
        return bool(self.ways and self.notices.due(now, list(self.ways)))

    def _tell(self, telling: Telling, now: datetime) -> None:
        try:
            answer = self.ways[telling.way](telling.notice)
        except PipelineError as trouble:
            again_at = now + pause_after(telling.attempts + 1)
            self.notices.failed(telling, str(trouble), again_at=again_at)
            log.warning("“%s” could not be told by %s: %s", telling.notice.subject, telling.way, trouble)
            return
        self.notices.told(telling, at=now)
        log.info("“%s” was told by %s%s", telling.notice.subject, telling.way, answer and f": {answer}")


def _tried(way: Way, notice: Notice) -> tuple[str, PipelineError | None]:
    try:
        return way(notice), None
    except PipelineError as trouble:
        return "", trouble


def retry_task(notifier: Notifier) -> Task:
    """Tell what could not be told before, when its time has come."""

    def run(period: str, now: datetime) -> str:
        notifier.catch_up(now)
        return ""  # the log has a line of each

    return Task(id="notices", schedule=_WhenWaiting(notifier=notifier), run=run)


@dataclass(frozen=True, slots=True, kw_only=True)
class _WhenWaiting:
    """A rhythm with an occasion whenever a notice waits to be told."""

    notifier: Notifier
    once: ClassVar[bool] = False

    def period(self, now: datetime, zone: tzinfo) -> str:
        """Name the minute; nothing where nothing waits."""
        return f"{now:%Y-%m-%dT%H:%MZ}" if self.notifier.waiting(now) else ""

    def next_at(self, now: datetime, zone: tzinfo) -> None:
        """Nobody need know."""
        return


def _write_down(notice: Notice) -> None:
    words = " ".join(notice.text.split())
    log.log(_LEVELS[notice.level], "%s: %s", notice.subject, words, extra={"notice": notice.key})
