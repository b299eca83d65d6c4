"""Health of the daemon for machines: ``/healthz`` for a supervisor, ``/metrics`` for Prometheus.

Both are read-only. They reveal no secret and name no feed, entry or person, so the number of labels stays small.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, get_args

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipeline import __version__
from pipeline.model.delivery import DELIVERY_STATES, DispatchState, FailureReason
from pipeline.model.delivery_event import DELIVERY_EVENT_KINDS
from pipeline.model.digest import EditionState
from pipeline.model.errors import StoreError
from pipeline.model.fetch import OutcomeKind
from pipeline.model.health import Metrics


class DaemonHealth(Protocol):
    """The health and the metrics of a daemon. ``app.health.HealthProbe`` implements it."""

    @property
    def heartbeat_age_seconds(self) -> float:
        """How long ago the daemon last showed that it makes progress."""
        ...

    @property
    def current_task(self) -> str:
        """The id of the task that runs now; empty if none does."""
        ...

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with the daemon, a sentence each; empty if it is healthy."""
        ...

    def sending(self) -> Sequence[str]:
        """Return how each dispatch that needs attention gets on, a sentence each; empty if the store fails."""
        ...

    def metrics(self) -> Metrics:
        """Return a snapshot of all counts; StoreError if the store does not respond."""
        ...


def health_routes(health: DaemonHealth) -> list[Route]:
    """Return two routes: ``/healthz`` answers 200, or 503 with the problems; ``/metrics`` always answers 200."""
    registry = CollectorRegistry()
    registry.register(_StoreCollector(health))

    def healthz(request: Request) -> Response:
        problems = health.problems()
        body = {
            "status": "unhealthy" if problems else "healthy",
            "problems": problems,
            "task": health.current_task,
            "sending": health.sending(),
            "heartbeat_age_seconds": round(health.heartbeat_age_seconds, 1),
            "version": __version__,
        }
        return JSONResponse(body, status_code=503 if problems else 200)

    def metrics(request: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return [Route("/healthz", healthz), Route("/metrics", metrics)]


class _StoreCollector(Collector):
    """Reads every metric from the store when Prometheus asks, so that no counter lives in this process."""

    def __init__(self, health: DaemonHealth) -> None:
        self._health = health

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that registering the collector does not read the store."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Yield all metrics; only those of the process if the store does not respond."""
        yield _labelled("pipeline_build_info", "Version of the program.", "version", {__version__: 1})
        age = self._health.heartbeat_age_seconds
        yield GaugeMetricFamily("pipeline_heartbeat_age_seconds", "Time since the daemon last made progress.", age)
        yield GaugeMetricFamily("pipeline_healthy", "Whether /healthz answers 200.", not self._health.problems())
        try:
            metrics = self._health.metrics()
        except StoreError:
            metrics = None
        yield GaugeMetricFamily("pipeline_store_up", "Whether the store responds.", metrics is not None)
        if metrics:
            yield from _store_metrics(metrics)


def _store_metrics(metrics: Metrics) -> Iterable[Metric]:
    outcomes = dict.fromkeys((*get_args(OutcomeKind), "never"), 0) | dict(metrics.feeds_by_outcome)
    states = dict.fromkeys(get_args(EditionState), 0) | dict(metrics.editions_by_state)
    yield _labelled("pipeline_feeds", "Feeds by the outcome of their last fetch.", "outcome", outcomes)
    yield GaugeMetricFamily("pipeline_entries", "Entries in the store.", metrics.entries)
    yield CounterMetricFamily("pipeline_entries_ingested", "Entries ever stored.", metrics.entries_ingested)
    yield _labelled("pipeline_editions", "Editions by state.", "state", states)
    yield GaugeMetricFamily(
        "pipeline_edition_newest_number", "Number of the newest edition; 0 for none.", metrics.newest_edition_number
    )
    queue = metrics.person_mails
    yield GaugeMetricFamily("pipeline_person_mails_waiting", "Mails to one person that are due.", queue.waiting)
    yield GaugeMetricFamily("pipeline_person_mails_failed", "Those that are tried again after a failure.", queue.failed)
    if queue.failed_at:
        yield GaugeMetricFamily(
            "pipeline_person_mail_last_failure_timestamp_seconds",
            "When one could not be sent last.",
            queue.failed_at.timestamp(),
        )
    yield from _delivery_metrics(metrics)
    runs = CounterMetricFamily("pipeline_task_runs", "Runs of each task by status.", labels=("task", "status"))
    for labels, count in sorted(metrics.runs_by_status.items()):
        runs.add_metric(labels, count)
    yield runs
    yield _times("pipeline_task_last_run_timestamp_seconds", "When each task last ended.", metrics.last_finished_at)
    yield _times(
        "pipeline_task_last_success_timestamp_seconds", "When each task last succeeded.", metrics.last_succeeded_at
    )


def _delivery_metrics(metrics: Metrics) -> Iterable[Metric]:
    dispatches = dict.fromkeys(get_args(DispatchState), 0) | dict(metrics.dispatches_by_state)
    deliveries = dict.fromkeys(DELIVERY_STATES, 0) | dict(metrics.deliveries_by_state)
    events = dict.fromkeys(DELIVERY_EVENT_KINDS, 0) | dict(metrics.delivery_events)
    yield _labelled("pipeline_dispatches", "Sends of the newest editions, and unfinished ones.", "state", dispatches)
    yield _labelled("pipeline_deliveries", "Deliveries of these editions by state.", "state", deliveries)
    failures = {reason: 0 for reason in get_args(FailureReason) if reason} | dict(metrics.failures_by_reason)
    yield _labelled("pipeline_deliveries_failed", "Failed deliveries of these by reason.", "reason", failures)
    yield _labelled("pipeline_delivery_events", "Deliveries about which an event came back.", "kind", events)
    rate = metrics.deliveries_per_minute
    yield GaugeMetricFamily("pipeline_deliveries_per_minute", "Deliveries that got an outcome lately, a minute.", rate)
    if metrics.sending_ends_at:
        yield GaugeMetricFamily(
            "pipeline_sending_end_timestamp_seconds",
            "When all that is being sent is estimated to have an outcome.",
            metrics.sending_ends_at.timestamp(),
        )


def _times(name: str, description: str, by_task: Mapping[str, datetime]) -> Metric:
    return _labelled(name, description, "task", {task: at.timestamp() for task, at in sorted(by_task.items())})


def _labelled(name: str, description: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, description, labels=(label,))
    for label_value, value in values.items():
        family.add_metric((label_value,), value)
    return family
