"""Days and moments as lists show them: short, and as wide as each other.

In: aware instants, a time zone. Out: English words. Touches nothing.
"""

from __future__ import annotations

from datetime import datetime, tzinfo


def day(at: datetime | None, zone: tzinfo) -> str:
    """Write a day as ``Tue 10 Feb 2026``, or ``never``."""
    if at is None:
        return "never"
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y}"


def moment(at: datetime | None, zone: tzinfo) -> str:
    """Write a day and a time, or ``never``.

    >>> from datetime import UTC
    >>> moment(datetime(2026, 2, 9, 7, 5, tzinfo=UTC), UTC)
    'Mon 9 Feb 2026 07:05'
    """
    return "never" if at is None else f"{day(at, zone)} {at.astimezone(zone):%H:%M}"
