"""How the daemon is doing, for machines: ``/healthz`` for whoever restarts it, ``/metrics`` for Prometheus.

In: a look at the house. Out: two routes that only read. Nothing in them is secret, no feed or reader is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Protocol, get_args

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipeline import __version__
from pipeline.model.digest import EditionState
from pipeline.model.errors import StoreError
from pipeline.model.fetch import OutcomeKind
from pipeline.model.health import Metrics
from pipeline.text.metrics import CONTENT_TYPE, Family, Sample, exposition


class HealthSource(Protocol):
    """What these pages need to know of the house."""

    @property
    def heartbeat_age_seconds(self) -> float:
        """How long ago the daemon last showed that it lives."""
        ...

    def problems(self) -> tuple[str, ...]:
        """Say why the daemon is not well, a sentence each; nothing when it is."""
        ...

    def metrics(self) -> Metrics:
        """Read the instruments; StoreError when the store does not answer."""
        ...


def health_routes(source: HealthSource) -> list[Route]:
    """Make the routes: ``/healthz`` answers 200, or 503 with the reasons; ``/metrics`` always answers."""

    def healthz(request: Request) -> Response:
        reasons = source.problems()
        said = {
            "status": "unwell" if reasons else "well",
            "reasons": reasons,
            "beat_age_seconds": round(source.heartbeat_age_seconds, 1),
            "version": __version__,
        }
        return JSONResponse(said, status_code=503 if reasons else 200)

    def metrics(request: Request) -> Response:
        return Response(exposition(_families(source)), media_type=CONTENT_TYPE)

    return [Route("/healthz", healthz), Route("/metrics", metrics)]


def _families(look: HealthSource) -> Iterator[Family]:
    yield _one("pipeline_build_info", "Which version this is.", 1, version=__version__)
    yield _one("pipeline_beat_age_seconds", "Since the daemon last showed that it lives.", look.heartbeat_age_seconds)
    yield _one("pipeline_healthy", "Whether /healthz answers 200.", not look.problems())
    try:
        vitals = look.metrics()
    except StoreError:
        yield _one("pipeline_store_up", "Whether the store answers.", 0)
        return
    yield _one("pipeline_store_up", "Whether the store answers.", 1)
    yield from _of_the_store(vitals)


def _of_the_store(vitals: Metrics) -> Iterator[Family]:
    outcomes = dict.fromkeys((*get_args(OutcomeKind), "never"), 0) | dict(vitals.feeds_by_outcome)
    states = dict.fromkeys(get_args(EditionState), 0) | dict(vitals.editions_by_state)
    by_outcome = tuple(Sample(value=number, labels={"outcome": word}) for word, number in outcomes.items())
    by_state = tuple(Sample(value=number, labels={"state": word}) for word, number in states.items())
    runs = ((each, {"task": each[0], "outcome": each[1]}) for each in sorted(vitals.runs_by_status))
    yield Family(name="pipeline_feeds", kind="gauge", help="Feeds by their last outcome.", samples=by_outcome)
    yield _one("pipeline_entries", "Entries that are kept.", vitals.entries)
    seen = (Sample(value=vitals.entries_ingested),)
    yield Family(name="pipeline_entries_seen_total", kind="counter", help="Entries that ever came in.", samples=seen)
    yield Family(name="pipeline_editions", kind="gauge", help="Editions by where they stand.", samples=by_state)
    yield _one(
        "pipeline_edition_newest_number", "Number of the newest edition; 0: none yet.", vitals.newest_edition_number
    )
    yield Family(
        name="pipeline_task_runs_total",
        kind="counter",
        help="Runs of each task by how they ended.",
        samples=tuple(Sample(value=vitals.runs_by_status[key], labels=labels) for key, labels in runs),
    )
    yield _moments("pipeline_task_last_run_timestamp_seconds", "When each task last ended.", vitals.last_finished_at)
    last = "pipeline_task_last_success_timestamp_seconds"
    yield _moments(last, "When each task last did all of its work.", vitals.last_succeeded_at)


def _moments(name: str, words: str, by_task: Mapping[str, datetime]) -> Family:
    samples = (Sample(value=at.timestamp(), labels={"task": task}) for task, at in sorted(by_task.items()))
    return Family(name=name, kind="gauge", help=words, samples=tuple(samples))


def _one(name: str, words: str, value: float, **labels: str) -> Family:
    return Family(name=name, kind="gauge", help=words, samples=(Sample(value=value, labels=labels),))
