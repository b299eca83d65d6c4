"""The progress of dispatches, for pages, status and metrics: how fast, until when, and what is waited for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta, tzinfo

from pipeline.jobs.deliveries.limits import MINUTE, SendLimits, SendProgress, local_day
from pipeline.model.delivery import Dispatch
from pipeline.store import Store
from pipeline.text.format import format_datetime

RATE_WINDOW = timedelta(minutes=5)
"""The rate is that of the last minutes."""
MAX_UNATTENDED = timedelta(minutes=1)
"""How long a message that is due may wait for a process: the daemon asks every few seconds."""
_MAX_STEPS = 200
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchProgress:
    """A dispatch, and while it is running how it gets on."""

    dispatch: Dispatch
    per_minute: float = 0.0
    """How many deliveries a minute got an outcome lately."""
    ends_at: datetime | None = None
    """When all will have an outcome, as far as that can be known; None if it cannot."""
    waits_until: datetime | None = None
    """Until when nothing is sent by the rules of [delivery]."""
    waits_for: str = ""
    """Why not."""
    is_unattended: bool = False
    """Whether messages are due, but no process sends them."""

    @property
    def done(self) -> int:
        """How many deliveries have an outcome."""
        return self.dispatch.total - self.dispatch.unfinished


def load_progress(store: Store, dispatch: Dispatch, limits: SendLimits, now: datetime) -> DispatchProgress:
    """Return the progress of a dispatch."""
    if dispatch.state != "running":
        return DispatchProgress(dispatch=dispatch)
    key = dispatch.key
    since = max(now - RATE_WINDOW, dispatch.changed_at)
    per_minute = store.dispatches.count_settled(key, since) * (MINUTE / max(now - since, _SECOND))
    progress = SendProgress(
        total=dispatch.total,
        begun=dispatch.total - dispatch.unfinished,
        first_batch_at=store.dispatches.first_batch_at(key),
        sent_by_day=store.deliveries.sent_by_day(),
    )
    held = limits.wait_until(now, progress)
    due_at = store.deliveries.next_due_at(key)
    is_late = due_at is not None and due_at <= now - MAX_UNATTENDED
    return DispatchProgress(
        dispatch=dispatch,
        per_minute=per_minute,
        ends_at=estimate_end(dispatch.unfinished, per_minute or limits.rate(dispatch.total), limits, progress, now),
        waits_until=held[0] if held else None,
        waits_for=held[1] if held else "",
        is_unattended=is_late and not held and not store.dispatches.is_leased(key, now),
    )


def load_attention(store: Store, limits: SendLimits, now: datetime) -> list[DispatchProgress]:
    """Return the progress of each dispatch that is running, paused or has uncertain deliveries, the oldest first."""
    return [load_progress(store, dispatch, limits, now) for dispatch in store.dispatches.needing_attention()]


def estimate_end(
    left: int, per_minute: float, limits: SendLimits, progress: SendProgress, now: datetime
) -> datetime | None:
    """Return when a number of messages will have been sent at a rate, within the hours and the warm-up of ``limits``.

    None without a rate, or if it takes more than some months.

    >>> limits = SendLimits(zone=UTC, hours=(time(8), time(20)))
    >>> progress = SendProgress(total=900, begun=0, first_batch_at=None, sent_by_day={})
    >>> str(estimate_end(900, 10, limits, progress, datetime(2026, 2, 16, 19, tzinfo=UTC)))
    '2026-02-17 08:30:00+00:00'
    """
    at, sent_by_day = now, dict(progress.sent_by_day)
    for _ in range(_MAX_STEPS if per_minute else 0):
        if held := limits.wait_until(at, replace(progress, sent_by_day=sent_by_day)):
            at = held[0]
            continue
        local = at.astimezone(limits.zone)
        closes_at = _closing(local, limits)
        number = int((closes_at - at) * per_minute / MINUTE)
        left_today = replace(progress, sent_by_day=sent_by_day).left_today(limits.warm_up, local)
        number = number if left_today is None else min(number, left_today)
        if left <= number:
            return at + left * MINUTE / per_minute
        left -= number
        today = local_day(at, limits.zone)
        sent_by_day[today] = sent_by_day.get(today, 0) + number
        at = closes_at
    return None


def describe_progress(progress: DispatchProgress, zone: tzinfo) -> str:
    """Return the progress of a dispatch in words, as part of a sentence."""
    dispatch, parts = progress.dispatch, [progress.dispatch.in_words()]
    if dispatch.state == "paused":
        parts.append(f"paused by {dispatch.changed_by}" + (f" ({dispatch.note.rstrip('.')})" if dispatch.note else ""))
    elif progress.waits_until:
        parts.append(f"waits until {format_datetime(progress.waits_until, zone)}: {progress.waits_for}")
    elif progress.per_minute:
        parts.append(f"{progress.per_minute:,.0f} a minute")
    if progress.ends_at:
        parts.append(f"about {format_datetime(progress.ends_at, zone)} all will have an outcome")
    return "; ".join(parts)


def _closing(local: datetime, limits: SendLimits) -> datetime:
    """Return when the hours of a local day end, or the day itself."""
    if limits.hours:
        end = local.replace(hour=limits.hours[1].hour, minute=limits.hours[1].minute, second=0, microsecond=0)
    else:
        end = datetime.combine(local.date() + timedelta(days=1), time(), limits.zone)
    return end.astimezone(UTC)
