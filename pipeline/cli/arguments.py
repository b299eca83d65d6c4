"""Which week a person means.

In: what was typed, a publication's clock, the moment. Out: a Week, or UsageError.
"""

from __future__ import annotations

from datetime import date, datetime

from pipeline.model.errors import UsageError
from pipeline.model.week import Week, WeekCalendar


def parse_week(text: str, calendar: WeekCalendar, now: datetime) -> Week:
    """Understand a WEEK of the command line: 2026-W07, a date in it, ``last`` or ``current``.

    >>> from datetime import UTC
    >>> week_meant("2026-02-12", WeekClock.parse("mon 00:00", UTC), datetime(2026, 3, 1, tzinfo=UTC))
    Week(year=2026, number=7)
    """
    if text in ("last", "current"):
        return calendar.newest_closed(now) if text == "last" else calendar.week_of(now)
    try:
        return Week.parse(text) if "w" in text.lower() else calendar.week_of_day(date.fromisoformat(text))
    except ValueError as bad:
        raise UsageError(f"{text!r} is no week: give 2026-W07, a date such as 2026-02-12, last or current.") from bad
