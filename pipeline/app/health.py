"""Health and metrics of a running daemon, as web/health.py serves them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.app.app import App
from pipeline.app.deliveries import send_limits
from pipeline.jobs.deliveries.progress import describe_progress, load_attention
from pipeline.model.errors import StoreError
from pipeline.model.health import Metrics

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.jobs.deliveries.limits import SendLimits
    from pipeline.model.schedule import Clock
    from pipeline.scheduler.heartbeat import Heartbeat
    from pipeline.store import Store

MAX_EDITIONS = 4
"""Of how many editions deliveries are counted: a month of weeks, so that it takes no time."""


class HealthProbe:
    """A source of health and metrics. ``get_app`` returns the current App, since the daemon may reload it."""

    def __init__(self, get_app: Callable[[], App], heartbeat: Heartbeat, clock: Clock) -> None:
        self._get_app = get_app
        self._heartbeat = heartbeat
        self._clock = clock

    @property
    def heartbeat_age_seconds(self) -> float:
        """How long ago the daemon last showed that it makes progress."""
        return self._heartbeat.age_seconds

    @property
    def current_task(self) -> str:
        """The id of the task that runs now; empty if none does."""
        return self._heartbeat.current_task

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with the daemon, a sentence each; empty if it is healthy."""
        try:
            self._get_app().store().revision()
            store_error = ""
        except StoreError as error:
            store_error = str(error)
        return tuple(filter(None, (self._heartbeat.problem(), store_error)))

    def metrics(self) -> Metrics:
        """Return a snapshot of all counts; StoreError if the store does not respond."""
        app = self._get_app()
        metrics = app.store().metrics
        entries, entries_ingested = metrics.entry_counts()
        editions, newest_number = metrics.editions_by_state()
        return Metrics(
            feeds_by_outcome=metrics.feeds_by_outcome([feed.id for feed in app.feeds]),
            entries=entries,
            entries_ingested=entries_ingested,
            runs_by_status=metrics.runs_by_status(),
            last_finished_at=metrics.last_finished_at(),
            last_succeeded_at=metrics.last_finished_at("succeeded"),
            editions_by_state=editions,
            newest_edition_number=newest_number,
            person_mails=app.store().person_mails.queue(self._clock()),
            **delivery_metrics(app.store(), send_limits(app), self._clock()),
        )

    def sending(self) -> Sequence[str]:
        """Return how each dispatch that needs attention gets on, a sentence each; empty if the store fails."""
        app = self._get_app()
        try:
            progress = load_attention(app.store(), send_limits(app), self._clock())
        except StoreError:
            return ()
        return [f"{one.dispatch.name}: {describe_progress(one, app.calendar.zone)}" for one in progress]


def delivery_metrics(store: Store, limits: SendLimits, now: datetime) -> dict[str, Any]:
    """Return the fields of ``Metrics`` about deliveries: of the newest editions, and of all that need attention."""
    attention = load_attention(store, limits, now)
    newest = store.dispatches.newest(MAX_EDITIONS)
    dispatches = {one.key: one for one in (*newest, *(progress.dispatch for progress in attention))}
    states: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    events: Counter[str] = Counter()
    for dispatch in dispatches.values():
        states.update(dispatch.counts)
        failures.update(dispatch.failures)
    for dispatch in newest:
        events.update(store.delivery_events.counts(dispatch.week))
    return {
        "dispatches_by_state": Counter(dispatch.state for dispatch in dispatches.values()),
        "deliveries_by_state": states,
        "failures_by_reason": failures,
        "deliveries_per_minute": sum(progress.per_minute for progress in attention),
        "sending_ends_at": max((progress.ends_at for progress in attention if progress.ends_at), default=None),
        "delivery_events": events,
    }
