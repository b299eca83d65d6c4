"""Schedules as config.toml writes them, and the periods they divide time into.

A period's key identifies its run, and the store keeps one row for each. So an hour that a clock change skips or repeats
is still one period, and one run of the newest period makes up for everything missed during a downtime.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import ClassVar

from pipeline.model.week import WEEKDAYS

Clock = Callable[[], datetime]
"""Returns the current time, aware UTC."""
MAX_INTERVAL = timedelta(days=1)
EXAMPLES = '"every 30 minutes", "daily 06:30", "mon 07:00" or "tue,fri 16:00"'
WEEKDAY = r"(mon|tues?|wed(nes)?|thu(rs)?|fri|sat(ur)?|sun)(day)?"


@dataclass(frozen=True, slots=True)
class Every:
    """At a regular interval, counted from 1970 in UTC, so that clock changes do not move it.

    >>> Every(timedelta(minutes=30)).period(datetime(2026, 2, 9, 7, 44, tzinfo=UTC), UTC)
    '2026-02-09T07:30Z'
    """

    interval: timedelta
    never_repeats: ClassVar[bool] = False
    """A clock that is set back repeats these periods."""

    def period(self, now: datetime, zone: tzinfo) -> str:
        """Return the key of the period that contains ``now``."""
        return f"{self._period_start(now):%Y-%m-%dT%H:%MZ}"

    def next_at(self, now: datetime, zone: tzinfo) -> datetime:
        """Return when the next period begins."""
        return self._period_start(now) + self.interval

    def _period_start(self, now: datetime) -> datetime:
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        return epoch + (now - epoch) // self.interval * self.interval


@dataclass(frozen=True, slots=True)
class At:
    """At a time of day on some weekdays, in a time zone.

    >>> At(weekdays=(0,), time=time(7)).period(datetime(2026, 2, 11, tzinfo=UTC), UTC)
    '2026-02-09'
    """

    weekdays: tuple[int, ...]
    """0 is Monday."""
    time: time
    never_repeats: ClassVar[bool] = True

    def period(self, now: datetime, zone: tzinfo) -> str:
        """Return the key of the newest period that has begun: its local date."""
        return self._nearest(now, zone, back=True).isoformat()

    def began_at(self, now: datetime, zone: tzinfo) -> datetime:
        """Return when the newest period began."""
        return self._instant(self._nearest(now, zone, back=True), zone)

    def next_at(self, now: datetime, zone: tzinfo) -> datetime:
        """Return when the next period begins."""
        return self._instant(self._nearest(now, zone, back=False), zone)

    def _nearest(self, now: datetime, zone: tzinfo, *, back: bool) -> date:
        today = now.astimezone(zone).date()
        # Eight days: if today's time has not come yet, the previous one may be a week ago.
        days = (today + timedelta(days=-away if back else away) for away in range(9))
        return next(day for day in days if day.weekday() in self.weekdays and (self._instant(day, zone) <= now) is back)

    def _instant(self, day: date, zone: tzinfo) -> datetime:
        # fold=0 (PEP 495): the first of an hour that comes twice; an hour that is skipped counts by the old clock,
        # so that 01:30 means 02:30 on the new one.
        return datetime.combine(day, self.time, zone).astimezone(UTC)


Schedule = Every | At


def parse_schedule(text: str) -> Schedule:
    """Parse a schedule; ValueError with a sentence if the text is not one.

    >>> parse_schedule("every 30 minutes")
    Every(interval=datetime.timedelta(seconds=1800))
    >>> parse_schedule("thu 16:00")
    At(weekdays=(3,), time=datetime.time(16, 0))
    """
    plain = " ".join(text.lower().replace(",", " ").split())
    if every := re.fullmatch(r"every(?: (\d{1,4}))? (minute|hour)s?", plain):
        interval = int(every[1] or 1) * timedelta(minutes=60 if every[2] == "hour" else 1)
        if not timedelta() < interval <= MAX_INTERVAL:
            why = 'an interval is from 1 minute to 24 hours; beyond that name the days, as in "mon 07:00"'
            raise _refusal(text, why)
        return Every(interval)
    if at := re.fullmatch(r"(\S+(?: \S+)*) (\d{1,2}):(\d{2})", plain):
        weekdays, hour, minute = _weekdays(at[1].split(), text), int(at[2]), int(at[3])
        if hour > 23 or minute > 59:
            raise _refusal(text, "a time of day is from 00:00 to 23:59")
        return At(weekdays, time(hour, minute))
    raise _refusal(text, f"write {EXAMPLES}")


def _weekdays(names: list[str], words: str) -> tuple[int, ...]:
    if names == ["daily"]:
        return tuple(range(7))
    if any(name[0].isdigit() for name in names):
        raise _refusal(words, f"weekdays are counted in different ways, so name them: {', '.join(WEEKDAYS)}")
    if unknown := next((name for name in names if not re.fullmatch(WEEKDAY, name)), None):
        raise _refusal(words, f"{unknown!r} is no weekday; write {EXAMPLES}")
    return tuple(sorted({WEEKDAYS.index(name[:3]) for name in names}))


def _refusal(words: str, why: str) -> ValueError:
    return ValueError(f"{words!r} is not a schedule: {why}.")
