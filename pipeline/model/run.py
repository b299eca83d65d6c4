"""Runs: which period of which schedule was taken on, by whom, and what became of it.

In: plain values. Out: frozen records, each step of a run as a new one. Touches nothing, reads no clock.

    (nobody) ──take on──> underway ──conclude──> done | failed
                            │  ▲
                            ▼  │ from ``free_at`` on
              again | waiting | interrupted, or underway whose lease ran out: its process is dead
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

Outcome = Literal["underway", "done", "failed", "again", "waiting", "interrupted"]

LEASE = timedelta(minutes=2)
"""A claim that was not renewed for so long belongs to a dead process."""
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
WRONG_CLOCK = timedelta(hours=2)
"""What is to be free later than this was put off by a clock that ran ahead."""
_MOST_DOUBLINGS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One period of one schedule, claimed by one process at a time."""

    schedule_id: str
    period_key: str
    """What makes the period unique: a local date, a half hour …"""
    claimed_at: datetime
    """Aware UTC, as all moments here; of the newest attempt."""
    claimed_by: str = ""
    attempts: int = 1
    outcome: Outcome = "underway"
    line: str = ""
    """What was done, or why not, in a sentence; empty while it is underway."""
    finished_at: datetime | None = None
    """When the newest attempt ended; None while it is underway."""
    free_at: datetime | None = None
    """From when on it may be taken on again; None: never."""


def taken_on(schedule_id: str, period_key: str, seen: Run | None, *, by: str, now: datetime) -> Run:
    """Take a period on: for the first time, or once more after what was ``seen`` of it.

    >>> first = taken_on("draft", "2026-W07", None, by="here", now=datetime.fromisoformat("2026-02-16T06:00Z"))
    >>> taken_on("draft", "2026-W07", first, by="there", now=first.claimed_at + LEASE).attempts
    2
    """
    before = seen.attempts if seen and seen.period_key == period_key else 0
    return Run(
        schedule_id=schedule_id,
        period_key=period_key,
        claimed_at=now,
        claimed_by=by,
        attempts=before + 1,
        free_at=now + LEASE,
    )


def renewed(run: Run, now: datetime) -> Run:
    """Keep a claim for as long again."""
    return replace(run, free_at=now + LEASE)


def concluded(run: Run, outcome: Outcome, line: str, now: datetime, free_at: datetime | None = None) -> Run:
    """End an attempt; with ``free_at`` it is not the last."""
    return replace(run, outcome=outcome, line=line, finished_at=now, free_at=free_at)


def pause(attempts: int) -> timedelta:
    """Say how long to wait after so many attempts: twice as long each time, up to an hour.

    >>> [pause(attempts).seconds // 60 for attempts in (1, 2, 3, 6, 7, 1000)]
    [1, 2, 4, 32, 60, 60]
    """
    return min(FIRST_PAUSE * (1 << min(attempts - 1, _MOST_DOUBLINGS)), LONGEST_PAUSE)


def is_free(run: Run, now: datetime) -> bool:
    """Tell whether a period that was taken on may be taken on again.

    >>> run = taken_on("draft", "2026-W07", None, by="here", now=datetime.fromisoformat("2026-02-16T06:00Z"))
    >>> is_free(run, run.claimed_at), is_free(run, run.claimed_at + LEASE)
    (False, True)
    >>> is_free(concluded(run, "done", "made", run.claimed_at), run.claimed_at + LEASE)
    False
    """
    free_at = free_from(run)
    return free_at is not None and not now < free_at < now + WRONG_CLOCK


def free_from(run: Run) -> datetime | None:
    """Say from when on a period may be taken on again; None: never. What kills its process waits longer each time."""
    if run.free_at and run.outcome == "underway":
        return run.free_at + pause(run.attempts) - FIRST_PAUSE
    return run.free_at
