"""A year by itself: two daemons, an editor, outages, feeds that fail, clocks that change; every story is told once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.app.living import Living
from pipeline.model.week import Week
from tests.year import (
    DAY,
    HOUR,
    SQLITE,
    START,
    WEEK,
    Editor,
    World,
    account,
    check,
    lived,
    mailing_time,
    moments,
    posts,
    settle_in,
    write_config,
)

SEED = 8
OUTAGES = (
    (START + 5 * WEEK + 1 * DAY, START + 5 * WEEK + 1 * DAY + 9 * HOUR),  # through the draft of a Friday
    (mailing_time(Week(2026, 9)) - HOUR, mailing_time(Week(2026, 9)) + 6 * HOUR),  # through a mailing, caught up with
    (mailing_time(Week(2026, 19)) - HOUR, mailing_time(Week(2026, 19)) + 14 * HOUR),  # too long to catch up with
    (START + 23 * WEEK + 2 * DAY, START + 23 * WEEK + 12 * DAY),  # ten days
)
FAILING = {
    "blog": [(START + 9 * WEEK, START + 9 * WEEK + 2 * DAY), (START + 30 * WEEK, START + 30 * WEEK + 5 * DAY)],
    "talks": [(START + 14 * WEEK, START + 16 * WEEK)],
    "links": [(START + 30 * WEEK, START + 30 * WEEK + DAY)],
}


def live(folder: Path, weeks: int, step: timedelta, store: str = SQLITE) -> None:
    """Let two daemons beat at once, now and then one alone, until nothing is left to tell."""
    settle_in(folder, store)
    written = posts(SEED, weeks)
    world, end = World(folder / "net", written, FAILING), START + weeks * WEEK
    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        daemons = [stack.enter_context(Living(folder / "config.toml")) for _ in range(2)]
        for nth, now in enumerate(moments(START + 2 * HOUR, end + 3 * WEEK, step, OUTAGES)):
            if now == START + 2 * HOUR + weeks // 2 * WEEK:
                write_config(folder, "unless-held", store)
            world.turn(now)
            awake = daemons if nth % 7 else daemons[nth % 2 :][:1]
            for beats in [pool.submit(lived, daemon, now) for daemon in awake]:
                beats.result()
            Editor(daemons[0].app).act(now)
    check(account(folder), written, end)


def test_eight_weeks_by_itself(tmp_path: Path) -> None:
    """The clocks go forward in the hour of a mailing, the machine is off twice: every story is told once."""
    live(tmp_path, weeks=8, step=DAY)


@pytest.mark.slow
@pytest.mark.postgres
def test_eight_weeks_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    """The same, two daemons on one server."""
    live(tmp_path, weeks=8, step=DAY, store=postgres_url)


@pytest.mark.slow
def test_a_year_by_itself(tmp_path: Path) -> None:
    """52 weeks over both changes of the clocks, off for hours and for ten days, an editor who is late or skips."""
    live(tmp_path, weeks=52, step=HOUR)
