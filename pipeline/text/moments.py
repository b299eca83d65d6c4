"""Write days, moments and spans as one says them: in sentences for people, not in lists.

In: dates, aware instants, a time zone. Out: English words. Touches nothing.
"""

from __future__ import annotations

from datetime import date, datetime, tzinfo

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def day_in_words(day: date) -> str:
    """Write a day.

    >>> day_in_words(date(2026, 2, 10))
    'Tuesday 10 February'
    """
    return f"{WEEKDAYS[day.weekday()]} {day.day} {day:%B}"


def moment_in_words(moment: datetime, zone: tzinfo) -> str:
    """Write a moment by the clocks of a time zone.

    >>> from datetime import UTC
    >>> moment_in_words(datetime(2026, 2, 10, 7, 5, tzinfo=UTC), UTC)
    'Tuesday 10 February, 07:05'
    """
    local = moment.astimezone(zone)
    return f"{day_in_words(local.date())}, {local:%H:%M}"


def counted(number: int, one: str, many: str = "") -> str:
    """Count things in words.

    >>> counted(1, "entry", "entries"), counted(2, "time"), counted(12, "story", "stories")
    ('one entry', '2 times', '12 stories')
    """
    return f"one {one}" if number == 1 else f"{number:,} {many or one + 's'}"
