"""Runs: whether anybody does what is due, a daemon or a cron line, and how it went the last time.

In: tasks, their newest runs, the moment. Out: Signs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo

from pipeline.jobs.run_signs import run_signs
from pipeline.jobs.tick import Task
from pipeline.model.health import Sign
from pipeline.model.run import Run
from pipeline.text.stamps import moment


def runs(tasks: Sequence[Task], newest: Mapping[str, Run], now: datetime, zone: tzinfo) -> Iterator[Sign]:
    """Say what is not well about them, or when something ran last."""
    signs = tuple(run_signs(tasks, newest, now, zone))
    yield from signs
    if not signs:
        last = max(newest.values(), key=lambda run: run.claimed_at)
        finding = f"ran {moment(last.claimed_at, zone)} and went well"
        yield Sign(group="runs", name=last.schedule_id, level="well", finding=finding)
