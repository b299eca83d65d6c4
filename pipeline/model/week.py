"""The week: the span between two closings in the publication's time zone.

In: keys, dates, instants, a closing time. Out: weeks and their bounds in UTC. Reads no clock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True, order=True)
class Week:
    """An ISO 8601 week: year and number.

    >>> Week.parse("2026-W07"), str(Week(2026, 53).next())
    (Week(year=2026, number=7), '2027-W01')
    """

    year: int
    number: int

    @classmethod
    def parse(cls, key: str) -> Week:
        """Read ``2026-W07``; ValueError when it is something else or the year has no such week."""
        found = re.fullmatch(r"(\d{4})-?[Ww](\d{1,2})", key.strip())
        if not found:
            raise ValueError(f"{key!r} is not an ISO week such as 2026-W07")
        monday = date.fromisocalendar(int(found[1]), int(found[2]), 1)
        return cls.of(monday)

    @classmethod
    def of(cls, day: date) -> Week:
        """Name the ISO week that holds a calendar day."""
        year, number, _ = day.isocalendar()
        return cls(year, number)

    @property
    def monday(self) -> date:
        """The week's first day."""
        return date.fromisocalendar(self.year, self.number, 1)

    def next(self, weeks: int = 1) -> Week:
        """Go so many weeks on (back, when negative)."""
        return Week.of(self.monday + timedelta(weeks=weeks))

    def __str__(self) -> str:
        return f"{self.year}-W{self.number:02}"


@dataclass(frozen=True, slots=True)
class WeekCalendar:
    """When weeks close, in which time zone: turns instants into weeks and weeks into bounds.

    A week is named after the ISO week of the last instant it holds, so one that closes on Monday at
    midnight is the ISO week before.

    >>> clock = WeekCalendar.parse("mon 00:00", UTC)
    >>> clock.week_of(datetime(2026, 2, 15, 23, 59, tzinfo=UTC))
    Week(year=2026, number=7)
    >>> [f"{bound:%a %d %b}" for bound in clock.bounds(Week(2026, 7))]
    ['Mon 09 Feb', 'Mon 16 Feb']
    """

    weekday: int
    """0 is Monday."""
    closing_time: time
    zone: tzinfo

    @classmethod
    def parse(cls, text: str, zone: tzinfo) -> WeekCalendar:
        """Read ``fri 06:00``; ValueError when it is something else."""
        found = re.fullmatch(r"([a-z]{3})[a-z]* +(\d{1,2}):(\d{2})", text.strip().lower())
        if not found or found[1] not in WEEKDAYS or int(found[2]) > 23 or int(found[3]) > 59:
            raise ValueError(f"{text!r} is not a weekday and a time such as mon 00:00")
        return cls(WEEKDAYS.index(found[1]), time(int(found[2]), int(found[3])), zone)

    def bounds(self, week: Week) -> tuple[datetime, datetime]:
        """Give the week's ``[opens_at, closes_at)`` in UTC; neighbouring weeks meet, whatever the clocks do."""
        return self._closing(week.next(-1)), self._closing(week)

    def week_of(self, instant: datetime) -> Week:
        """Find the week that holds an aware instant."""
        guess = Week.of(instant.astimezone(self.zone).date())
        if instant >= self._closing(guess):
            return guess.next()
        return guess if instant >= self._closing(guess.next(-1)) else guess.next(-1)

    def week_of_day(self, day: date) -> Week:
        """Find the week that holds the noon of a local calendar day."""
        return self.week_of(datetime.combine(day, time(12), self.zone).astimezone(UTC))

    def newest_closed(self, now: datetime) -> Week:
        """Find the newest week that has closed at ``now``."""
        return self.week_of(now).next(-1)

    def _closing(self, week: Week) -> datetime:
        # At midnight the last instant lies on the day before, so Monday 00:00 closes the week of Sunday.
        ends_week = self.weekday == 0 and self.closing_time == time(0)
        day = week.monday + timedelta(days=7 if ends_week else self.weekday)
        return datetime.combine(day, self.closing_time, self.zone).astimezone(UTC)
