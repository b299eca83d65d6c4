"""Every period is run once across clock changes in every zone, whenever the ticks come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.run import Run
from pipeline.model.schedule import At, parse_schedule
from pipeline.model.week import WEEKDAYS
from pipeline.scheduler.engine import Task, run_due
from pipeline.scheduler.lease import RunLeases

ZONES = (
    "Europe/London",
    "Europe/Dublin",
    "America/New_York",
    "America/St_Johns",
    "America/Havana",
    "America/Asuncion",
    "Asia/Beirut",
    "Africa/Casablanca",
    "Antarctica/Troll",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "UTC",
)
"""An hour at one, two and midnight; half an hour; two hours; twice round Ramadan; and none at all."""
DAY = timedelta(days=1)


class MemoryRuns(dict[str, Run]):
    """The newest run of each task, and every period that was begun."""

    def __init__(self) -> None:
        self.begun: list[str] = []

    def newest(self) -> dict[str, Run]:
        return self

    def advance(self, expected: Run | None, run: Run, *, never_repeats: bool = True) -> bool:
        begins = expected is None or expected.period_key != run.period_key
        if begins and never_repeats and run.period_key in self.begun:
            return False
        self.begun.append(run.period_key)
        self[run.task_id] = run
        return True


def changes(name: str, years: range) -> Iterator[datetime]:
    """Yield when a zone's clocks change, to the hour."""
    zone = ZoneInfo(name)
    hours = (datetime(years.start, 1, 1, tzinfo=UTC) + timedelta(hours=nth) for nth in range(len(years) * 8766))
    for before, after in pairwise(hours):
        if before.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            yield after


CHANGES = [(name, at) for name in ZONES for at in changes(name, range(2026, 2028))]


def run_at(words: str, start: datetime, times: list[datetime], zone: ZoneInfo) -> list[tuple[str, datetime]]:
    """Tick at these times and return the periods that ran after ``start``, and when."""
    done: list[tuple[str, datetime]] = []
    leases = RunLeases(MemoryRuns(), "here", lambda: start)

    def run(period: str, now: datetime) -> str:
        done.append((period, now))
        return "done"

    task = Task(id="draft", schedule=parse_schedule(words), run=run)
    for now in [start, *times]:
        list(run_due([task], leases, lambda now=now: now, zone))  # type: ignore[misc]
    return done[1:]


def every(minutes: int, start: datetime, days: int) -> list[datetime]:
    """Return the times of ticks some minutes apart for some days."""
    return [start + timedelta(minutes=minutes) * nth for nth in range(days * 1440 // minutes + 1)]


@pytest.mark.parametrize(("name", "change"), CHANGES, ids=lambda value: f"{value:%F}" if value != str(value) else value)
def test_a_daily_task_runs_once_a_day_across_a_clock_change(name: str, change: datetime) -> None:
    """At every hour of the night, including hours that do not exist and hours that come twice."""
    zone = ZoneInfo(name)
    start = datetime.combine(change.astimezone(zone).date() - 2 * DAY, time(12), zone).astimezone(UTC)
    for hour in (*range(5), 23):
        done = run_at(f"daily {hour:02}:30", start, every(10, start, 4), zone)
        days = [date.fromisoformat(period) for period, _ in done]
        assert days == [days[0] + nth * DAY for nth in range(4)]
        assert len(done) == 4


@given(
    case=st.sampled_from(CHANGES),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    gaps=st.lists(st.integers(1, 600), min_size=40, max_size=80),
)
def test_a_weekly_task_runs_once_a_week_whenever_the_ticks_come(
    case: tuple[str, datetime], hour: int, minute: int, gaps: list[int]
) -> None:
    """On the weekday of the change, with ticks minutes or hours apart: never twice, never early, never missed."""
    name, change = case
    zone = ZoneInfo(name)
    weekday = WEEKDAYS[change.astimezone(zone).weekday()]
    words = f"{weekday} {hour:02}:{minute:02}"
    schedule = parse_schedule(words)
    assert isinstance(schedule, At)
    start = change - 3 * DAY
    times = [start + timedelta(minutes=sum(gaps[:nth])) for nth in range(1, len(gaps))]
    done = run_at(words, start, times, zone)
    due = {schedule.period(at, zone) for at in times} - {schedule.period(start, zone)}
    assert sorted(period for period, _ in done) == sorted(due)
    assert all(schedule.began_at(now, zone) <= now < schedule.next_at(now, zone) for _, now in done)


@given(case=st.sampled_from(CHANGES), hour=st.integers(0, 23), minute=st.integers(0, 59), offset=st.integers(0, 12_960))
def test_a_period_begins_when_the_one_before_it_ends(
    case: tuple[str, datetime], hour: int, minute: int, offset: int
) -> None:
    """``began_at`` and ``next_at`` agree with each other and with the period's key."""
    name, change = case
    zone = ZoneInfo(name)
    now = change - 4 * DAY + timedelta(minutes=offset)
    schedule = parse_schedule(f"wed,sun {hour:02}:{minute:02}")
    assert isinstance(schedule, At)
    began_at, next_at = schedule.began_at(now, zone), schedule.next_at(now, zone)
    assert began_at <= now < next_at
    assert schedule.period(began_at, zone) == schedule.period(now, zone) != schedule.period(next_at, zone)
    assert schedule.began_at(next_at, zone) == next_at
    assert schedule.next_at(began_at, zone) == next_at
