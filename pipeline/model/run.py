"""Runs of scheduled tasks: who claimed which period, and how it ended.

Each step of a run is a new frozen record:

    (no run) ──claim──> running ──finish──> succeeded | failed
                          │  ▲
                          ▼  │ claimable from ``retry_at`` on
              retrying | deferred | interrupted, or running with an expired lease: its process is dead
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

RunStatus = Literal["running", "succeeded", "failed", "retrying", "deferred", "interrupted"]

LEASE_TTL = timedelta(minutes=2)
"""How long a claim lasts unless it is renewed; afterwards its process counts as dead."""
MIN_RETRY_DELAY = timedelta(minutes=1)
MAX_RETRY_DELAY = timedelta(hours=1)
MAX_PLAUSIBLE_DELAY = timedelta(hours=2)
"""Retry times further ahead than this come from a wrong clock and are ignored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One period of one task, claimed by one process at a time. All times are aware UTC."""

    task_id: str
    period_key: str
    """Identifies the period, for example by its local date or its half hour."""
    claimed_at: datetime
    """When the newest attempt began."""
    claimed_by: str = ""
    """Host and process id."""
    attempts: int = 1
    status: RunStatus = "running"
    message: str = ""
    """The result or the error in a sentence; empty while the run is running."""
    finished_at: datetime | None = None
    """When the newest attempt ended; None while it is running."""
    retry_at: datetime | None = None
    """From when on the run may be claimed again; None for never."""


def claim(task_id: str, period_key: str, previous: Run | None, *, claimed_by: str, now: datetime) -> Run:
    """Return the run of a period as claimed now; a further attempt if ``previous`` is of the same period.

    >>> first = claim("draft", "2026-W07", None, claimed_by="a:1", now=datetime.fromisoformat("2026-02-16T06:00Z"))
    >>> claim("draft", "2026-W07", first, claimed_by="b:2", now=first.claimed_at + LEASE_TTL).attempts
    2
    """
    attempts = previous.attempts if previous and previous.period_key == period_key else 0
    return Run(
        task_id=task_id,
        period_key=period_key,
        claimed_at=now,
        claimed_by=claimed_by,
        attempts=attempts + 1,
        retry_at=now + LEASE_TTL,
    )


def renew(run: Run, now: datetime) -> Run:
    """Return the run with its lease extended."""
    return replace(run, retry_at=now + LEASE_TTL)


def finish(run: Run, status: RunStatus, message: str, now: datetime, retry_at: datetime | None = None) -> Run:
    """Return the run as ended now; ``retry_at`` makes it claimable again."""
    return replace(run, status=status, message=message, finished_at=now, retry_at=retry_at)


def retry_delay(attempts: int, *, factor: int = 2, maximum: timedelta = MAX_RETRY_DELAY) -> timedelta:
    """Return how long to wait after a number of attempts: ``factor`` times as long each time, up to ``maximum``.

    >>> [retry_delay(attempts).seconds // 60 for attempts in (1, 2, 3, 6, 7, 1000)]
    [1, 2, 4, 32, 60, 60]
    """
    return min(MIN_RETRY_DELAY * int(factor ** min(attempts - 1, 10)), maximum)


def is_claimable(run: Run, now: datetime) -> bool:
    """Check whether a run may be claimed again.

    >>> run = claim("draft", "2026-W07", None, claimed_by="a:1", now=datetime.fromisoformat("2026-02-16T06:00Z"))
    >>> is_claimable(run, run.claimed_at), is_claimable(run, run.claimed_at + LEASE_TTL)
    (False, True)
    >>> is_claimable(finish(run, "succeeded", "written", run.claimed_at), run.claimed_at + LEASE_TTL)
    False
    """
    at = claimable_at(run)
    return at is not None and not now < at < now + MAX_PLAUSIBLE_DELAY


def claimable_at(run: Run) -> datetime | None:
    """Return when a run may be claimed again, None for never; a run that keeps killing its process waits longer."""
    if run.retry_at and run.status == "running":
        return run.retry_at + retry_delay(run.attempts) - MIN_RETRY_DELAY
    return run.retry_at
