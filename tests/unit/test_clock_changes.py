"""Over every change of the clocks, in every zone: each period's work is done once, however the beats fall."""

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


class Rows(dict[str, Run]):
    """A ledger that holds the newest run of each task, and every period that was begun."""

    by = "here"

    def __init__(self) -> None:
        self.begun: list[str] = []

    def newest(self) -> dict[str, Run]:
        return self

    def take(self, seen: Run | None, run: Run, *, once: bool) -> bool:
        if run.period_key in self.begun and once:
            return False
        self.begun.append(run.period_key)
        self[run.task_id] = run
        return True

    def end(self, run: Run) -> None:
        self[run.task_id] = run


def changes(name: str, years: range) -> Iterator[datetime]:
    """Find the instants at which a zone's clocks change, to the hour."""
    zone = ZoneInfo(name)
    hours = (datetime(years.start, 1, 1, tzinfo=UTC) + timedelta(hours=nth) for nth in range(len(years) * 8766))
    for before, after in pairwise(hours):
        if before.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            yield after


CHANGES = [(name, at) for name in ZONES for at in changes(name, range(2026, 2028))]


def ran(words: str, start: datetime, moments: list[datetime], zone: ZoneInfo) -> list[tuple[str, datetime]]:
    """Beat at these moments; give the periods that ran after ``start``, and when."""
    done: list[tuple[str, datetime]] = []
    rows = Rows()

    def run(period: str, now: datetime) -> str:
        done.append((period, now))
        return "done"

    task = Task(id="draft", schedule=parse_schedule(words), run=run)
    for now in [start, *moments]:
        list(run_due([task], rows, lambda now=now: now, zone))  # type: ignore[misc]
    return done[1:]


def beats(start: datetime, days: int, minutes: int) -> list[datetime]:
    """Beat every so many minutes for some days."""
    return [start + timedelta(minutes=minutes) * nth for nth in range(days * 1440 // minutes + 1)]


@pytest.mark.parametrize(("name", "change"), CHANGES, ids=lambda value: f"{value:%F}" if value != str(value) else value)
def test_a_daily_job_runs_once_on_each_day_around_a_change(name: str, change: datetime) -> None:
    """At every hour of the night, those that do not exist and those that exist twice among them."""
    zone = ZoneInfo(name)
    start = datetime.combine(change.astimezone(zone).date() - 2 * DAY, time(12), zone).astimezone(UTC)
    for hour in (*range(5), 23):
        done = ran(f"daily {hour:02}:30", start, beats(start, 4, 10), zone)
        days = [date.fromisoformat(period) for period, _ in done]
        assert days == [days[0] + nth * DAY for nth in range(4)]
        assert len(done) == 4


@given(
    case=st.sampled_from(CHANGES),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    gaps=st.lists(st.integers(1, 600), min_size=40, max_size=80),
)
def test_a_weekly_job_runs_once_a_week_whenever_the_beats_fall(
    case: tuple[str, datetime], hour: int, minute: int, gaps: list[int]
) -> None:
    """On the weekday of the change, with beats minutes or hours apart: never twice, never early, and never missed."""
    name, change = case
    zone = ZoneInfo(name)
    weekday = WEEKDAYS[change.astimezone(zone).weekday()]
    words = f"{weekday} {hour:02}:{minute:02}"
    schedule = parse_schedule(words)
    assert isinstance(schedule, At)
    start = change - 3 * DAY
    moments = [start + timedelta(minutes=sum(gaps[:nth])) for nth in range(1, len(gaps))]
    done = ran(words, start, moments, zone)
    due = {schedule.period(moment, zone) for moment in moments} - {schedule.period(start, zone)}
    assert sorted(period for period, _ in done) == sorted(due)
    assert all(schedule.began_at(now, zone) <= now < schedule.next_at(now, zone) for _, now in done)


@given(case=st.sampled_from(CHANGES), hour=st.integers(0, 23), minute=st.integers(0, 59), offset=st.integers(0, 12_960))
def test_a_period_begins_when_the_one_before_it_ends(
    case: tuple[str, datetime], hour: int, minute: int, offset: int
) -> None:
    """``began_at`` and ``next_fetch_at`` agree with each other and with the period's name."""
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
