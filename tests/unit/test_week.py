"""Weeks are named after their last instant and meet without gaps or overlaps, also when clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.week import WEEKDAYS, Week, WeekCalendar

LONDON = ZoneInfo("Europe/London")
ZONES = ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "UTC"]
closings = st.builds("{} {:02}:{:02}".format, st.sampled_from(WEEKDAYS), st.integers(0, 23), st.integers(0, 59))
calendars = st.builds(WeekCalendar.parse, closings, st.sampled_from(ZONES).map(ZoneInfo))
instants = st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (hypothesis adds it)


@given(calendar=calendars, instant=instants)
def test_week_of_agrees_with_bounds(calendar, instant):
    """For the week of every instant, opens <= instant < closes."""
    opens_at, closes_at = calendar.bounds(calendar.week_of(instant))
    assert opens_at <= instant < closes_at


@given(calendar=calendars, instant=instants)
def test_weeks_meet(calendar, instant):
    """A week closes at the instant the next one opens."""
    week = calendar.week_of(instant)
    assert calendar.bounds(week)[1] == calendar.bounds(week.next())[0]


@given(calendar=calendars, instant=instants)
def test_a_week_is_named_after_the_iso_week_of_its_last_instant(calendar, instant):
    """The local date of the last instant is in the ISO week of the same name."""
    week = calendar.week_of(instant)
    # An hour that the clocks skip may be named as closing; then the last instant is an hour further on.
    last = calendar.bounds(week)[1] - timedelta(microseconds=1)
    assert Week.of(last.astimezone(calendar.zone).date()) == week


def test_bounds_are_in_utc():
    """Whatever the zone of the publication and of the machine."""
    bounds = WeekCalendar.parse("mon 00:00", LONDON).bounds(Week(2026, 27))
    assert all(bound.tzinfo is UTC for bound in bounds)


def test_a_friday_closing_at_six_splits_the_friday():
    """With fri 06:00, Friday 05:00 belongs to the week and 07:00 to the next one."""
    calendar = WeekCalendar.parse("fri 06:00", LONDON)
    assert calendar.week_of(datetime(2026, 2, 13, 5, tzinfo=UTC)) == Week(2026, 7)
    assert calendar.week_of(datetime(2026, 2, 13, 7, tzinfo=UTC)) == Week(2026, 8)


@pytest.mark.parametrize(
    ("week", "hours"), [(Week(2026, 12), 168), (Week(2026, 13), 167), (Week(2026, 43), 169), (Week(2026, 44), 168)]
)
def test_clock_changes_make_a_week_shorter_or_longer(week, hours):
    """In London the last week of March 2026 has 167 hours, that of October 169."""
    opens_at, closes_at = WeekCalendar.parse("mon 00:00", LONDON).bounds(week)
    assert closes_at - opens_at == timedelta(hours=hours)


def test_the_end_of_a_week_is_local_time():
    """In London in summer, Sunday 22:30 UTC is 23:30 and in the old week; 23:30 UTC is in the new one."""
    calendar = WeekCalendar.parse("mon 00:00", LONDON)
    assert calendar.week_of(datetime(2026, 7, 5, 22, 30, tzinfo=UTC)) == Week(2026, 27)
    assert calendar.week_of(datetime(2026, 7, 5, 23, 30, tzinfo=UTC)) == Week(2026, 28)


def test_the_newest_closed_week_changes_at_the_closing():
    """Until the closing the newest closed week is the one before; from then on the week itself."""
    calendar = WeekCalendar.parse("mon 00:00", UTC)
    closing = datetime(2026, 2, 16, tzinfo=UTC)
    assert calendar.newest_closed(closing - timedelta(seconds=1)) == Week(2026, 6)
    assert calendar.newest_closed(closing) == Week(2026, 7)


def test_years_of_53_weeks():
    """2026 has a week 53, which ends in January 2027; 2025 has none."""
    assert str(Week.parse("2026-W53").next()) == "2027-W01"
    with pytest.raises(ValueError, match="53"):
        Week.parse("2025-W53")


@pytest.mark.parametrize("words", ["", "2026", "W07", "2026-W00", "2026-W54", "2026-W7x", "26-W07"])
def test_invalid_weeks_are_refused(words):
    """Anything but an existing year and week is a ValueError."""
    with pytest.raises(ValueError, match=r"."):
        Week.parse(words)


@pytest.mark.parametrize("words", ["2026-W07", " 2026-w07 ", "2026W7", "2026w7"])
def test_weeks_are_read_as_people_write_them(words):
    """The hyphen, the case of W and a leading zero make no difference."""
    assert Week.parse(words) == Week(2026, 7)


@pytest.mark.parametrize(
    ("words", "weekday", "closing_time"),
    [
        ("mon 00:00", 0, time(0)),
        ("sun 23:59", 6, time(23, 59)),
        (" Friday   6:05 ", 4, time(6, 5)),
        ("THU 06:00", 3, time(6)),
    ],
)
def test_closing_times_are_read_as_people_write_them(words, weekday, closing_time):
    """Long weekday names, case, blanks and a missing zero make no difference."""
    assert WeekCalendar.parse(words, LONDON) == WeekCalendar(weekday, closing_time, LONDON)


@pytest.mark.parametrize(
    "words", ["", "monday", "1 06:00", "mon 24:00", "mon 6", "mon 06:60", "mon 07:60 x", "mox 06:00"]
)
def test_invalid_closing_times_are_refused(words):
    """A closing time is the name of a weekday and a time of day."""
    with pytest.raises(ValueError, match="not a weekday and a time"):
        WeekCalendar.parse(words, UTC)


def test_a_date_means_the_week_of_its_noon():
    """A day that is split by a closing belongs to the week of its noon."""
    assert WeekCalendar.parse("fri 06:00", LONDON).week_of_day(date(2026, 2, 13)) == Week(2026, 8)
    assert WeekCalendar.parse("fri 18:00", LONDON).week_of_day(date(2026, 2, 13)) == Week(2026, 7)
