"""Schedules: words to periods, over the days on which clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.proof import MIN_REVIEW_TIME, SendPolicy
from pipeline.model.schedule import At, Every, parse_schedule
from pipeline.model.week import Week, WeekCalendar

LONDON = ZoneInfo("Europe/London")
SAMOA = ZoneInfo("Pacific/Apia")


def periods_run(words: str, start: datetime, end: datetime, zone: ZoneInfo, step_minutes: int = 7) -> list[str]:
    """Ask at every step what is due, run it, and remember it: the periods in the order they ran."""
    schedule, ran, last, now = parse_schedule(words), list[str](), None, start
    while now < end:
        period = schedule.period(now, zone)
        if period != last:
            ran.append(period)
            last = period
        now += timedelta(minutes=step_minutes)
    return ran


@pytest.mark.parametrize(
    ("words", "schedule"),
    [
        ("every 30 minutes", Every(timedelta(minutes=30))),
        ("every minute", Every(timedelta(minutes=1))),
        ("Every 24 hours", Every(timedelta(days=1))),
        ("mon 07:00", At((0,), time(7))),
        ("Thursday 16:00", At((3,), time(16))),
        ("  fri,  tues 6:05 ", At((1, 4), time(6, 5))),
        ("daily 06:30", At((0, 1, 2, 3, 4, 5, 6), time(6, 30))),
    ],
)
def test_words_become_schedules(words: str, schedule: object) -> None:
    """Case, spaces, commas and long weekday names make no difference."""
    assert parse_schedule(words) == schedule


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("0 7 * * 1", "write"),
        ("1 07:00", "name them: mon, tue"),
        ("mon,3 07:00", "name them: mon, tue"),
        ("mo 07:00", "'mo' is no weekday"),
        ("mon 24:00", "from 00:00 to 23:59"),
        ("mon 07:60", "from 00:00 to 23:59"),
        ("every 0 minutes", "from 1 minute to 24 hours"),
        ("every 25 hours", "from 1 minute to 24 hours"),
        ("every 99999999999999999999 hours", "write"),
        ("every now and then", "write"),
        ("07:00", "write"),
        ("", "write"),
    ],
)
def test_what_is_no_schedule_is_refused_with_a_sentence(words: str, why: str) -> None:
    """A refusal quotes the words and says what to write; weekdays as numbers are never guessed at."""
    with pytest.raises(ValueError, match=why) as refusal:
        parse_schedule(words)
    assert str(refusal.value).startswith(f"{words!r} is not a schedule: ")
    assert str(refusal.value).endswith(".")


def test_an_hour_the_clocks_skip_gives_one_period_a_day() -> None:
    """London has no 01:30 on 29 March 2026; that day's run happens at 02:30, once."""
    ran = periods_run(
        "daily 01:30", datetime(2026, 3, 27, 12, tzinfo=UTC), datetime(2026, 3, 31, 12, tzinfo=UTC), LONDON
    )
    assert ran == ["2026-03-27", "2026-03-28", "2026-03-29", "2026-03-30", "2026-03-31"]
    skipped = parse_schedule("sun 01:30").next_at(datetime(2026, 3, 28, tzinfo=UTC), LONDON)
    assert f"{skipped.astimezone(LONDON):%a %H:%M}" == "Sun 02:30"


def test_an_hour_the_clocks_repeat_gives_one_period_a_day() -> None:
    """London has 01:30 twice on 25 October 2026; that day's run happens at the first."""
    ran = periods_run(
        "daily 01:30", datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 26, 12, tzinfo=UTC), LONDON
    )
    assert ran == ["2026-10-24", "2026-10-25", "2026-10-26"]
    first = parse_schedule("sun 01:30").next_at(datetime(2026, 10, 24, tzinfo=UTC), LONDON)
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_day_the_calendar_leaves_out_loses_no_week() -> None:
    """Samoa had no Friday 30 December 2011: the Friday run happens on Saturday, and the next a week after."""
    ran = periods_run("fri 07:00", datetime(2011, 12, 24, tzinfo=UTC), datetime(2012, 1, 7, tzinfo=UTC), SAMOA, 60)
    assert ran == ["2011-12-23", "2011-12-30", "2012-01-06"]


def test_intervals_do_not_notice_the_clocks_change() -> None:
    """Over the night the clocks go back, every half hour is one run: 50 hours' worth in UTC, none doubled."""
    start = datetime(2026, 10, 24, tzinfo=UTC)
    ran = periods_run("every 30 minutes", start, start + timedelta(hours=50), LONDON, step_minutes=10)
    assert len(ran) == len(set(ran)) == 100


def test_another_weekday_in_the_same_week_is_another_period() -> None:
    """Monday's run does not stand for Thursday's, to which the schedule was moved meanwhile."""
    ran = parse_schedule("mon 06:00").period(datetime(2026, 2, 16, 7, tzinfo=UTC), LONDON)
    due = parse_schedule("thu 16:00").period(datetime(2026, 2, 19, 17, tzinfo=UTC), LONDON)
    assert (ran, due) == ("2026-02-16", "2026-02-19")


