"""Doctor checks of [schedule]: every edition is drafted, and can be reviewed, before it is sent."""

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
        ("thu 12:00", "thu 16:00", "fri 07:00", "ok"),
        ("fri 06:00", "thu 16:00", "fri 07:00", "warning"),
        ("mon 00:00", "mon 06:00", "sun 20:00", "ok"),
        ("mon 00:00", "mon 06:00", "mon 06:00", "warning"),
        ("mon 00:00", "tue 06:00", "mon 07:00", "warning"),
        ("mon 00:00", "every 6 hours", "mon 07:00", "ok"),
        ("mon 00:00", "every 6 hours", "mon 05:00", "warning"),
    ],
)
def test_the_draft_comes_between_closing_and_sending(closes: str, draft: str, send: str, level: str) -> None:
    """Any other order is a warning with a fix, whatever the weekdays."""
    schedule = parse_schedule(send)
    assert isinstance(schedule, At)
    (result,) = check_schedule(WeekCalendar.parse(closes, UTC), parse_schedule(draft), schedule, NOW)
    assert result.level == level
    assert bool(result.fix) == (level == "warning")


def test_without_scheduled_sending_there_is_no_result() -> None:
    """Whoever sends by hand has seen the edition."""
    assert list(check_schedule(WeekCalendar.parse("mon 00:00", UTC), parse_schedule("mon 06:00"), None, NOW)) == []


def test_unless_held_without_a_mail_server_is_a_warning() -> None:
    """No proof could be sent, so nothing is sent unapproved."""
    (result,) = check_approval_mode(wanted=True, possible=False)
    assert "smtp_host" in result.fix
    assert [*check_approval_mode(wanted=True, possible=True), *check_approval_mode(wanted=False, possible=False)] == []
