"""When a feed is fetched again: months of polling without waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis.strategies import frozensets, integers, sampled_from, text, timedeltas

from pipeline.ingest import polling
from pipeline.model.feed import Channel, FeedState
from pipeline.model.fetch import ADVICE, SUCCESSFUL, FetchOutcome

NOW = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)  # a Monday
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
URL = "https://harbourandhearth.example/feed/"
NEW_URL = "https://hearth.example/feed/"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
STATE = FeedState(feed_id="blog", url=URL)


def outcome(kind: Any = "ok", **rest: Any) -> FetchOutcome:
    return FetchOutcome(key="blog", url=URL, kind=kind, detail="answered", **rest)


def after(state: FeedState = STATE, kind: Any = "ok", now: datetime = NOW, **rest: Any) -> FeedState:
    """Return the state after one outcome; keyword arguments of ``next_state`` are recognised by name."""
    own = {name: rest.pop(name) for name in ("channel", "has_news", "same_feed", "interval") if name in rest}
    return polling.next_state(state, outcome(kind, **rest), now=now, **({"interval": HOUR} | own))


def wait(state: FeedState) -> timedelta:
    assert state.due_at is not None
    assert state.checked_at is not None
    return state.due_at - state.checked_at


def fetches(state: FeedState, days: int, answer: Callable[[datetime], dict[str, Any]]) -> Iterator[FeedState]:
    """Check the feed every ten minutes for some days; yield the state after each fetch."""
    for step in range(days * 144):
        now = NOW + step * timedelta(minutes=10)
        if polling.is_due(state, now):
            state = after(state, now=now, **answer(now))
            yield state


def test_a_new_feed_is_due() -> None:
    """A feed that was never fetched is due, on schedule, on request and by force."""
    assert polling.is_due(STATE, NOW)
    assert polling.can_fetch(STATE, NOW)
    assert polling.can_force(STATE, NOW)


def test_feed_is_due_after_its_interval() -> None:
    """After new content it is due an interval later, up to a tenth early so that a tick finds it."""
    state = after()
    assert 0.9 * HOUR <= wait(state) <= HOUR
    assert not polling.is_due(state, NOW + 0.85 * HOUR)
    assert polling.is_due(state, NOW + HOUR)


def test_fetch_on_request_ignores_the_schedule() -> None:
    """It may follow a fetch at once; the request is conditional."""
    state = after(etag='"1"')
    assert not polling.is_due(state, NOW)
    assert polling.can_fetch(state, NOW)
    assert polling.build_request(state, NOW).etag == '"1"'


@given(text(min_size=1))
def test_jitter_is_stable(feed_id: str) -> None:
    """A feed is always early by the same share."""
    state = replace(STATE, feed_id=feed_id)
    assert wait(after(state)) == wait(after(state, now=NOW + 40 * DAY))


def test_jitter_spreads_feeds() -> None:
    """A hundred feeds added together are due in at least forty different minutes of a ten-hour interval."""
    dues = [after(replace(STATE, feed_id=f"feed-{n}"), interval=10 * HOUR).due_at for n in range(100)]
    assert len({due.replace(second=0, microsecond=0) for due in dues if due}) >= 40


def test_silent_feed_is_fetched_less_often() -> None:
    """Over four silent months polling slows down to about once a day, and no further."""
    states = list(fetches(STATE, 120, lambda now: {"kind": "ok" if now == NOW else "not_modified"}))
    waits = [wait(state) for state in states]
    assert waits == sorted(waits)
    assert 0.9 * DAY <= waits[-1] <= DAY
    assert len(states) < 24 * 4 + 120


def test_new_content_restores_the_interval() -> None:
    """A new document without new entries does not."""
    silent = after(has_news=True)
    late = NOW + 30 * DAY
    assert wait(after(silent, now=late, has_news=False)) >= 0.9 * DAY
    assert wait(after(silent, now=late, has_news=True)) <= HOUR


@pytest.mark.parametrize(
    ("asked_for", "expected"),
    [
        ({"max_age_seconds": 7200}, 2 * HOUR),
        ({"channel": Channel(ttl_minutes=180)}, 3 * HOUR),
        ({"max_age_seconds": 7200, "channel": Channel(ttl_minutes=180)}, 3 * HOUR),
        ({"max_age_seconds": 31_536_000}, DAY),
        ({"channel": Channel(ttl_minutes=10_080)}, DAY),
    ],
)
def test_publisher_may_ask_for_a_longer_wait(asked_for: dict[str, Any], expected: timedelta) -> None:
    """max-age and ttl (or sy:) are observed to the minute, up to a day."""
    assert wait(after(**asked_for)) == expected


def test_ttl_outlives_304s() -> None:
    """The ttl of the last document counts until there is a new one."""
    state = after(channel=Channel(ttl_minutes=180))
    assert wait(after(state, "not_modified", NOW + 3 * HOUR)) == 3 * HOUR


def test_skip_hours_are_observed() -> None:
    """Over a week no request is in an hour of skipHours."""
    channel = Channel(skip_hours=(0, 1, 2, 3, 13, 14))
    hours = {state.checked_at.hour for state in fetches(after(channel=channel), 7, lambda now: {}) if state.checked_at}
    assert hours == set(range(24)) - set(channel.skip_hours)


def test_skip_days_are_observed() -> None:
    """No request is on a day of skipDays, in any spelling."""
    channel = Channel(skip_days=("Saturday", " sunday"))
    days = {
        state.checked_at.weekday() for state in fetches(after(channel=channel), 14, lambda now: {}) if state.checked_at
    }
    assert days == {0, 1, 2, 3, 4}


def test_skipping_everything_is_ignored() -> None:
    """All hours and all days skipped is a mistake."""
    channel = Channel(skip_hours=tuple(range(24)), skip_days=WEEKDAYS)
    assert wait(after(channel=channel)) <= HOUR
    assert polling.is_due(replace(STATE, channel=channel), NOW)


def test_failures_double_the_wait() -> None:
    """One failure costs an interval, each further one twice as much, up to a day; success resets the wait."""
    state, waits = STATE, []
    for count in range(1, 9):
        state = after(state, "timeout", NOW + count * DAY)
        assert state.failures == count
        waits.append(wait(state) / HOUR)
    assert 0.9 <= waits[0] < 1
    assert waits[:5] == pytest.approx([waits[0] * 2**count for count in range(5)])
    assert 0.9 * 24 <= waits[-1] <= 24
    assert after(state, "not_modified", NOW + 20 * DAY).failures == 0


def test_failure_keeps_validators_and_channel() -> None:
    """The state has the outcome and the message."""
    good = after(etag='"1"', body_sha256="abc", channel=Channel(title="The Harbour Table"))
    bad = after(good, "not_found", NOW + HOUR, status=404)
    assert (bad.etag, bad.body_sha256, bad.channel) == ('"1"', "abc", good.channel)
    assert (bad.outcome, bad.detail, bad.advice) == ("not_found", "answered", ADVICE["not_found"])
    assert (bad.read_at, bad.checked_at) == (NOW, NOW + HOUR)


def test_gone_feed_is_not_fetched_again() -> None:
    """410 disables a feed; only force fetches it, and a document enables it again."""
    state = after(kind="gone")
    assert state.gone_at == NOW
    assert not any(polling.is_due(state, NOW + days * DAY) for days in range(400))
    assert not polling.can_fetch(state, NOW + DAY)
    assert "no longer fetched" in polling.explain_wait(state)
    assert polling.can_force(state, NOW + DAY)
    assert polling.is_due(after(state, now=NOW + DAY), NOW + 2 * DAY)


def test_retry_after_blocks_the_host() -> None:
    """Until Retry-After is over no request is sent, not even by force; it applies to other feeds of the host."""
    until = NOW + 6 * HOUR
    state = after(kind="rate_limited", retry_at=until, retry_host="busy.example")
    assert not polling.can_force(state, until - timedelta(seconds=1))
    assert polling.blocked_hosts([STATE, state], NOW) == {"busy.example": until}
    assert polling.blocked_hosts([state], until) == {}
    assert "accepts no requests until 2026-02-09 18:00 UTC" in polling.explain_wait(state)
    assert polling.can_force(state, until)
    assert not polling.is_due(state, until - timedelta(seconds=1))
    assert polling.is_due(state, until + HOUR)


def test_the_longest_wait_of_a_host_counts() -> None:
    """Of two feeds of one host the later time counts."""
    states = [replace(STATE, retry_at=NOW + hours * HOUR, retry_host="busy.example") for hours in (3, 1)]
    assert polling.blocked_hosts(states, NOW) == {"busy.example": NOW + 3 * HOUR}


def test_week_of_304s_ends_with_an_unconditional_request() -> None:
    """A server that sends 304 for ever is asked for the document every seven days."""
    state, outright = after(etag='"1"'), []
    for days in range(1, 29):
        now = NOW + days * DAY
        if polling.build_request(state, now).etag:
            state = after(state, "not_modified", now, etag='"1"')
        else:
            outright.append(days)
            state = after(state, "unchanged", now, etag='"1"')
    assert outright == [7, 14, 21, 28]


def test_new_validators_of_an_unchanged_document_are_kept() -> None:
    """An equal body with a new ETag is remembered with the new one."""
    state = after(after(etag='"1"', body_sha256="abc"), "unchanged", NOW + HOUR, etag='"2"', body_sha256="abc")
    assert (state.etag, state.body_sha256) == ('"2"', "abc")


def test_partial_document_is_fetched_again() -> None:
    """The missing part must not be hidden behind a 304."""
    state = after(kind="partial", etag='"1"', body_sha256="abc", last_modified="Mon")
    assert (state.etag, state.last_modified, state.body_sha256) == ("", "", "")


def test_a_partial_document_is_not_the_first() -> None:
    """Or the rest of the archive would arrive as news; it is if the feed's documents are always partial."""
    state = after(kind="partial")
    assert state.first_read_at is None
    assert after(state, "ok", NOW + HOUR).first_read_at == NOW + HOUR
    assert after(state, "partial", NOW + HOUR).first_read_at == NOW + HOUR


