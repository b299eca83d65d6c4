"""The daemon's pulse, and what machines may ask about its health."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from pipeline.model.digest import EditionState
from pipeline.model.errors import StoreError
from pipeline.model.fetch import OutcomeKind
from pipeline.model.health import Metrics
from pipeline.scheduler.engine import TaskResult
from pipeline.scheduler.heartbeat import MAX_WORK_SECONDS, Heartbeat
from pipeline.text.metrics import Family, Sample, exposition
from pipeline.web.health import health_routes
from tests.asgi_client import AsgiClient

NOW = datetime(2026, 2, 16, 9, tzinfo=UTC)
DONE = TaskResult(task_id="fetch", period="p", message="done")


class Watch:
    """A clock that only measures, and is set by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_a_daemon_that_beats_is_well_and_one_that_stopped_is_not() -> None:
    """Three intervals are allowed, from its start on."""
    watch = Watch()
    pulse = Heartbeat(15, monotonic=watch)
    beat = pulse.watch(lambda now: [DONE])
    for _ in range(5):
        watch.seconds += 40
        assert pulse.problem() == ""
        assert list(beat(NOW)) == [DONE]
    watch.seconds += 46
    assert pulse.problem() == "the daemon is without a beat for 46 s, and 45 s are allowed: restart it"


def test_a_beat_at_work_may_take_longer() -> None:
    """A fetch of many slow feeds is no illness; one that gets nowhere for a quarter of an hour is."""
    watch = Watch()
    pulse = Heartbeat(15, monotonic=watch)
    trouble = []

    def slow(now: datetime) -> Iterator[TaskResult]:
        for seconds in (300, MAX_WORK_SECONDS + 1):
            watch.seconds += seconds
            trouble.append(pulse.problem())
            yield DONE

    list(pulse.watch(slow)(NOW))
    assert trouble[0] == ""
    assert "at work without getting on" in trouble[1]
    assert pulse.problem() == ""


def test_beats_that_fail_one_after_the_other_are_no_life() -> None:
    """The daemon outlives a bug and a broken store; whoever watches it must hear of it, until a beat is well again."""
    pulse = Heartbeat(15, monotonic=Watch())
    broken = True

    def beat(now: datetime) -> Iterator[TaskResult]:
        if broken:
            raise StoreError("pipeline.db is damaged")
        yield DONE

    for _ in range(3):
        assert pulse.problem() == ""
        with pytest.raises(StoreError):
            list(pulse.watch(beat)(NOW))
    assert pulse.problem() == "the last 3 beats failed: pipeline.db is damaged"
    broken = False
    list(pulse.watch(beat)(NOW))
    assert pulse.problem() == ""


class House:
    """What the pages look at."""

    def __init__(self, *reasons: str, store: bool = True) -> None:
        self._reasons, self._store = reasons, store
        self.beat_age_seconds = 7.25

    def reasons(self) -> tuple[str, ...]:
        return self._reasons

    def vitals(self) -> Metrics:
        if not self._store:
            raise StoreError("gone")
        return Metrics(
            feeds_by_outcome={"ok": 2, "timeout": 1, "never": 1},
            entries=70,
            entries_ingested=75,
            runs_by_status={("fetch", "done"): 48, ("fetch", "failed"): 1, ("draft", "done"): 3},
            last_finished_at={"fetch": NOW + timedelta(hours=1)},
            last_succeeded_at={"fetch": NOW},
            editions_by_state={"sent": 3, "held": 1},
            newest_edition_number=3,
        )


def ask(house: House, path: str) -> tuple[int, str, str]:
    answer = AsgiClient(Starlette(routes=health_routes(house))).get(path)
    return answer.status_code, answer.headers["content-type"], answer.text


def measured(text: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Read an exposition with Prometheus's own parser: name to labels to value."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        assert family.type in ("gauge", "counter")
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.items())] = sample.value
    return found


def test_healthz_is_200_while_all_is_well() -> None:
    """With what a person wants to know who looks at it."""
    code, kind, text = ask(House(), "/healthz")
    assert (code, kind) == (200, "application/json")
    assert json.loads(text) | {"version": ""} == {
        "status": "well",
        "reasons": [],
        "beat_age_seconds": 7.2,
        "version": "",
    }


def test_healthz_is_503_with_the_reasons() -> None:
    """Whoever restarts the daemon need not look for them elsewhere."""
    code, _, text = ask(House("no beat", "no store"), "/healthz")
    assert (code, json.loads(text)["reasons"]) == (503, ["no beat", "no store"])


def test_metrics_are_what_prometheus_reads() -> None:
    """Its own parser finds every measurement, with its help and its type."""
    code, kind, text = ask(House(), "/metrics")
    assert (code, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    found = measured(text)
    assert found["pipeline_feeds"][(("outcome", "timeout"),)] == 1
    assert found["pipeline_entries"][()] == 70
    assert found["pipeline_entries_seen_total"][()] == 75
    assert found["pipeline_task_runs_total"][(("task", "fetch"), ("outcome", "done"))] == 48
    assert found["pipeline_task_last_success_timestamp_seconds"][(("task", "fetch"),)] == NOW.timestamp()
    assert found["pipeline_task_last_run_timestamp_seconds"][(("task", "fetch"),)] == NOW.timestamp() + 3600
    assert found["pipeline_editions"][(("state", "sent"),)] == 3
    assert found["pipeline_edition_newest_number"][()] == 3
    assert found["pipeline_beat_age_seconds"][()] == 7.25
    assert (found["pipeline_healthy"][()], found["pipeline_store_up"][()]) == (1, 1)
    assert list(found["pipeline_build_info"].values()) == [1]


def test_labels_are_words_of_a_short_list() -> None:
    """However many feeds and entries there are: outcomes and states are all there from the start, at zero."""
    found = measured(ask(House(), "/metrics")[2])
    assert len(found["pipeline_feeds"]) == len(get_args(OutcomeKind)) + 1
    assert len(found["pipeline_editions"]) == len(get_args(EditionState))
    assert found["pipeline_feeds"][(("outcome", "gone"),)] == 0


def test_metrics_answer_when_the_store_does_not() -> None:
    """An alert needs a number, not a silence."""
    code, _, text = ask(House("pipeline.db is damaged", store=False), "/metrics")
    found = measured(text)
    assert code == 200
    assert (found["pipeline_store_up"][()], found["pipeline_healthy"][()]) == (0, 0)
    assert "pipeline_feeds" not in found


def test_any_word_comes_back_as_it_was() -> None:
    """Quotes, backslashes and line breaks in labels and help are escaped as the format asks."""
    words = 'a "b" \\ c\nd'
    sample = Sample(value=0.5, labels={"word": words})
    text = exposition([Family(name="x", kind="gauge", help="a \\ b\nc", samples=(sample,))])
    (family,) = text_string_to_metric_families(text)
    assert family.documentation == "a \\ b\nc"
    assert [(each.labels, each.value) for each in family.samples] == [({"word": words}, 0.5)]
