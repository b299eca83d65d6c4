"""The heartbeat of the daemon, and its health and metrics over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from pipeline.model.delivery import DELIVERY_STATES, FailureReason
from pipeline.model.delivery_event import DELIVERY_EVENT_KINDS
from pipeline.model.digest import EditionState
from pipeline.model.errors import StoreError, TaskTimeoutError
from pipeline.model.fetch import OutcomeKind
from pipeline.model.health import Metrics
from pipeline.model.schedule import Every
from pipeline.model.subscriber import PersonMailQueue
from pipeline.scheduler.engine import Task, TaskResult
from pipeline.scheduler.heartbeat import MAX_INTERRUPTION_SECONDS, Heartbeat
from pipeline.web.health import health_routes
from tests.asgi_client import AsgiClient

NOW = datetime(2026, 2, 16, 9, tzinfo=UTC)
DONE = TaskResult(task_id="fetch", period="p", message="done")


class Stopwatch:
    """A monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_a_daemon_that_stopped_ticking_is_unhealthy() -> None:
    """Three intervals may pass without a tick, counted from the start."""
    clock = Stopwatch()
    heartbeat = Heartbeat(15, monotonic=clock)
    tick = heartbeat.watch(lambda now: [DONE])
    for _ in range(5):
        clock.seconds += 40
        assert heartbeat.problem() == ""
        assert list(tick(NOW)) == [DONE]
    clock.seconds += 46
    assert heartbeat.problem() == "the daemon has not run its tasks for 46 s (limit: 45 s); restart it"


def test_a_task_that_exceeds_its_time_is_named() -> None:
    """Up to its time limit a long fetch is healthy; afterwards the problem names it until it ends."""
    clock = Stopwatch()
    heartbeat = Heartbeat(15, monotonic=clock)
    fetch = Task(id="fetch", schedule=Every(timedelta(minutes=30)), run=lambda period, now: "", max_seconds=900)
    seen = []

    def slow(now: datetime) -> Iterator[TaskResult]:
        with heartbeat.working(fetch):
            for seconds in (890, 20, MAX_INTERRUPTION_SECONDS):
                clock.seconds += seconds
                seen.append((heartbeat.current_task, heartbeat.problem(), heartbeat.stuck_task()))
        yield DONE

    list(heartbeat.watch(slow)(NOW))
    assert seen == [
        ("fetch", "", ""),
        ("fetch", "the task fetch has run for 910 s (limit: 900 s) and cannot be ended", ""),
        ("fetch", "the task fetch has run for 970 s (limit: 900 s) and cannot be ended", "fetch"),
    ]
    assert (heartbeat.current_task, heartbeat.problem(), heartbeat.stuck_task()) == ("", "", "")


def test_a_task_that_was_ended_is_a_problem_until_it_runs_in_time() -> None:
    """The daemon goes on with the other tasks, and its health says which one hangs."""
    heartbeat = Heartbeat(15, monotonic=Stopwatch())
    error = TaskTimeoutError("proof was ended")
    ended = TaskResult(task_id="proof", period="p", message=str(error), error=error)
    list(heartbeat.watch(lambda now: [ended, DONE])(NOW))
    assert heartbeat.problem() == "proof was ended"
    list(heartbeat.watch(lambda now: [replace(DONE, task_id="proof")])(NOW))
    assert heartbeat.problem() == ""


def test_each_task_that_was_ended_is_named() -> None:
    """All of them, in one sentence each."""
    heartbeat = Heartbeat(15, monotonic=Stopwatch())
    errors = {name: TaskTimeoutError(f"{name} was ended") for name in ("proof", "fetch")}
    ended = [replace(DONE, task_id=name, message=str(error), error=error) for name, error in errors.items()]
    list(heartbeat.watch(lambda now: ended)(NOW))
    assert heartbeat.problem() == "proof was ended; fetch was ended"


