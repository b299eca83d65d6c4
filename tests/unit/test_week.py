"""Weeks: named after their last instant, meeting without gap or overlap, whatever the clocks do."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.week import WEEKDAYS, Week, WeekCalendar

LONDON = ZoneInfo("Europe/London")
ZONES = ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "UTC"]
closings = st.builds("{} {:02}:{:02}".format, st.sampled_from(WEEKDAYS), st.integers(0, 23), st.integers(0, 59))
clocks = st.builds(WeekCalendar.parse, closings, st.sampled_from(ZONES).map(ZoneInfo))
instants = st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (hypothesis adds it)


@given(clock=clocks, instant=instants)
def test_every_instant_lies_in_the_week_it_is_said_to(clock, instant):
    """week_of and bounds agree: opens <= instant < closes."""
    opens_at, closes_at = clock.bounds(clock.week_of(instant))
    assert opens_at <= instant < closes_at


@given(clock=clocks, instant=instants)
def test_weeks_meet(clock, instant):
    """A week closes at the very instant the next one opens."""
    week = clock.week_of(instant)
    assert clock.bounds(week)[1] == clock.bounds(week.next())[0]


@given(clock=clocks, instant=instants)
def test_a_week_is_named_after_the_iso_week_of_its_last_instant(clock, instant):
    """The local date of the last instant lies in the ISO week of the same name."""
    week = clock.week_of(instant)
    # An hour that the clocks skip may be named as closing; then the last instant is an hour further on.
    last = clock.bounds(week)[1] - timedelta(microseconds=1)
    assert Week.of(last.astimezone(clock.zone).date()) == week


def test_a_friday_closing_at_six_splits_the_friday():
    """With fri 06:00, five on Friday belongs to the week, seven to the next one."""
    clock = WeekCalendar.parse("fri 06:00", LONDON)
    assert clock.week_of(datetime(2026, 2, 13, 5, tzinfo=UTC)) == Week(2026, 7)
    assert clock.week_of(datetime(2026, 2, 13, 7, tzinfo=UTC)) == Week(2026, 8)


@pytest.mark.parametrize(
    ("week", "hours"), [(Week(2026, 12), 168), (Week(2026, 13), 167), (Week(2026, 43), 169), (Week(2026, 44), 168)]
)
def test_a_week_over_a_change_of_the_clocks_has_an_hour_less_or_more(week, hours):
    """In London the last week of March 2026 has 167 hours, that of October 169."""
    opens_at, closes_at = WeekCalendar.parse("mon 00:00", LONDON).bounds(week)
    assert closes_at - opens_at == timedelta(hours=hours)


def test_sunday_half_past_eleven_at_night_is_local():
    """Sunday 23:30 in London in summer is 22:30 UTC, and still the old week; 23:30 UTC is the new one."""
    clock = WeekCalendar.parse("mon 00:00", LONDON)
    assert clock.week_of(datetime(2026, 7, 5, 22, 30, tzinfo=UTC)) == Week(2026, 27)
    assert clock.week_of(datetime(2026, 7, 5, 23, 30, tzinfo=UTC)) == Week(2026, 28)


def test_the_newest_closed_week_changes_at_the_closing():
    """Up to the closing the week before is the newest closed one; from it on, the week itself."""
    clock = WeekCalendar.parse("mon 00:00", UTC)
    closing = datetime(2026, 2, 16, tzinfo=UTC)
    assert clock.newest_closed(closing - timedelta(seconds=1)) == Week(2026, 6)
    assert clock.newest_closed(closing) == Week(2026, 7)


def test_years_of_53_weeks():
    """2026 has a week 53, which ends in January 2027; 2025 has none."""
    assert str(Week.parse("2026-W53").next()) == "2027-W01"
    with pytest.raises(ValueError, match="53"):
        Week.parse("2025-W53")


@pytest.mark.parametrize("words", ["", "2026", "W07", "2026-W00", "2026-W54", "2026-W7x", "26-W07"])
def test_what_is_no_week_is_refused(words):
    """Anything but a year and a week that exists is a ValueError."""
    with pytest.raises(ValueError, match=r"."):
        Week.parse(words)


@pytest.mark.parametrize("words", ["", "monday", "1 06:00", "mon 24:00", "mon 6", "mon 06:60"])
def test_what_is_no_closing_is_refused(words):
    """A closing is a weekday by name and a time of day."""
    with pytest.raises(ValueError, match="not a weekday and a time"):
        WeekCalendar.parse(words, UTC)


def test_a_date_means_the_week_of_its_noon():
    """A day that a closing splits belongs to the week of its noon."""
    assert WeekCalendar.parse("fri 06:00", LONDON).week_of_day(date(2026, 2, 13)) == Week(2026, 8)
    assert WeekCalendar.parse("fri 18:00", LONDON).week_of_day(date(2026, 2, 13)) == Week(2026, 7)
