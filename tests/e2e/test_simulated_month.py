"""Three loops of ticks and two daemons in one simulated month: each task runs once in each period."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import pytest

from pipeline.app import App
from pipeline.app.reload import ReloadingApp
from pipeline.app.tasks import next_runs
from tests import postgres
from tests.year_simulation import (
    DAY,
    HOUR,
    SQLITE,
    START,
    WEEK,
    SimulatedEditor,
    SimulatedFeeds,
    collect_result,
    create_publication,
    posts,
    run_tick,
    verify,
)

SEED = 5
DAEMONS, LOOPS = 2, 3


@pytest.fixture
def month_database() -> Iterator[str]:
    """The URL of an empty database."""
    with postgres.temporary_database("_month") as url:
        yield url


def tick(config: Path, now: datetime) -> list[tuple[str, str, str]]:
    """Run `pipeline tick` as a process of its own would, with an App of its own."""
    with ReloadingApp(config) as living:
        return run(living, now)


def run(living: ReloadingApp, now: datetime) -> list[tuple[str, str, str]]:
    return [(result.task_id, result.period, result.status) for result in run_tick(living, now)]


def moments(app: App, start: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the times at which a task is due, and one between each two."""
    now = start
    while now < end:
        yield now
        due = min(each.at for each in next_runs(app, now) if each.at > now)
        yield now + (due - now) / 2
        now = due


@pytest.mark.parametrize(
    ("kind", "weeks"),
    [
        ("sqlite", 0),
        pytest.param("sqlite", 4, marks=pytest.mark.slow(minutes=2)),
        pytest.param("postgresql", 4, marks=[pytest.mark.postgres, pytest.mark.slow(minutes=2)]),
    ],
)
def test_five_schedulers_run_each_task_once(
    tmp_path: Path, kind: str, weeks: int, request: pytest.FixtureRequest
) -> None:
    """All five tick at the same simulated moments; nobody's work is done twice, and every story is published once."""
    url = SQLITE if kind == "sqlite" else str(request.getfixturevalue("month_database"))
    create_publication(tmp_path, url)
    world, config = SimulatedFeeds(tmp_path / "net", posts(SEED, weeks), {}), tmp_path / "config.toml"
    end = START + (weeks * WEEK + 3 * WEEK if weeks else 2 * DAY)
    finished: Counter[tuple[str, str]] = Counter()
    with ExitStack() as stack, ThreadPoolExecutor(DAEMONS + LOOPS) as pool:
        daemons = [stack.enter_context(ReloadingApp(config)) for _ in range(DAEMONS)]
        for now in moments(daemons[0].app, START + 2 * HOUR, end):
            world.update(now)
            runs = [pool.submit(run, daemon, now) for daemon in daemons]
            runs += [pool.submit(tick, config, now) for _ in range(LOOPS)]
            results = [result for each in runs for result in each.result()]
            finished.update((task, period) for task, period, status in results if status == "succeeded")
            SimulatedEditor(daemons[0].app).act(now)
    assert set(finished.values()) == {1}, finished.most_common(3)
    fetches = [period for task, period in finished if task == "fetch"]
    assert len(fetches) == (end - START) / (3 * HOUR), "a period was left out"
    verify(collect_result(tmp_path), posts(SEED, weeks), START + weeks * WEEK)
