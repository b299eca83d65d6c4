"""English formatting of dates, times, counts and sizes for terminals, pages, logs and alerts."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo

WEEKDAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def format_short_day(instant: date) -> str:
    """Return a day without its year, as in ``Mon 9 Feb``."""
    return f"{instant:%a} {instant.day} {instant:%b}"


def format_day(instant: datetime | None, zone: tzinfo | None = None) -> str:
    """Return the day of an instant in ``zone`` (its own zone if None), as in ``Tue 10 Feb 2026``; None is ``never``.

    >>> format_day(datetime(2026, 2, 9, 23, 5, tzinfo=UTC), UTC), format_day(None)
    ('Mon 9 Feb 2026', 'never')
    """
    if instant is None:
        return "never"
    local = instant.astimezone(zone) if zone else instant
    return f"{format_short_day(local)} {local.year}"


def format_datetime(instant: datetime | None, zone: tzinfo | None = None) -> str:
    """Return a day and a time in ``zone`` (its own zone if None); None is ``never``.

    >>> format_datetime(datetime(2026, 2, 9, 7, 5, tzinfo=UTC), UTC)
    'Mon 9 Feb 2026 07:05'
    """
    if instant is None:
        return "never"
    local = instant.astimezone(zone) if zone else instant
    return f"{format_day(local)} {local:%H:%M}"


def format_utc(instant: datetime) -> str:
    """Return an aware instant in UTC.

    >>> format_utc(datetime(2026, 2, 9, 7, 5, tzinfo=UTC))
    '2026-02-09 07:05 UTC'
    """
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def format_date(day: date) -> str:
    """Return a date with the full name of its month, as in ``9 February 2026``."""
    return f"{day.day} {day:%B %Y}"


def format_date_range(first: date, last: date) -> str:
    """Return a range of days, both included.

    >>> format_date_range(date(2026, 2, 16), date(2026, 2, 22)), format_date_range(date(2026, 2, 23), date(2026, 3, 1))
    ('16–22 February 2026', '23 February – 1 March 2026')
    """
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{format_date(last)}"
    return f"{first.day} {first:%B}{'' if first.year == last.year else f' {first.year}'} – {format_date(last)}"


def day_in_words(day: date) -> str:
    """Return a day for use in a sentence, as in ``Tuesday 10 February``."""
    return f"{WEEKDAY_NAMES[day.weekday()]} {day.day} {day:%B}"


def datetime_in_words(instant: datetime, zone: tzinfo) -> str:
    """Return an instant for use in a sentence.

    >>> datetime_in_words(datetime(2026, 2, 10, 7, 5, tzinfo=UTC), UTC)
    'Tuesday 10 February, 07:05'
    """
    local = instant.astimezone(zone)
    return f"{day_in_words(local)}, {local:%H:%M}"


def format_upcoming(instant: datetime, now: datetime, zone: tzinfo) -> str:
    """Return when something will happen: ``now``, ``in 12 min``, or the day and the time.

    >>> monday = datetime.fromisoformat("2026-02-09T05:48Z")
    >>> [format_upcoming(datetime.fromisoformat(at), monday, UTC) for at in ("2026-02-09T06:00Z", "2026-02-13T07:00Z")]
    ['in 12 min', 'fri 07:00']
    """
    minutes = -(-(instant - now).total_seconds() // 60)
    if minutes <= 0:
        return "now"
    if minutes < 60:
        return f"in {minutes:.0f} min"
    local = instant.astimezone(zone)
    days = (local.date() - now.astimezone(zone).date()).days
    return f"{local:%a %H:%M}".lower() if days < 7 else f"{local.day} {local:%b %H:%M}"


def format_remaining(seconds: float) -> str:
    """Return how much time is left.

    >>> [format_remaining(seconds) for seconds in (0, 30, 720, 7_200, 259_200)]
    ['due now', 'in 30 s', 'in 12 min', 'in 2 h', 'in 3 days']
    """
    units = ((86_400, "days", 2), (3_600, "h", 2), (60, "min", 1), (1, "s", 1))
    matches = (f"in {round(seconds / size)} {unit}" for size, unit, minimum in units if seconds >= minimum * size)
    return next(matches, "due now")


def pluralize(count: int, singular: str, plural: str = "") -> str:
    """Return a count with its noun.

    >>> pluralize(1, "entry", "entries"), pluralize(2_000, "feed")
    ('1 entry', '2,000 feeds')
    """
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def count_in_words(count: int, singular: str, plural: str = "") -> str:
    """Return a count with its noun for use in a sentence, as ``pluralize`` does but with ``one`` for 1.

    >>> count_in_words(1, "entry", "entries"), count_in_words(2, "time")
    ('one entry', '2 times')
    """
    return f"one {singular}" if count == 1 else pluralize(count, singular, plural)


def format_bytes(count: int) -> str:
    """Return a size in decimal units.

    >>> format_bytes(4_200), format_bytes(12_300_000), format_bytes(50_000_000_000)
    ('4 kB', '12.3 MB', '50.0 GB')
    """
    for size, unit in ((1e9, "GB"), (1e6, "MB")):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count / 1e3:.0f} kB"