def test_limits_are_the_last_healthy_moments() -> None:
    """Three intervals without a tick are healthy; a task is stuck only after its limit and the time to end it."""
    clock = Stopwatch()
    heartbeat = Heartbeat(15, monotonic=clock)
    clock.seconds += 45
    assert (heartbeat.age_seconds, heartbeat.problem(), heartbeat.current_task) == (45, "", "")
    fetch = Task(id="fetch", schedule=Every(timedelta(minutes=30)), run=lambda period, now: "", max_seconds=900)
    with heartbeat.working(fetch):
        clock.seconds += 900
        assert heartbeat.problem() == ""
        clock.seconds += MAX_INTERRUPTION_SECONDS
        assert heartbeat.stuck_task() == ""
        clock.seconds += 0.1
        assert heartbeat.stuck_task() == "fetch"
    assert (heartbeat.age_seconds, heartbeat.stuck_task()) == (0, "")


def test_a_success_forgets_earlier_failures() -> None:
    """Only failures in a row count; one without a message is named by its class."""
    heartbeat = Heartbeat(15, monotonic=Stopwatch())
    for healthy in (False, False, True, False, False):
        assert heartbeat.problem() == ""
        with nullcontext() if healthy else pytest.raises(ZeroDivisionError):
            list(heartbeat.watch(lambda now, healthy=healthy: [DONE] if healthy else 1 / 0)(NOW))
    assert heartbeat.problem() == ""
    with pytest.raises(KeyError):
        list(heartbeat.watch(lambda now: {}[()])(NOW))
    with pytest.raises(ZeroDivisionError):
        list(heartbeat.watch(lambda now: 1 / 0)(NOW))
    assert heartbeat.problem() == "the last 4 ticks failed: division by zero"


def test_repeated_failures_make_the_daemon_unhealthy() -> None:
    """The daemon survives a bug or a broken store; its health shows it until a tick succeeds again."""
    heartbeat = Heartbeat(15, monotonic=Stopwatch())
    broken = True

    def tick(now: datetime) -> Iterator[TaskResult]:
        if broken:
            raise StoreError("pipeline.db is damaged")
        yield DONE

    for _ in range(3):
        assert heartbeat.problem() == ""
        with pytest.raises(StoreError):
            list(heartbeat.watch(tick)(NOW))
    assert heartbeat.problem() == "the last 3 ticks failed: pipeline.db is damaged"
    broken = False
    list(heartbeat.watch(tick)(NOW))
    assert heartbeat.problem() == ""


class FakeSource:
    """A source of health and metrics with fixed values."""

    def __init__(self, *problems: str, store: bool = True) -> None:
        self._problems, self._store = problems, store
        self.heartbeat_age_seconds = 7.25
        self.current_task = "fetch"

    def problems(self) -> tuple[str, ...]:
        return self._problems

    def sending(self) -> list[str]:
        return ["2026-W07: 98 of 103 deliveries sent, 5 waiting; 60 a minute"]

    def metrics(self) -> Metrics:
        if not self._store:
            raise StoreError("gone")
        return Metrics(
            feeds_by_outcome={"ok": 2, "timeout": 1, "never": 1},
            entries=70,
            entries_ingested=75,
            runs_by_status={("fetch", "succeeded"): 48, ("fetch", "failed"): 1, ("draft", "succeeded"): 3},
            last_finished_at={"fetch": NOW + timedelta(hours=1)},
            last_succeeded_at={"fetch": NOW},
            editions_by_state={"sent": 3, "held": 1},
            newest_edition_number=3,
            person_mails=PersonMailQueue(waiting=4, failed=2, failed_at=NOW, error="no server"),
            dispatches_by_state={"running": 1, "finished": 3},
            deliveries_by_state={"sent": 98, "failed": 3, "queued": 2},
            failures_by_reason={"refused": 3},
            deliveries_per_minute=60.5,
            sending_ends_at=NOW,
            delivery_events={"bounced": 2},
        )


def get(source: FakeSource, path: str) -> tuple[int, str, str]:
    response = AsgiClient(Starlette(routes=health_routes(source))).get(path)
    return response.status_code, response.headers["content-type"], response.text