def test_a_move_is_followed_after_three_sightings_over_a_day() -> None:
    """Neither three sightings within an hour nor two over a week are enough."""
    state = STATE
    for minutes in (0, 20, 40, 60):
        state = after(state, "moved", NOW + timedelta(minutes=minutes), moved_to=NEW_URL)
    assert (state.current_url, state.moved_count) == ("", 4)
    state = after(state, "not_modified", NOW + DAY, moved_to=NEW_URL)
    assert state.current_url == NEW_URL
    assert polling.build_request(state, NOW + DAY).url == NEW_URL
    assert state.url == URL
    twice = after(after(kind="moved", moved_to=NEW_URL), "moved", NOW + 7 * DAY, moved_to=NEW_URL)
    assert twice.current_url == ""


def test_inconsistent_move_is_not_followed() -> None:
    """A response without the redirect, or with another one, resets the count."""
    state = STATE
    for day, target in enumerate([NEW_URL, NEW_URL, "", NEW_URL, "https://other.example/", NEW_URL, NEW_URL]):
        state = after(state, "moved" if target else "ok", NOW + day * DAY, moved_to=target)
    assert (state.current_url, state.moved_count) == ("", 2)


def test_a_move_to_another_feed_is_not_followed() -> None:
    """A redirect to a document without a stored entry may be a parked domain."""
    state = STATE
    for day in range(10):
        state = after(state, "moved", NOW + day * DAY, moved_to=NEW_URL, same_feed=False)
    assert state.current_url == ""


