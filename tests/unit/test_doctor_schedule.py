"""The timetable: a letter that nobody can have seen before it goes out is warned of."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.jobs.doctor.activity import check_approval_mode, check_schedule
from pipeline.model.schedule import At, parse_schedule
from pipeline.model.week import WeekCalendar

NOW = datetime(2026, 2, 16, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("closes", "draft", "send", "level"),
    [
        ("thu 12:00", "thu 16:00", "fri 07:00", "well"),
        ("fri 06:00", "thu 16:00", "fri 07:00", "warning"),
        ("mon 00:00", "mon 06:00", "sun 20:00", "well"),
        ("mon 00:00", "mon 06:00", "mon 06:00", "warning"),
        ("mon 00:00", "tue 06:00", "mon 07:00", "warning"),
        ("mon 00:00", "every 6 hours", "mon 07:00", "well"),
        ("mon 00:00", "every 6 hours", "mon 05:00", "warning"),
    ],
)
def test_the_draft_lies_between_the_closing_and_the_mailing(closes: str, draft: str, send: str, level: str) -> None:
    """In that order, whatever the weekdays; otherwise it is said how to mend it."""
    goes = parse_schedule(send)
    assert isinstance(goes, At)
    (sign,) = check_schedule(WeekCalendar.parse(closes, UTC), parse_schedule(draft), goes, NOW)
    assert sign.level == level
    assert bool(sign.fix) == (level == "warning")


def test_without_a_mailing_there_is_nothing_to_look_at() -> None:
    """Who sends by hand has seen the letter."""
    assert list(check_schedule(WeekCalendar.parse("mon 00:00", UTC), parse_schedule("mon 06:00"), None, NOW)) == []


def test_unless_held_without_a_mail_server_is_warned_of() -> None:
    """Nobody would be shown what goes out, so nothing goes out unapproved."""
    (sign,) = check_approval_mode(wanted=True, possible=False)
    assert "smtp_host" in sign.fix
    assert [*check_approval_mode(wanted=True, possible=True), *check_approval_mode(wanted=False, possible=False)] == []