def parse_metrics(text: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Return name to labels to value, read by Prometheus's own parser."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        assert family.type in ("gauge", "counter")
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.items())] = sample.value
    return found


def test_healthz_is_200_while_the_daemon_is_healthy() -> None:
    """The body holds the status, the running task, the heartbeat and the version."""
    code, kind, text = get(FakeSource(), "/healthz")
    assert (code, kind) == (200, "application/json")
    assert json.loads(text) | {"version": ""} == {
        "status": "healthy",
        "problems": [],
        "task": "fetch",
        "sending": ["2026-W07: 98 of 103 deliveries sent, 5 waiting; 60 a minute"],
        "heartbeat_age_seconds": 7.2,
        "version": "",
    }


def test_healthz_is_503_with_the_problems() -> None:
    """The body of a 503 names every problem."""
    code, _, text = get(FakeSource("no heartbeat", "no store"), "/healthz")
    assert (code, json.loads(text)["problems"]) == (503, ["no heartbeat", "no store"])


def test_prometheus_parses_the_metrics() -> None:
    """Its parser finds every metric with help and type."""
    code, kind, text = get(FakeSource(), "/metrics")
    assert (code, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    found = parse_metrics(text)
    assert found["pipeline_feeds"][(("outcome", "timeout"),)] == 1
    assert found["pipeline_entries"][()] == 70
    assert found["pipeline_entries_ingested_total"][()] == 75
    assert found["pipeline_task_runs_total"][(("status", "succeeded"), ("task", "fetch"))] == 48
    assert found["pipeline_task_last_success_timestamp_seconds"][(("task", "fetch"),)] == NOW.timestamp()
    assert found["pipeline_task_last_run_timestamp_seconds"][(("task", "fetch"),)] == NOW.timestamp() + 3600
    assert found["pipeline_editions"][(("state", "sent"),)] == 3
    assert found["pipeline_edition_newest_number"][()] == 3
    assert (found["pipeline_person_mails_waiting"][()], found["pipeline_person_mails_failed"][()]) == (4, 2)
    assert found["pipeline_person_mail_last_failure_timestamp_seconds"][()] == NOW.timestamp()
    assert found["pipeline_deliveries"][(("state", "sent"),)] == 98
    assert found["pipeline_deliveries_failed"][(("reason", "refused"),)] == 3
    assert found["pipeline_dispatches"][(("state", "running"),)] == 1
    assert found["pipeline_delivery_events"][(("kind", "bounced"),)] == 2
    assert found["pipeline_deliveries_per_minute"][()] == 60.5
    assert found["pipeline_sending_end_timestamp_seconds"][()] == NOW.timestamp()
    assert found["pipeline_heartbeat_age_seconds"][()] == 7.25
    assert (found["pipeline_healthy"][()], found["pipeline_store_up"][()]) == (1, 1)
    assert list(found["pipeline_build_info"].values()) == [1]


def test_labels_are_a_fixed_list() -> None:
    """All outcomes and states are present from the start, at zero, and nothing else is."""
    found = parse_metrics(get(FakeSource(), "/metrics")[2])
    assert len(found["pipeline_feeds"]) == len(get_args(OutcomeKind)) + 1
    assert len(found["pipeline_editions"]) == len(get_args(EditionState))
    assert found["pipeline_feeds"][(("outcome", "gone"),)] == 0
    assert found["pipeline_deliveries"][(("state", "uncertain"),)] == 0
    assert len(found["pipeline_deliveries"]) == len(DELIVERY_STATES)
    assert len(found["pipeline_delivery_events"]) == len(DELIVERY_EVENT_KINDS)
    assert len(found["pipeline_deliveries_failed"]) == len(get_args(FailureReason)) - 1


def test_metrics_answer_without_a_store() -> None:
    """An alerting rule then still has numbers to compare."""
    code, _, text = get(FakeSource("pipeline.db is damaged", store=False), "/metrics")
    found = parse_metrics(text)
    assert code == 200
    assert (found["pipeline_store_up"][()], found["pipeline_healthy"][()]) == (0, 0)
    assert "pipeline_feeds" not in found
