"""Runs: which period of which schedule was taken on, by whom, and what became of it.

In: plain values. Out: frozen records, each step of a run as a new one. Touches nothing, reads no clock.

    (nobody) ──take on──> underway ──conclude──> done | failed
                            │  ▲
                            ▼  │ from ``retry_at`` on
              again | waiting | interrupted, or underway whose lease ran out: its process is dead
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

RunStatus = Literal["underway", "done", "failed", "again", "waiting", "interrupted"]

LEASE_TTL = timedelta(minutes=2)
"""A claim that was not renewed for so long belongs to a dead process."""
MIN_RETRY_DELAY = timedelta(minutes=1)
MAX_RETRY_DELAY = timedelta(hours=1)
MAX_PLAUSIBLE_DELAY = timedelta(hours=2)
"""What is to be free later than this was put off by a clock that ran ahead."""
_MOST_DOUBLINGS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One period of one schedule, claimed by one process at a time."""

    task_id: str
    period_key: str
    """What makes the period unique: a local date, a half hour …"""
    claimed_at: datetime
    """Aware UTC, as all moments here; of the newest attempt."""
    claimed_by: str = ""
    attempts: int = 1
    status: RunStatus = "underway"
    message: str = ""
    """What was done, or why not, in a sentence; empty while it is underway."""
    finished_at: datetime | None = None
    """When the newest attempt ended; None while it is underway."""
    retry_at: datetime | None = None
    """From when on it may be taken on again; None: never."""


def claim(task_id: str, period_key: str, previous: Run | None, *, claimed_by: str, now: datetime) -> Run:
    """Take a period on: for the first time, or once more after what was ``seen`` of it.

    >>> first = taken_on("draft", "2026-W07", None, by="here", now=datetime.fromisoformat("2026-02-16T06:00Z"))
    >>> taken_on("draft", "2026-W07", first, by="there", now=first.claimed_at + LEASE).attempts
    2
    """
    before = previous.attempts if previous and previous.period_key == period_key else 0
    return Run(
        task_id=task_id,
        period_key=period_key,
        claimed_at=now,
        claimed_by=claimed_by,
        attempts=before + 1,
        retry_at=now + LEASE_TTL,
    )


def renew(run: Run, now: datetime) -> Run:
    """Keep a claim for as long again."""
    return replace(run, retry_at=now + LEASE_TTL)


def finish(run: Run, status: RunStatus, message: str, now: datetime, retry_at: datetime | None = None) -> Run:
    """End an attempt; with ``retry_at`` it is not the last."""
    return replace(run, status=status, message=message, finished_at=now, retry_at=retry_at)


def retry_delay(attempts: int) -> timedelta:
    """Say how long to wait after so many attempts: twice as long each time, up to an hour.

    >>> [pause(attempts).seconds // 60 for attempts in (1, 2, 3, 6, 7, 1000)]
    [1, 2, 4, 32, 60, 60]
    """
    return min(MIN_RETRY_DELAY * (1 << min(attempts - 1, _MOST_DOUBLINGS)), MAX_RETRY_DELAY)


def is_claimable(run: Run, now: datetime) -> bool:
    """Tell whether a period that was taken on may be taken on again.

    >>> run = taken_on("draft", "2026-W07", None, by="here", now=datetime.fromisoformat("2026-02-16T06:00Z"))
    >>> is_free(run, run.claimed_at), is_free(run, run.claimed_at + LEASE)
    (False, True)
    >>> is_free(concluded(run, "done", "made", run.claimed_at), run.claimed_at + LEASE)
    False
    """
    free_at = claimable_at(run)
    return free_at is not None and not now < free_at < now + MAX_PLAUSIBLE_DELAY


def claimable_at(run: Run) -> datetime | None:
    """Say from when on a period may be taken on again; None: never. What kills its process waits longer each time."""
    if run.retry_at and run.status == "underway":
        return run.retry_at + retry_delay(run.attempts) - MIN_RETRY_DELAY
    return run.retry_at
