"""A simulated year: two daemons, an editor, outages, failing feeds, clock changes; every story is published once."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from pipeline.app.reload import ReloadingApp
from pipeline.model.week import Week
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
    send_time,
    verify,
    wakeups,
    write_config,
)

SEED = 8
OUTAGES = (
    (START + 5 * WEEK + 1 * DAY, START + 5 * WEEK + 1 * DAY + 9 * HOUR),  # through the draft of a Friday
    (send_time(Week(2026, 9)) - HOUR, send_time(Week(2026, 9)) + 6 * HOUR),  # through a mailing, caught up with
    (send_time(Week(2026, 19)) - HOUR, send_time(Week(2026, 19)) + 14 * HOUR),  # too long to catch up with
    (START + 23 * WEEK + 2 * DAY, START + 23 * WEEK + 12 * DAY),  # ten days
)
FAILING = {
    "blog": [(START + 9 * WEEK, START + 9 * WEEK + 2 * DAY), (START + 30 * WEEK, START + 30 * WEEK + 5 * DAY)],
    "talks": [(START + 14 * WEEK, START + 16 * WEEK)],
    "links": [(START + 30 * WEEK, START + 30 * WEEK + DAY)],
}


@pytest.fixture
def in_memory(tmp_path: Path) -> Iterator[Path]:
    """Give a folder in memory, where there is one: a year of commits to a disk is a test of the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as folder:
        yield Path(folder)


def live(folder: Path, weeks: int, fetch: str, store: str = SQLITE) -> None:
    """Let two daemons beat at once, now and then one alone, when something is due, until nothing is left to tell."""
    create_publication(folder, store, fetch)
    written, chance = posts(SEED, weeks), random.Random(SEED)
    world, end = SimulatedFeeds(folder / "net", written, FAILING), START + weeks * WEEK
    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        daemons = [stack.enter_context(ReloadingApp(folder / "config.toml")) for _ in range(2)]
        needs_approval = True
        for now in wakeups(lambda: daemons[0].app, START + 2 * HOUR, end, OUTAGES, chance):
            if needs_approval and now >= START + weeks // 2 * WEEK:
                needs_approval = False
                write_config(folder, "unless-held", store, fetch)
            world.update(now)
            both = daemons if chance.random() < 0.85 else [chance.choice(daemons)]
            for beats in [pool.submit(run_tick, daemon, now) for daemon in both]:
                beats.result()
            SimulatedEditor(daemons[0].app).act(now)
    verify(collect_result(folder), written, end)


@pytest.mark.slow(minutes=1)
def test_seven_weeks_by_itself(in_memory: Path) -> None:
    """The clocks go forward in the hour of the last send, the machine is off twice: every story is published once."""
    live(in_memory, weeks=7, fetch="every 24 hours")


@pytest.mark.slow
@pytest.mark.postgres
def test_eight_weeks_on_postgresql(in_memory: Path, postgres_url: str) -> None:
    """The same and a week more, two daemons on one server."""
    live(in_memory, weeks=8, fetch="every 24 hours", store=postgres_url)


@pytest.mark.slow(minutes=1)
def test_a_year_by_itself(in_memory: Path) -> None:
    """52 weeks over both changes of the clocks, off for hours and for ten days, an editor who is late or skips."""
    live(in_memory, weeks=52, fetch="every 6 hours")
