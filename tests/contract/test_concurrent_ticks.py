"""Simultaneous ticks, on every kind of store: no task is run by two processes at once, and no period twice."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock
from zoneinfo import ZoneInfo

from store_factories import NOW

from pipeline.model.errors import StoreError
from pipeline.model.schedule import parse_schedule
from pipeline.scheduler.engine import Deferred, Task, run_due
from pipeline.scheduler.lease import RunLeases
from pipeline.store import Store

MINUTE = timedelta(minutes=1)
TICKERS = 5
LONDON = ZoneInfo("Europe/London")


@dataclass
class Work:
    """Work that records how often it runs at once, and that fails or is interrupted now and then."""

    seed: int
    done: Counter[str] = field(default_factory=Counter)
    at_once: int = 0
    most_at_once: int = 0
    lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def __call__(self, period: str, now: object) -> str | Deferred:
        with self.lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        fate = self.chance.random()
        with self.lock:
            self.at_once -= 1
        if fate < 0.2:
            raise StoreError("busy")
        if fate < 0.3:
            raise KeyboardInterrupt
        with self.lock:
            self.done[period] += 1
        return "done"


def test_each_period_is_run_by_one_of_many_processes(store_url: str) -> None:
    """Five stores tick every minute for two hours, with errors and interruptions in between."""
    fetch, draft = Work(1), Work(2)
    tasks = [
        Task(id="fetch", schedule=parse_schedule("every 10 minutes"), run=fetch),
        Task(id="draft", schedule=parse_schedule("daily 07:00"), run=draft),
    ]

    def tick(store: Store, name: str, minute: int) -> None:
        now = NOW + minute * MINUTE
        try:
            list(run_due(tasks, RunLeases(store.runs, name, lambda: now), lambda: now, LONDON))
        except KeyboardInterrupt:
            return

    with ExitStack() as stack, ThreadPoolExecutor(TICKERS) as pool:
        stores = [stack.enter_context(Store.open(store_url)) for _ in range(TICKERS)]
        for minute in range(120):
            list(pool.map(tick, stores, "abcde", [minute] * TICKERS))
        newest = stores[0].runs.newest()
    assert fetch.most_at_once == draft.most_at_once == 1
    assert set(fetch.done.values()) == set(draft.done.values()) == {1}
    assert len(fetch.done) == 12
    assert newest["draft"].status == "succeeded"
