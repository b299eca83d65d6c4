"""Formats of terminals, pages and logs, on either side of each change of unit."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pipeline.text.format import (
    count_in_words,
    datetime_in_words,
    format_bytes,
    format_date_range,
    format_datetime,
    format_day,
    format_remaining,
    format_upcoming,
    format_utc,
    pluralize,
)

MONDAY = datetime(2026, 2, 9, 23, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def test_instants_are_shown_in_a_zone() -> None:
    """In their own if none is given; there, Monday may be Tuesday."""
    assert (format_day(MONDAY), format_day(MONDAY, BERLIN)) == ("Mon 9 Feb 2026", "Tue 10 Feb 2026")
    assert (format_datetime(MONDAY), format_datetime(MONDAY, BERLIN)) == (
        "Mon 9 Feb 2026 23:30",
        "Tue 10 Feb 2026 00:30",
    )
    assert (format_day(None), format_datetime(None)) == ("never", "never")
    assert format_utc(MONDAY.astimezone(BERLIN)) == "2026-02-09 23:30 UTC"
    assert datetime_in_words(MONDAY, BERLIN) == "Tuesday 10 February, 00:30"


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (date(2026, 2, 16), date(2026, 2, 22), "16–22 February 2026"),
        (date(2026, 2, 23), date(2026, 3, 1), "23 February – 1 March 2026"),
        (date(2025, 12, 29), date(2026, 1, 4), "29 December 2025 – 4 January 2026"),
        (date(2025, 2, 16), date(2026, 2, 22), "16 February 2025 – 22 February 2026"),
    ],
)
def test_ranges_name_what_differs(first: date, last: date, text: str) -> None:
    """Month and year once, if they are the same."""
    assert format_date_range(first, last) == text


@pytest.mark.parametrize(
    ("later", "text"),
    [
        (timedelta(0), "now"),
        (timedelta(seconds=1), "in 1 min"),
        (timedelta(minutes=1, seconds=1), "in 2 min"),
        (timedelta(minutes=59), "in 59 min"),
        (timedelta(minutes=59, seconds=1), "tue 00:29"),
        (timedelta(days=6), "sun 23:30"),
        (timedelta(days=7), "16 Feb 23:30"),
    ],
)
def test_upcoming_times_are_minutes_then_days(later: timedelta, text: str) -> None:
    """Minutes up to an hour, weekdays up to a week."""
    assert format_upcoming(MONDAY + later, MONDAY, UTC) == text


def test_upcoming_days_are_those_of_the_zone() -> None:
    """In Berlin it is Tuesday already."""
    assert format_upcoming(MONDAY + timedelta(days=6, minutes=45), MONDAY, BERLIN) == "mon 01:15"
    assert format_upcoming(datetime(2026, 2, 15, 23, tzinfo=UTC), datetime(2026, 2, 8, 23, tzinfo=UTC), BERLIN) == (
        "16 Feb 00:00"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.9, "due now"),
        (1, "in 1 s"),
        (59, "in 59 s"),
        (60, "in 1 min"),
        (7_199, "in 120 min"),
        (7_200, "in 2 h"),
        (172_799, "in 48 h"),
        (172_800, "in 2 days"),
    ],
)
def test_remaining_time_has_one_unit(seconds: float, text: str) -> None:
    """The largest that is at least once, or twice, in it."""
    assert format_remaining(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(999_999, "1000 kB"), (10**6, "1.0 MB"), (10**9 - 1, "1,000.0 MB"), (10**9, "1.0 GB")]
)
def test_sizes_have_decimal_units(count: int, text: str) -> None:
    """Powers of a thousand."""
    assert format_bytes(count) == text


def test_counts_have_their_noun() -> None:
    """One is singular, in words within a sentence; thousands are separated."""
    assert [pluralize(count, "entry", "entries") for count in (0, 1, 2000)] == ["0 entries", "1 entry", "2,000 entries"]
    assert [pluralize(count, "feed") for count in (1, 2)] == ["1 feed", "2 feeds"]
    assert [count_in_words(count, "entry", "entries") for count in (1, 2)] == ["one entry", "2 entries"]
    assert count_in_words(2, "time") == "2 times"
