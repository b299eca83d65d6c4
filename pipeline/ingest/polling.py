"""When to ask a feed again, and what to remember of the last time.

In: what is remembered, an outcome, ``now``. Out: the next request, the next memory. Pure: months of polling pass in a
test as fast as it can count.

A feed is asked at its ``interval``, and less often the longer it has had no news (a 24th of its silence, at most once
a day). The publisher may ask for longer (max-age, ttl, skipHours, skipDays), the host for longer still (Retry-After).
Failures double the wait. Everything is a little early, by a share that is each feed's own, so that feeds
added together do not come due together for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from pipeline.model.feed import Channel, FeedState
from pipeline.model.fetch import FetchOutcome, FetchRequest
from pipeline.text.format import format_utc
from pipeline.text.urls import url_key

DEFAULT_INTERVAL = timedelta(minutes=30)
MAX_INTERVAL = timedelta(days=1)
"""No feed waits longer than this, whatever it asks for, unless its interval or its host says so."""
SILENCE_SHARE = 24
JITTER_SHARE = 0.1
UNCONDITIONAL_AFTER = timedelta(days=7)
"""Some servers answer 304 for ever; after this long without a document one is asked for outright."""
MIN_MOVE_SIGHTINGS = 3
MIN_MOVE_AGE = timedelta(hours=24)
MAX_ADDRESS_FAILURES = 3
MAX_DOUBLINGS = 20
IMPLAUSIBLE_WAIT = timedelta(days=8)
"""A feed due later than this was put off by a clock that ran ahead."""

_HOUR = timedelta(hours=1)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def is_due(state: FeedState, now: datetime) -> bool:
    """Tell whether the schedule asks a feed now: what the daemon and cron go by.

    >>> is_due(FeedState(feed_id="blog"), datetime.fromisoformat("2026-02-09T12:00Z"))
    True
    """
    due = state.due_at is None or state.due_at <= now or state.due_at - now > IMPLAUSIBLE_WAIT
    return due and can_fetch(state, now) and _is_welcome(now, state.channel)


def can_fetch(state: FeedState, now: datetime) -> bool:
    """Tell whether a feed may be asked because a person wants it now: unless it is gone, or its host wants to wait."""
    return state.gone_at is None and can_force(state, now)


def can_force(state: FeedState, now: datetime) -> bool:
    """Tell whether a feed may be asked at any price: ``--force`` overrides the schedule, never the host's wait."""
    return state.retry_at is None or not now < state.retry_at < now + IMPLAUSIBLE_WAIT


def explain_wait(state: FeedState) -> str:
    """Say why a feed is not asked.

    >>> why_waiting(FeedState(feed_id="blog", gone_at=datetime.fromisoformat("2026-02-09T12:00Z")))
    'gone since 2026-02-09 and no longer asked: remove it from config.toml or give its new address'
    """
    if state.gone_at:
        since = f"{state.gone_at:%Y-%m-%d}"
        return f"gone since {since} and no longer asked: remove it from config.toml or give its new address"
    if state.retry_at and state.outcome == "rate_limited":
        return f"its host wants to be left alone until {format_utc(state.retry_at)}"
    return f"not due before {format_utc(state.due_at)}" if state.due_at else "due now"


def moved_hint(channel: Channel, url: str) -> str:
    """Pass on a podcast host's hint that its feed lives elsewhere (itunes:new-feed-url), or "".

    A hint is no proof: old ones stay in feeds for years, so nobody follows it without being told to.

    >>> says_it_moved(Channel(new_feed_url="https://new.example/feed"), "http://old.example/feed")
    'says that it moved to https://new.example/feed: look there, and write that address into config.toml'
    """
    if url_key(channel.new_feed_url) in ("", url_key(url)):
        return ""
    return f"says that it moved to {channel.new_feed_url}: look there, and write that address into config.toml"


def build_request(state: FeedState, now: datetime, *, headers: tuple[tuple[str, str], ...] = ()) -> FetchRequest:
    """Ask for what changed since the last time; for all of it where 304s went on for a week.

    >>> now = datetime.fromisoformat("2026-02-09T12:00Z")
    >>> state = FeedState(feed_id="blog", url="https://a.example/", etag='"1"', body_at=now)
    >>> request(state, now).etag, request(state, now + timedelta(days=7)).etag
    ('"1"', '')
    """
    conditional = state.document_at is not None and now - state.document_at < UNCONDITIONAL_AFTER
    return FetchRequest(
        key=state.feed_id,
        url=state.current_url or state.url,
        etag=state.etag if conditional else "",
        last_modified=state.last_modified if conditional else "",
        body_sha256=state.body_sha256,
        headers=headers,
    )


def blocked_hosts(states: Iterable[FeedState], now: datetime) -> dict[str, datetime]:
    """Return which hosts asked not to be asked before when, by any feed: for ``HttpFetcher(holds=…)``."""
    waits = [(state.retry_at, state.retry_host) for state in states if state.retry_at and state.retry_host]
    return {host: until for until, host in sorted(waits) if until > now}