@pytest.mark.parametrize(("kind", "failures"), [("not_found", 3), ("gone", 1)])
def test_adopted_url_is_given_up_first(kind: str, failures: int) -> None:
    """When the followed URL fails, the one in config.toml is fetched again."""
    state = replace(STATE, current_url=NEW_URL)
    for count in range(failures):
        assert polling.build_request(state, NOW).url == NEW_URL
        state = after(state, kind, NOW + count * DAY)
    assert (polling.build_request(state, NOW).url, state.gone_at) == (URL, None)
    assert polling.is_due(state, NOW + failures * DAY)


def test_first_read_at_is_kept() -> None:
    """``first_read_at`` is set by the first document with entries and never changes."""
    assert after(kind="timeout").first_read_at is None
    assert after(has_news=False).first_read_at is None
    first = after()
    assert first.first_read_at == NOW
    assert after(first, now=NOW + DAY).first_read_at == NOW


def test_wrong_clock_does_not_silence_a_feed() -> None:
    """After the clock is set back from 2031 to 2026, feeds scheduled for 2031 are due."""
    ahead = NOW + 5 * 365 * DAY
    assert polling.is_due(after(now=ahead), NOW)
    assert polling.is_due(after(kind="rate_limited", now=ahead, retry_at=ahead + HOUR, retry_host="h"), NOW)


@given(
    sampled_from(sorted(ADVICE)),
    integers(0, 20 * 366 * 24 * 60),
    timedeltas(min_value=timedelta(minutes=1), max_value=DAY),
    frozensets(integers(0, 23)),
    integers(0, 100),
)
def test_every_outcome_leaves_a_due_time(
    kind: Any, minutes: int, interval: timedelta, skip: frozenset[int], failures: int
) -> None:
    """Whatever the outcome, a feed that is not gone is due within about eight days."""
    now = NOW + timedelta(minutes=minutes)
    channel = Channel(skip_hours=tuple(skip))
    before = replace(STATE, failures=failures, channel=channel, new_content_at=NOW)
    state = after(before, kind, now, interval=interval, has_news=False)
    assert state.checked_at == now
    assert (state.failures == 0) == (kind in SUCCESSFUL or (kind == "rate_limited" and not failures))
    if kind != "gone":
        assert timedelta() < wait(state) <= timedelta(days=8, hours=1)