WORDS = st.sampled_from(["every 7 minutes", "every 2 hours", "daily 01:30", "mon 00:00", "wed,sun 02:15", "sat 23:59"])
INSTANTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
ZONES = st.sampled_from(["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])


@given(WORDS, INSTANTS, ZONES.map(ZoneInfo))
def test_the_next_moment_begins_a_new_period(words: str, now: datetime, zone: ZoneInfo) -> None:
    """Until the next moment the period stays the same; at that moment it is another, whatever zone and date."""
    schedule = parse_schedule(words)
    moment = schedule.next_at(now, zone)
    assert now < moment <= now + timedelta(days=8)
    assert schedule.period(moment - timedelta(microseconds=1), zone) == schedule.period(now, zone)
    assert schedule.period(moment, zone) != schedule.period(now, zone)


@given(WORDS, INSTANTS, ZONES.map(ZoneInfo))
def test_periods_follow_each_other_in_the_order_of_their_keys(words: str, now: datetime, zone: ZoneInfo) -> None:
    """Keys sort as time does, so a list of them reads as history."""
    schedule, keys = parse_schedule(words), []
    for _ in range(5):
        keys.append(schedule.period(now, zone))
        now = schedule.next_at(now, zone)
    assert all(earlier < later for earlier, later in pairwise(keys))


# ── Sending ──────────────────────────────────────────────────────────────────────────────────────────────────────────

FRIDAY = datetime(2026, 2, 20, 7, tzinfo=UTC)
"""When 2026-W07 is sent, in the week after."""
W07 = Week(2026, 7)


def policy(**more: object) -> SendPolicy:
    calendar = WeekCalendar.parse("mon 00:00", UTC)
    return SendPolicy(**({"calendar": calendar, "schedule": At((4,), time(7))} | more))  # type: ignore[arg-type]


def test_an_edition_is_due_until_the_limit() -> None:
    """At the scheduled time, and as long after it as is allowed; not a week earlier or later."""
    late = policy(late_limit=timedelta(hours=2))
    assert late.send_time(W07, FRIDAY - timedelta(seconds=1)) == FRIDAY
    for now in (FRIDAY, FRIDAY + timedelta(hours=2)):
        assert late.send_time(W07, now) == now
    assert late.send_time(W07, FRIDAY + timedelta(hours=2, seconds=1)) is None
    assert late.send_time(W07, FRIDAY - timedelta(days=7)) == FRIDAY
    assert late.send_time(W07, FRIDAY - timedelta(days=8)) is None
    assert late.send_time(W07.next(), FRIDAY + timedelta(days=1)) == FRIDAY + timedelta(days=7)
    assert policy(schedule=None).send_time(W07, FRIDAY) is None


@pytest.mark.parametrize(
    ("before", "more", "draft", "approved"),
    [
        (
            1,
            {},
            "It will not go out until you approve it; then it goes out on Fri 20 Feb 2026 07:00.",
            "It goes out on Fri 20 Feb 2026 07:00.",
        ),
        (0, {}, "It will not go out until you approve it; then it goes out at once.", "It goes out now."),
        (
            24,
            {"sends_unapproved": True},
            "It goes out on Fri 20 Feb 2026 07:00 unless somebody holds it.",
            "It goes out on Fri 20 Feb 2026 07:00.",
        ),
        (
            -1,
            {},
            "It is not sent automatically: approve it, then send it with `pipeline send 2026-W07`.",
            "It is not sent automatically: send it from the desk, or with `pipeline send 2026-W07`.",
        ),
    ],
)
def test_the_time_of_sending_is_described(before: int, more: dict[str, object], draft: str, approved: str) -> None:
    """For a draft and for an approved edition, some hours before the time."""
    now = FRIDAY - timedelta(hours=before)
    assert policy(**more).describe(W07, now) == draft
    assert policy(**more).describe_approved(W07, now) == approved


def test_the_time_of_sending_is_that_of_the_publication() -> None:
    """Seven in the morning in Kathmandu."""
    here = policy(calendar=WeekCalendar.parse("mon 00:00", ZoneInfo("Asia/Kathmandu")), sends_unapproved=True)
    now = FRIDAY - timedelta(days=1)
    assert here.describe(W07, now) == "It goes out on Fri 20 Feb 2026 07:00 unless somebody holds it."
    assert here.describe_approved(W07, now) == "It goes out on Fri 20 Feb 2026 07:00."
    assert "out on Fri 20 Feb 2026 07:00, because" in here.describe(W07, now, blocked=True)


def test_a_draft_with_errors_does_not_go_out_by_itself() -> None:
    """Whether or not it is due now; if nobody has had the time to review it, it does not go out either."""
    alone = policy(sends_unapproved=True, late_limit=timedelta(hours=2))
    for now, when in ((FRIDAY - timedelta(days=1), "on Fri 20 Feb 2026 07:00"), (FRIDAY, "now")):
        assert alone.describe(W07, now, blocked=True) == (
            f"It will not go out {when}, because of its errors: fix them, or override them when you approve it."
        )
    end = FRIDAY + timedelta(hours=2) - MIN_REVIEW_TIME
    assert alone.describe(W07, end).endswith("unless somebody holds it.")
    assert alone.describe(W07, end + timedelta(seconds=1)).startswith("It will not go out until you approve it")
