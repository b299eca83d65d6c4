"""Weeks: the spans between two closings in the publication's time zone."""

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
        """Return the week of a key such as ``2026-W07``. Raises ValueError unless 1000 to 2999 have that week."""
        match = re.fullmatch(r"([12]\d{3})-?[Ww](\d{1,2})", key.strip())
        if not match:
            raise ValueError(f"{key!r} is not an ISO week such as 2026-W07")
        monday = date.fromisocalendar(int(match[1]), int(match[2]), 1)
        return cls.of(monday)

    @classmethod
    def of(cls, day: date) -> Week:
        """Return the ISO week of a calendar day."""
        year, number, _ = day.isocalendar()
        return cls(year, number)

    @property
    def monday(self) -> date:
        """The first day of the week."""
        return date.fromisocalendar(self.year, self.number, 1)

    def next(self, weeks: int = 1) -> Week:
        """Return the week that is ``weeks`` later, or earlier if negative."""
        return Week.of(self.monday + timedelta(weeks=weeks))

    def __str__(self) -> str:
        return f"{self.year}-W{self.number:02}"


@dataclass(frozen=True, slots=True)
class WeekCalendar:
    """Assigns instants to weeks, and gives the bounds of weeks, for one closing time and zone.

    A week is named after the ISO week of its last instant, so a week that closes on Monday at midnight is the ISO week
    before.

    >>> calendar = WeekCalendar.parse("mon 00:00", UTC)
    >>> calendar.week_of(datetime(2026, 2, 15, 23, 59, tzinfo=UTC))
    Week(year=2026, number=7)
    >>> [f"{bound:%a %d %b}" for bound in calendar.bounds(Week(2026, 7))]
    ['Mon 09 Feb', 'Mon 16 Feb']
    """

    weekday: int
    """0 is Monday."""
    closing_time: time
    zone: tzinfo

    @classmethod
    def parse(cls, text: str, zone: tzinfo) -> WeekCalendar:
        """Return the calendar for a closing time such as ``fri 06:00``. Raises ValueError if it is invalid."""
        match = re.fullmatch(r"([a-z]{3})[a-z]* +(\d{1,2}):(\d{2})", text.strip().lower())
        if not match or match[1] not in WEEKDAYS or int(match[2]) > 23 or int(match[3]) > 59:
            raise ValueError(f"{text!r} is not a weekday and a time such as mon 00:00")
        return cls(WEEKDAYS.index(match[1]), time(int(match[2]), int(match[3])), zone)

    def bounds(self, week: Week) -> tuple[datetime, datetime]:
        """Return ``[opens_at, closes_at)`` in UTC. Consecutive weeks meet, also when clocks change."""
        return self._closing(week.next(-1)), self._closing(week)

    def week_of(self, instant: datetime) -> Week:
        """Return the week that contains an aware instant."""
        iso_week = Week.of(instant.astimezone(self.zone).date())
        if instant >= self._closing(iso_week):
            return iso_week.next()
        return iso_week if instant >= self._closing(iso_week.next(-1)) else iso_week.next(-1)

    def week_of_day(self, day: date) -> Week:
        """Return the week that contains the noon of a local calendar day."""
        return self.week_of(datetime.combine(day, time(12), self.zone).astimezone(UTC))

    def weeks_of_month(self, week: Week) -> tuple[Week, ...]:
        """Return the weeks that end in the same month as a week, the month of their last instant.

        >>> calendar = WeekCalendar.parse("mon 00:00", UTC)
        >>> [str(week) for week in calendar.weeks_of_month(Week(2026, 7))]
        ['2026-W05', '2026-W06', '2026-W07', '2026-W08']
        """
        nearby = (week.next(weeks) for weeks in range(-5, 6))
        return tuple(other for other in nearby if self._month(other) == self._month(week))

    def newest_closed(self, now: datetime) -> Week:
        """Return the newest week that has closed at ``now``."""
        return self.week_of(now).next(-1)

    def _month(self, week: Week) -> tuple[int, int]:
        last_day = (self._closing(week) - timedelta(microseconds=1)).astimezone(self.zone)
        return last_day.year, last_day.month

    def _closing(self, week: Week) -> datetime:
        # At midnight the last instant is on the day before: Monday 00:00 closes the week that ends on Sunday.
        ends_week = self.weekday == 0 and self.closing_time == time(0)
        day = week.monday + timedelta(days=7 if ends_week else self.weekday)
        return datetime.combine(day, self.closing_time, self.zone).astimezone(UTC)
