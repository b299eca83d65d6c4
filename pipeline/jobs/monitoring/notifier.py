"""Notify people of alerts: once through every channel, and again only where that failed.

An error of one channel is logged and retried later; it does not stop other channels. Only bugs are raised.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import ClassVar

from pipeline.model.alert import Alert, AlertDelivery, AlertLevel
from pipeline.model.errors import DeliveryInterrupted, DeliveryUncertainError, PipelineError
from pipeline.model.run import retry_delay
from pipeline.scheduler.engine import Done, Task
from pipeline.store.alerts import AlertRepository

AlertChannel = Callable[[Alert], str]
"""Sends an alert and returns a note for the log; raises PipelineError."""
CLAIM_TTL = timedelta(minutes=15)
"""Longer than any channel takes: a process that claimed a delivery and is silent for this long is dead."""
MAX_RETRY_DELAY = timedelta(days=1)
_LEVELS: Mapping[AlertLevel, int] = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifier:
    """Sends alerts through the channels of [notify], by name."""

    alerts: AlertRepository
    channels: Mapping[str, AlertChannel] = field(default_factory=dict)

    def notify(self, alert: Alert) -> None:
        """Raise an alert and send it, unless one with its key is open."""
        self.open(alert)
        self.deliver_due(alert.raised_at)

    def resolve(self, key: str, *, at: datetime, resolution: Alert | None = None) -> None:
        """Close an alert; if it was open, ``resolution`` is sent once."""
        self._close(key, at, resolution)
        self.deliver_due(at)

    def reconcile(
        self,
        prefix: str,
        current: Sequence[Alert],
        *,
        at: datetime,
        resolutions: Iterable[tuple[str, Alert]] = (),
    ) -> int:
        """Make ``current`` the open alerts whose keys start with ``prefix``; return how many are new.

        Open alerts that are no longer current are closed, and their resolution is sent.
        """
        resolution_by_key = dict(resolutions)
        open_keys = {alert.key for alert in self.open_alerts() if alert.key.startswith(prefix)}
        for key in sorted(open_keys - {alert.key for alert in current}):
            self._close(key, at, resolution_by_key.get(key))
        new = [alert for alert in current if alert.key not in open_keys]
        for alert in new:
            self.open(alert)
        self.deliver_due(at)
        return len(new)

    def send_test(self, alert: Alert) -> list[tuple[str, str, PipelineError | None]]:
        """Send an alert through every channel at once without storing it; return name, note and error of each."""
        results: list[tuple[str, str, PipelineError | None]] = []
        for name, channel in self.channels.items():
            try:
                results.append((name, channel(alert), None))
            except PipelineError as error:
                results.append((name, "", error))
        return results

    def open_alerts(self) -> list[Alert]:
        """Return the open alerts; none if the store does not respond."""
        try:
            return self.alerts.list_open()
        except PipelineError as error:
            log.error("the alerts could not be read: %s", error)
            return []

    def deliver_due(self, now: datetime) -> None:
        """Send what is due by now: new alerts, and those that failed before.

        After an error of a channel its other alerts wait as well: a slow mail server takes its time once, not for each.
        """
        failures: dict[str, PipelineError] = {}
        try:
            for delivery in self.alerts.due(now, list(self.channels)):
                if self.alerts.claim(delivery, until=now + CLAIM_TTL):
                    self._deliver(delivery, failures, now)
        except PipelineError as error:
            log.error("alerts cannot be sent until the store works: %s", error)

    def has_due(self, now: datetime) -> bool:
        """Check whether anything is due by now."""
        return bool(self.channels and self.alerts.due(now, list(self.channels)))

    def _deliver(self, delivery: AlertDelivery, failures: dict[str, PipelineError], now: datetime) -> None:
        """Send an alert, unless its channel is in ``failures``; add an error that concerns the whole channel to it."""
        subject, channel = delivery.alert.subject, delivery.channel
        error = failures.get(channel)
        try:
            note = "" if error else self.channels[channel](delivery.alert)
        except DeliveryInterrupted:  # a signal, and the message was complete
            self.alerts.mark_sent(delivery, at=now)
            raise
        except DeliveryUncertainError as uncertain:
            note = f"perhaps; it is not sent again, as that might be twice: {uncertain}"
        except PipelineError as failure:
            error = failure
            if error.retry:
                failures[channel] = error
        if error:
            delay = retry_delay(delivery.attempts + 1, factor=4, maximum=MAX_RETRY_DELAY)
            self.alerts.mark_failed(delivery, str(error), retry_at=now + delay)
            log.warning("“%s” could not be sent by %s: %s", subject, channel, error)
            return
        self.alerts.mark_sent(delivery, at=now)
        log.info("“%s” was sent by %s%s", subject, channel, note and f": {note}")

    def open(self, alert: Alert) -> None:
        """Raise an alert, unless one with its key is open; the task that retries alerts sends it."""
        try:
            if self.alerts.add(alert, self.channels):
                _log(alert)
        except PipelineError as error:
            _log(alert)
            log.error("an alert could not be stored, so it is only in this log: %s", error)

    def _close(self, key: str, at: datetime, resolution: Alert | None) -> None:
        try:
            closed = self.alerts.close(key, at=at, resolution=resolution, channels=self.channels)
            if closed and resolution:
                _log(resolution)
        except PipelineError as error:
            log.error("an alert could not be closed: %s", error)


def alert_retry_task(notifier: Notifier) -> Task:
    """Return the task that sends alerts that could not be sent before."""

    def run(period: str, now: datetime) -> Done:
        notifier.deliver_due(now)
        return Done(message="")  # the notifier logs each alert

    return Task(id="alert-retry", schedule=PendingAlertsSchedule(notifier=notifier), run=run)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingAlertsSchedule:
    """A schedule that fires while an alert is due to be sent."""

    notifier: Notifier
    never_repeats: ClassVar[bool] = False

    def period(self, now: datetime, zone: tzinfo) -> str:
        """Return the minute; empty if nothing is due."""
        return f"{now:%Y-%m-%dT%H:%MZ}" if self.notifier.has_due(now) else ""

    def next_at(self, now: datetime, zone: tzinfo) -> None:
        """Return None: the next alert is not known."""
        return


def _log(alert: Alert) -> None:
    text = " ".join(alert.text.split())
    log.log(_LEVELS[alert.level], "%s: %s", alert.subject, text, extra={"alert": alert.key})
