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

from pipeline.model.alert import Alert, AlertDelivery, AlertLevel
from pipeline.model.errors import PipelineError
from pipeline.scheduler.engine import Task
from pipeline.store.alerts import AlertRepository

AlertChannel = Callable[[Alert], str]
"""Tells a notice; gives what is to be remembered of that in the log, or raises PipelineError."""
CLAIM_TTL = timedelta(minutes=15)
"""Longer than any way takes: whoever claims a notice and says nothing for so long has died."""
MIN_RETRY_DELAY = timedelta(minutes=1)
MAX_RETRY_DELAY = timedelta(days=1)
_LEVELS: Mapping[AlertLevel, int] = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

log = logging.getLogger(__name__)


def retry_delay(attempts: int) -> timedelta:
    """Say how long to wait after so many attempts that failed: four times as long after each, a day at most.

    >>> [str(pause_after(attempts)) for attempts in (1, 2, 3, 9)]
    ['0:01:00', '0:04:00', '0:16:00', '1 day, 0:00:00']
    """
    return min(MIN_RETRY_DELAY * int(4 ** min(attempts - 1, 9)), MAX_RETRY_DELAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifier:
    """Tells notices."""

    alerts: AlertRepository
    channels: Mapping[str, AlertChannel] = field(default_factory=dict)

    def notify(self, alert: Alert) -> None:
        """Tell a notice, unless one of its key is open: then it was told."""
        try:
            if self.alerts.add(alert, self.channels):
                _write_down(alert)
        except PipelineError as trouble:
            _write_down(alert)
            log.error("a notice could not be kept, so nobody is told but this log: %s", trouble)
        self.deliver_due(alert.raised_at)

    def resolve(self, key: str, *, at: datetime, resolution: Alert | None = None) -> None:
        """Take a notice back that no longer holds; ``farewell`` is told once if it was open."""
        try:
            if self.alerts.close(key, at=at, resolution=resolution, channels=self.channels) and resolution:
                _write_down(resolution)
        except PipelineError as trouble:
            log.error("a notice could not be closed: %s", trouble)
        self.deliver_due(at)

    def reconcile(
        self, prefix: str, current: Sequence[Alert], *, at: datetime, resolutions: Iterable[tuple[str, Alert]] = ()
    ) -> int:
        """Make the open notices whose key starts with ``about`` those that are true; say how many are new.

        What is true is told unless it is open; what is open and no longer true is closed, with its farewell.
        """
        said_at_the_end = dict(resolutions)
        there = {each.key for each in self.open_alerts() if each.key.startswith(prefix)}
        for key in sorted(there - {each.key for each in current}):
            self.resolve(key, at=at, resolution=said_at_the_end.get(key))
        new = [each for each in current if each.key not in there]
        for each in new:
            self.notify(each)
        return len(new)

    def send_test(self, alert: Alert) -> list[tuple[str, str, PipelineError | None]]:
        """Tell a notice in every way at once, remembering nothing: each way, its answer, its trouble."""
        return [(name, *_tried(way, alert)) for name, way in self.channels.items()]

    def open_alerts(self) -> list[Alert]:
        """Give what is the matter, as far as the store can say."""
        try:
            return self.alerts.list_open()
        except PipelineError as trouble:
            log.error("the notices could not be read: %s", trouble)
            return []

    def deliver_due(self, now: datetime) -> None:
        """Tell what is still to be told, by now: what is new, and what failed before."""
        try:
            for telling in self.alerts.due(now, list(self.channels)):
                if self.alerts.claim(telling, until=now + CLAIM_TTL):
                    self._tell(telling, now)
        except PipelineError as trouble:
            log.error("notices wait until the store can be used: %s", trouble)

    def has_due(self, now: datetime) -> bool:
        """Tell whether there is something to catch up with."""
        return bool(self.channels and self.alerts.due(now, list(self.channels)))

    def _tell(self, telling: AlertDelivery, now: datetime) -> None:
        try:
            answer = self.channels[telling.channel](telling.alert)
        except PipelineError as trouble:
            again_at = now + retry_delay(telling.attempts + 1)
            self.alerts.mark_failed(telling, str(trouble), retry_at=again_at)
            log.warning("“%s” could not be told by %s: %s", telling.alert.subject, telling.channel, trouble)
            return
        self.alerts.mark_sent(telling, at=now)
        log.info("“%s” was told by %s%s", telling.alert.subject, telling.channel, answer and f": {answer}")


def _tried(way: AlertChannel, notice: Alert) -> tuple[str, PipelineError | None]:
    try:
        return way(notice), None
    except PipelineError as trouble:
        return "", trouble


def alert_retry_task(notifier: Notifier) -> Task:
    """Tell what could not be told before, when its time has come."""

    def run(period: str, now: datetime) -> str:
        notifier.deliver_due(now)
        return ""  # the log has a line of each

    return Task(id="notices", schedule=_WhenWaiting(notifier=notifier), run=run)


@dataclass(frozen=True, slots=True, kw_only=True)
class _WhenWaiting:
    """A rhythm with an occasion whenever a notice waits to be told."""

    notifier: Notifier
    never_repeats: ClassVar[bool] = False

    def period(self, now: datetime, zone: tzinfo) -> str:
        """Name the minute; nothing where nothing waits."""
        return f"{now:%Y-%m-%dT%H:%MZ}" if self.notifier.has_due(now) else ""

    def next_at(self, now: datetime, zone: tzinfo) -> None:
        """Nobody need know."""
        return


def _write_down(notice: Alert) -> None:
    words = " ".join(notice.text.split())
    log.log(_LEVELS[notice.level], "%s: %s", notice.subject, words, extra={"notice": notice.key})
