"""Health and metrics of a running daemon, as web/health.py serves them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pipeline.app.app import App
from pipeline.model.errors import StoreError
from pipeline.model.health import Metrics

if TYPE_CHECKING:
    from pipeline.model.schedule import Clock
    from pipeline.scheduler.heartbeat import Heartbeat


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
        )
