"""How often a feed usually publishes, and whether it is late.

Days with entries are counted, not entries, so a burst or an import counts once. Only the newest gaps count, so the
cadence follows a feed that changes its habits; medians and quantiles make it robust against holidays and extra posts. A
feed that is too new or too irregular has no confident cadence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import pairwise
from statistics import median_low

from pipeline.text.format import WEEKDAY_NAMES

MAX_GAPS = 30
MIN_GAPS = 6
"""With fewer gaps the cadence is not confident."""
QUANTILE = 0.9
"""Share of the newest gaps that is still called usual."""
MIN_WEEKDAY_SHARE = 0.7
"""Share of the newest days on or next to a weekday for the feed to keep to it."""
WEEKEND_DAYS = 2
"""A daily feed may pause for this many days and is still regular."""
_WEEK = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """The usual publishing frequency of a feed."""

    interval_days: int
    """Days from one publishing day to the next."""
    weekday: int | None = None
    """The weekday it keeps to, 0 for Monday; None if it keeps to none."""
    slack_days: int = 0
    """Days that it is often later than expected."""
    confident: bool = False
    """False if it is too new or too irregular to be called late."""


def publishing_days(published: Iterable[datetime], zone: tzinfo) -> list[date]:
    """Return the distinct local days of publication, in order."""
    return sorted({time.astimezone(zone).date() for time in published})


def estimate_cadence(days: Sequence[date]) -> Cadence:
    """Return the cadence of a feed from its publishing days, in order.

    >>> tuesdays = [date(2026, 1, 6) + timedelta(weeks=n) for n in range(8)]
    >>> estimate_cadence(tuesdays)
    Cadence(interval_days=7, weekday=1, slack_days=0, confident=True)
    >>> estimate_cadence(tuesdays[:3]).confident
    False
    """
    newest = days[-MAX_GAPS - 1 :]
    gaps = [(later - earlier).days for earlier, later in pairwise(newest)]
    if len(gaps) < MIN_GAPS:
        return Cadence(interval_days=median_low(gaps) if gaps else 0)
    usual = median_low(gaps)
    return _by_weekday(newest, gaps, usual) or _by_gaps(gaps, usual)


def _by_weekday(days: Sequence[date], gaps: Sequence[int], usual: int) -> Cadence | None:
    """Return the cadence of a weekly or fortnightly feed that keeps to a weekday, or None if it is not one."""
    interval = round(usual / _WEEK) * _WEEK
    near = [gap for gap in gaps if abs(gap - interval) <= 2]
    if interval not in (_WEEK, 2 * _WEEK) or abs(usual - interval) > 1 or 2 * len(near) < len(gaps):
        return None
    weekday = _weekday(days)
    offsets = [_weekday_offset(day, weekday) for day in days]
    if sum(abs(offset) <= 1 for offset in offsets) < MIN_WEEKDAY_SHARE * len(offsets):
        return None
    slack = max(0, _quantile(offsets))
    # A feed that is often late may be a day later still.
    return Cadence(interval_days=interval, weekday=weekday, slack_days=slack + bool(slack), confident=True)


def _by_gaps(gaps: Sequence[int], usual: int) -> Cadence:
    """Read the days by their gaps alone, as those of a daily feed or a monthly one."""
    longer = _quantile(gaps) - usual
    # As above, but never so long that two more gaps would go unnoticed.
    slack = min(longer * 3 // 2, max(usual, WEEKEND_DAYS + 1))
    return Cadence(interval_days=usual, slack_days=slack, confident=longer <= max(usual * 9 // 8, WEEKEND_DAYS))


def describe_cadence(cadence: Cadence) -> str:
    """Return a cadence in words; empty if there are too few entries to know.

    >>> describe_cadence(Cadence(interval_days=7, weekday=1, confident=True))
    'usually weekly, on Tuesdays'
    >>> [describe_cadence(Cadence(interval_days=days, confident=True)) for days in (1, 9, 30)]
    ['usually daily', 'usually every 9 days', 'usually monthly']
    >>> describe_cadence(Cadence(interval_days=5)), describe_cadence(Cadence(interval_days=0))
    ('not regularly yet', '')
    """
    days = cadence.interval_days
    if not cadence.confident:
        return "not regularly yet" if days else ""
    names = {0: "daily", 1: "daily", _WEEK: "weekly", 2 * _WEEK: "every two weeks"}
    interval = "monthly" if days in range(28, 32) else names.get(days, f"every {days} days")
    return f"usually {interval}" + (f", on {WEEKDAY_NAMES[cadence.weekday]}s" if cadence.weekday is not None else "")


def expected_on(cadence: Cadence, last: date) -> date:
    """Return the day of the next entry after the last publishing day.

    >>> expected_on(Cadence(interval_days=7, weekday=1), date(2026, 2, 5)).isoformat()  # a Thursday: two days late
    '2026-02-10'
    """
    slot = last if cadence.weekday is None else last - timedelta(days=_weekday_offset(last, cadence.weekday))
    return slot + timedelta(days=cadence.interval_days)


def is_late(cadence: Cadence, last: date, today: date) -> bool:
    """Check whether a feed with a confident cadence is later than usual."""
    return cadence.confident and today > expected_on(cadence, last) + timedelta(days=cadence.slack_days)


def _weekday(days: Sequence[date]) -> int:
    """Return the weekday nearest to most of the days."""
    return min(range(_WEEK), key=lambda weekday: sum(abs(_weekday_offset(day, weekday)) for day in days))


def _weekday_offset(day: date, weekday: int) -> int:
    """Return how many days a day is after (or before) the nearest such weekday: -3 to 3."""
    return (day.weekday() - weekday + 3) % _WEEK - 3


def _quantile(values: Sequence[int]) -> int:
    """Return the value at ``QUANTILE`` (nearest rank)."""
    return sorted(values)[-(-len(values) * int(QUANTILE * 100) // 100) - 1]
