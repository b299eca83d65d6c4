"""Write days, moments and spans as one says them: in sentences for people, not in lists.

In: dates, aware instants, a time zone. Out: English words. Touches nothing.
"""

from __future__ import annotations

from datetime import date, datetime, tzinfo

WEEKDAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def day_in_words(day: date) -> str:
    """Write a day.

    >>> day_in_words(date(2026, 2, 10))
    'Tuesday 10 February'
    """
    return f"{WEEKDAY_NAMES[day.weekday()]} {day.day} {day:%B}"


def datetime_in_words(instant: datetime, zone: tzinfo) -> str:
    """Write a moment by the clocks of a time zone.

    >>> from datetime import UTC
    >>> moment_in_words(datetime(2026, 2, 10, 7, 5, tzinfo=UTC), UTC)
    'Tuesday 10 February, 07:05'
    """
    local = instant.astimezone(zone)
    return f"{day_in_words(local.date())}, {local:%H:%M}"


def count_in_words(count: int, singular: str, plural: str = "") -> str:
    """Count things in words.

    >>> counted(1, "entry", "entries"), counted(2, "time"), counted(12, "story", "stories")
    ('one entry', '2 times', '12 stories')
    """
    return f"one {singular}" if count == 1 else f"{count:,} {plural or singular + 's'}"


def format_day(instant: datetime | None, zone: tzinfo) -> str:
    """Write a day as ``Tue 10 Feb 2026``, or ``never``."""
    if instant is None:
        return "never"
    local = instant.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y}"


def format_datetime(instant: datetime | None, zone: tzinfo) -> str:
    """Write a day and a time, or ``never``.

    >>> from datetime import UTC
    >>> moment(datetime(2026, 2, 9, 7, 5, tzinfo=UTC), UTC)
    'Mon 9 Feb 2026 07:05'
    """
    return "never" if instant is None else f"{format_day(instant, zone)} {instant.astimezone(zone):%H:%M}"
