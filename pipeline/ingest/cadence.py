"""How often a feed usually has something new, and whether it is late.

In: when its entries were published, a time zone, today. Out: a Rhythm, a date. Pure; knows no entries, only days.

Days count, not entries, so a burst or an archive that was imported in an afternoon is one day. Only the newest gaps
count, so the rhythm follows a feed that changes its ways; and since medians and quantiles count, not means, holidays
and the odd extra post change nothing. A feed that is too new or too irregular has no rhythm that one may trust.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import pairwise
from statistics import median_low

MAX_GAPS = 30
MIN_GAPS = 6
"""With fewer there is nothing to go by."""
QUANTILE = 0.9
"""This share of the newest gaps was no longer than what is still called usual."""
MIN_WEEKDAY_SHARE = 0.7
"""This share of the newest days lies on or beside one weekday, where a feed has one."""
WEEKEND_DAYS = 2
"""A daily feed may rest for so long and is regular all the same."""
_WEEK = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """What is usual for a feed."""

    interval_days: int
    """From one day with something new to the next."""
    weekday: int | None = None
    """The weekday it keeps to, 0 is Monday; None where it keeps to none."""
    slack_days: int = 0
    """It is often so many days later than it is to be expected."""
    confident: bool = False
    """False: too new or too irregular to say that it is late."""


def publishing_days(published: Iterable[datetime], zone: tzinfo) -> list[date]:
    """Give the local days on which something was published, in order, each once."""
    return sorted({moment.astimezone(zone).date() for moment in published})


def estimate_cadence(days: Sequence[date]) -> Cadence:
    """Learn the rhythm of a feed from the days on which it had something new, in order.

    >>> tuesdays = [date(2026, 1, 6) + timedelta(weeks=n) for n in range(8)]
    >>> learn(tuesdays)
    Rhythm(usual_days=7, weekday=1, slack_days=0, confident=True)
    >>> learn(tuesdays[:3]).confident
    False
    """
    newest = days[-MAX_GAPS - 1 :]
    gaps = [(later - earlier).days for earlier, later in pairwise(newest)]
    if len(gaps) < MIN_GAPS:
        return Cadence(interval_days=median_low(gaps) if gaps else 0)
    usual = median_low(gaps)
    return _by_weekday(newest, gaps, usual) or _by_gaps(gaps, usual)


def _by_weekday(days: Sequence[date], gaps: Sequence[int], usual: int) -> Cadence | None:
    """Read the days as those of a weekly or fortnightly feed that keeps to a weekday; None where it is none."""
    between = round(usual / _WEEK) * _WEEK
    near = [gap for gap in gaps if abs(gap - between) <= 2]
    if between not in (_WEEK, 2 * _WEEK) or abs(usual - between) > 1 or 2 * len(near) < len(gaps):
        return None
    weekday = _weekday(days)
    off = [_off(day, weekday) for day in days]
    if sum(abs(each) <= 1 for each in off) < MIN_WEEKDAY_SHARE * len(off):
        return None
    slack = max(0, _quantile(off))
    # Who is often late may be later still.
    return Cadence(interval_days=between, weekday=weekday, slack_days=slack + bool(slack), confident=True)


def _by_gaps(gaps: Sequence[int], usual: int) -> Cadence:
    """Read the days by their gaps alone, as those of a daily feed or a monthly one."""
    longer = _quantile(gaps) - usual
    # The same here, though never so long that two gaps more would pass unnoticed.
    slack = min(longer * 3 // 2, max(usual, WEEKEND_DAYS + 1))
    return Cadence(interval_days=usual, slack_days=slack, confident=longer <= max(usual * 9 // 8, WEEKEND_DAYS))


def expected_on(cadence: Cadence, last: date) -> date:
    """Say on which day the next one is to be expected, after the last.

    >>> expected_on(Rhythm(usual_days=7, weekday=1), date(2026, 2, 5)).isoformat()  # a Thursday: two days late
    '2026-02-10'
    """
    slot = last if cadence.weekday is None else last - timedelta(days=_off(last, cadence.weekday))
    return slot + timedelta(days=cadence.interval_days)


def is_late(cadence: Cadence, last: date, today: date) -> bool:
    """Tell whether a feed is later than it usually is; never of one whose rhythm is not to be trusted."""
    return cadence.confident and today > expected_on(cadence, last) + timedelta(days=cadence.slack_days)


def _weekday(days: Sequence[date]) -> int:
    """Find the weekday that most days lie nearest to."""
    return min(range(_WEEK), key=lambda weekday: sum(abs(_off(day, weekday)) for day in days))


def _off(day: date, weekday: int) -> int:
    """Say how many days a day lies after (or before) the nearest such weekday: -3 to 3."""
    return (day.weekday() - weekday + 3) % _WEEK - 3


def _quantile(values: Sequence[int]) -> int:
    """Give the value that ``QUANTILE`` of all do not pass (nearest rank)."""
    return sorted(values)[-(-len(values) * int(QUANTILE * 100) // 100) - 1]
