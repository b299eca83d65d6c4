"""Send the editions whose dispatch is running, and report what an editor has to decide about."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.jobs.deliveries.dispatch import Dispatcher
from pipeline.jobs.deliveries.sender import DeliverySender, SendResult
from pipeline.model.alert import Alert
from pipeline.model.delivery import Dispatch, DispatchKey
from pipeline.model.errors import PipelineError
from pipeline.model.schedule import Every
from pipeline.scheduler.engine import Done, Task
from pipeline.store import Store
from pipeline.text.format import pluralize

ALERT_PREFIX = "delivery/"
"""Prefix of the keys of alerts about deliveries."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverer:
    """Sends editions to their recipients and finishes their dispatches."""

    dispatcher: Dispatcher
    sender: DeliverySender

    def run(self, key: DispatchKey, *, patience: timedelta) -> SendResult:
        """Send what is due of an edition; return when nothing is due within ``patience``."""
        copies = self.dispatcher.open_copies(key[0], self.dispatcher.sealed(key))
        result = self.sender.run(key, copies, patience=patience)
        if result.state == "finished":
            self.dispatcher.finish(key, self.sender.clock())
        return result

    def run_all(self, *, patience: timedelta = timedelta()) -> Iterator[tuple[Dispatch, SendResult]]:
        """Send what is due of every running dispatch, the oldest first; the error of one does not stop the others."""
        for dispatch in self.sender.store.dispatches.running():
            try:
                yield dispatch, self.run(dispatch.key, patience=patience)
            except PipelineError as error:
                log.warning("%s cannot be sent: %s", dispatch.name, error)
            if self.sender.is_stopping():
                return


def delivery_alerts(dispatches: Iterable[Dispatch], backend_name: str, now: datetime) -> Iterator[Alert]:
    """Yield an alert about each dispatch that the backend has paused, or that has uncertain or failed deliveries."""
    for dispatch in dispatches:
        week, name = dispatch.week, dispatch.name
        key = f"{ALERT_PREFIX}{week}" + (f"/{dispatch.correction}" if dispatch.correction else "")
        if dispatch.state == "paused" and dispatch.changed_by == backend_name:
            text = (
                f"{dispatch.in_words()}. The mail server refused a message for a reason that concerns all:\n\n"
                f"{dispatch.note}\n\nCorrect this, then run `pipeline deliveries {week} --resume`. Nobody has failed, "
                "and nobody gets it twice."
            )
            subject = f"Sending {name} is paused"
            yield Alert(key=f"{key}/paused", subject=subject, text=text, level="error", raised_at=now)
        elif uncertain := dispatch.counts.get("uncertain", 0):
            text = (
                f"{dispatch.in_words()}. The server did not confirm the uncertain ones, so they "
                f"are not repeated. `pipeline deliveries {week} --uncertain` lists them; add --accept to count them as "
                "sent, or --retry to send them again, perhaps twice."
            )
            subject = f"{name}: {pluralize(uncertain, 'delivery is', 'deliveries are')} uncertain"
            yield Alert(key=f"{key}/uncertain", subject=subject, text=text, raised_at=now)


def delivery_alerts_task(
    store: Store, backend_name: str, reconcile_alerts: Callable[[Sequence[Alert], datetime], object]
) -> Task:
    """Return the task that opens and closes these alerts."""

    def run(period: str, now: datetime) -> Done:
        alerts = list(delivery_alerts(store.dispatches.needing_attention(), backend_name, now))
        reconcile_alerts(alerts, now)
        return Done(message=f"{pluralize(len(alerts), 'alert')} about deliveries")

    return Task(id="delivery-alerts", schedule=Every(timedelta(minutes=10)), run=run)