def next_state(
    state: FeedState,
    outcome: FetchOutcome,
    *,
    now: datetime,
    interval: timedelta = DEFAULT_INTERVAL,
    channel: Channel | None = None,
    has_news: bool | None = None,
    same_feed: bool = True,
) -> FeedState:
    """Return what to remember after an outcome, ``due_at`` included.

    ``state.url`` is the address config gives. ``channel`` is what a fresh document says of itself. ``news`` tells
    whether the read brought an entry that was new or changed (None: unknown, so any fresh document counts).
    ``same_feed=False`` says that a document behind a redirect shares no entry with what is stored: such a move is not
    followed.
    """
    seen = replace(state, checked_at=now, outcome=outcome.kind, detail=outcome.message)
    if outcome.ok:
        settled = outcome.kind != "partial" or state.outcome == "partial"
        learnt = _learn(
            seen, outcome, now, channel, fresh_news=outcome.has_body and has_news is not False, settled=settled
        )
        known = _watch_move(learnt, outcome, now, same_feed=same_feed)
        return replace(known, due_at=_due_after_answer(known, outcome, now, interval))
    if outcome.kind == "rate_limited":
        seen = replace(seen, failing_since=state.failing_since or now)
        until = outcome.retry_at or now + interval
        due_at = until + _jitter(state.feed_id, interval)
        return replace(seen, retry_at=until, retry_host=outcome.retry_host, due_at=due_at)
    return _fail(seen, now, interval)


def _learn(
    state: FeedState, outcome: FetchOutcome, now: datetime, channel: Channel | None, *, fresh_news: bool, settled: bool
) -> FeedState:
    """Keep what a good answer says. A document that was only partly read is asked for outright the next time.

    Nor is it the feed's first read, unless it is ``settled`` that the feed is always like that: the rest of its backlog
    would come as news.
    """
    whole = outcome.kind != "partial"
    return replace(
        state,
        failures=0,
        failing_since=None,
        gone_at=None,
        read_at=now,
        etag=outcome.etag if whole else "",
        last_modified=outcome.last_modified if whole else "",
        body_sha256=outcome.body_sha256 if whole else "",
        channel=channel or state.channel,
        document_at=state.document_at if outcome.kind == "not_modified" else now,
        first_read_at=state.first_read_at or (now if fresh_news and settled else None),
        new_content_at=now if fresh_news else state.new_content_at,
    )


def _watch_move(state: FeedState, outcome: FetchOutcome, now: datetime, *, same_feed: bool) -> FeedState:
    """Count the sightings of a permanent redirect, and follow it for good after enough of them."""
    if not outcome.moved_to or not same_feed:
        return replace(state, moved_to="", moved_first_at=None, moved_count=0)
    again = outcome.moved_to == state.moved_to
    first_at = (state.moved_first_at if again else None) or now
    sightings = state.moved_count + 1 if again else 1
    if sightings >= MIN_MOVE_SIGHTINGS and now - first_at >= MIN_MOVE_AGE:
        return replace(state, current_url=outcome.moved_to, moved_to="", moved_first_at=None, moved_count=0)
    return replace(state, moved_to=outcome.moved_to, moved_first_at=first_at, moved_count=sightings)


def _fail(state: FeedState, now: datetime, interval: timedelta) -> FeedState:
    """Wait twice as long after each failure; doubt an adopted address before the one config gives."""
    failures = state.failures + 1
    state = replace(state, failing_since=min(state.failing_since or now, now))
    if state.current_url and (state.outcome == "gone" or failures >= MAX_ADDRESS_FAILURES):
        return replace(state, failures=failures, current_url="", due_at=now + interval)
    if state.outcome == "gone":
        return replace(state, failures=failures, gone_at=now, due_at=None)
    wait = min(interval * 2 ** min(failures - 1, MAX_DOUBLINGS), max(interval, MAX_INTERVAL))
    return replace(state, failures=failures, due_at=now + wait - _jitter(state.feed_id, wait))


def _due_after_answer(state: FeedState, outcome: FetchOutcome, now: datetime, interval: timedelta) -> datetime:
    silence = now - (state.new_content_at or now)
    own = max(interval, min(silence / SILENCE_SHARE, MAX_INTERVAL))
    asked = timedelta(minutes=state.channel.ttl_minutes or 0), timedelta(seconds=outcome.max_age_seconds or 0)
    wait = max(own - _jitter(state.feed_id, own), min(max(asked), MAX_INTERVAL))
    return _put_off(now + wait, state.channel)


def _put_off(moment: datetime, channel: Channel) -> datetime:
    """Put a moment off to the next hour in which the publisher is willing to be asked."""
    for _ in range(7 * 24):
        if _is_welcome(moment, channel):
            break
        moment = moment.replace(minute=0, second=0, microsecond=0) + _HOUR
    return moment


def _is_welcome(moment: datetime, channel: Channel) -> bool:
    """Tell whether the publisher wants to be asked in this hour (RSS 2.0, skipHours and skipDays: in GMT).

    Whoever skips every hour or every day cannot mean it.
    """
    hours, days = set(channel.skip_hours), {day.strip().lower() for day in channel.skip_days}
    skipped_hour = moment.hour in hours and not hours.issuperset(range(24))
    skipped_day = _WEEKDAYS[moment.weekday()] in days and not days.issuperset(_WEEKDAYS)
    return not (skipped_hour or skipped_day)


def _jitter(feed_id: str, span: timedelta) -> timedelta:
    """Return the feed's own share of a tenth of the span: always the same, spread evenly over all feeds."""
    share = int.from_bytes(hashlib.sha256(feed_id.encode("utf-8")).digest()[:8], "big") / 2**64
    return span * (JITTER_SHARE * share)
