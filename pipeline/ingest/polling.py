"""When to fetch a feed again, and what to remember of the last fetch.

A feed is fetched at its ``interval``, and less often the longer it has nothing new (1/24 of that time, at most a day).
The publisher may ask for longer (max-age, ttl, skipHours, skipDays), the host for longer still (Retry-After). Failures
double the wait. Every feed is fetched a little early, each by a different amount, so that they are not all due at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from pipeline.ingest.parse import PARSER_VERSION
from pipeline.model.feed import Channel, FeedState
from pipeline.model.fetch import FetchOutcome, FetchRequest
from pipeline.text.format import format_utc
from pipeline.text.urls import url_key

DEFAULT_INTERVAL = timedelta(minutes=30)
MAX_INTERVAL = timedelta(days=1)
"""Maximum wait whatever the publisher asks for; a longer interval or Retry-After still counts."""
SILENCE_SHARE = 24
JITTER_SHARE = 0.1
UNCONDITIONAL_AFTER = timedelta(days=7)
"""Some servers answer 304 for ever; after this time without a document the request is unconditional."""
MIN_MOVE_SIGHTINGS = 3
MIN_MOVE_AGE = timedelta(hours=24)
MAX_ADDRESS_FAILURES = 3
MAX_DOUBLINGS = 20
IMPLAUSIBLE_WAIT = timedelta(days=8)
"""A feed due later than this was scheduled by a wrong clock and is due now."""

_VERSION = f"{PARSER_VERSION}."
_HOUR = timedelta(hours=1)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def is_due(state: FeedState, now: datetime) -> bool:
    """Check whether the schedule fetches a feed now.

    >>> is_due(FeedState(feed_id="blog"), datetime.fromisoformat("2026-02-09T12:00Z"))
    True
    """
    due = state.due_at is None or state.due_at <= now or state.due_at - now > IMPLAUSIBLE_WAIT
    return due and can_fetch(state, now) and _is_allowed(now, state.channel)


def can_fetch(state: FeedState, now: datetime) -> bool:
    """Check whether a feed may be fetched on request: unless it is gone or its host is blocked (Retry-After)."""
    return state.gone_at is None and can_force(state, now)


def can_force(state: FeedState, now: datetime) -> bool:
    """Check whether a feed may be fetched with ``--force``, which overrides everything but the host's Retry-After."""
    return state.retry_at is None or not now < state.retry_at < now + IMPLAUSIBLE_WAIT


def explain_wait(state: FeedState) -> str:
    """Return why a feed is not fetched.

    >>> explain_wait(FeedState(feed_id="blog", gone_at=datetime.fromisoformat("2026-02-09T12:00Z")))
    'gone since 2026-02-09 and no longer fetched: remove it from config.toml or enter its new address'
    """
    if state.gone_at:
        since = f"{state.gone_at:%Y-%m-%d}"
        return f"gone since {since} and no longer fetched: remove it from config.toml or enter its new address"
    if state.retry_at and state.outcome == "rate_limited":
        return f"its host accepts no requests until {format_utc(state.retry_at)}"
    return f"not due before {format_utc(state.due_at)}" if state.due_at else "due now"


def moved_hint(channel: Channel, url: str) -> str:
    """Return the URL in itunes:new-feed-url if it differs from ``url``; empty otherwise.

    The hint is not followed: outdated ones stay in feeds for years.

    >>> moved_hint(Channel(new_feed_url="https://new.example/feed"), "http://old.example/feed")
    'https://new.example/feed'
    """
    return "" if url_key(channel.new_feed_url) in ("", url_key(url)) else channel.new_feed_url


def build_request(state: FeedState, now: datetime, *, headers: tuple[tuple[str, str], ...] = ()) -> FetchRequest:
    """Return the conditional request for a feed; it is unconditional after a week of 304s.

    What an older parser read is requested as if for the first time, because it may be stored wrongly.

    >>> now = datetime.fromisoformat("2026-02-09T12:00Z")
    >>> current = Channel(head_hash=f"{PARSER_VERSION}.")
    >>> state = FeedState(feed_id="blog", url="https://a.example/", etag='"1"', document_at=now, channel=current)
    >>> build_request(state, now).etag, build_request(state, now + timedelta(days=7)).etag
    ('"1"', '')
    """
    is_current = state.channel.head_hash.startswith(_VERSION)
    conditional = is_current and state.document_at is not None and now - state.document_at < UNCONDITIONAL_AFTER
    return FetchRequest(
        key=state.feed_id,
        url=state.current_url or state.url,
        etag=state.etag if conditional else "",
        last_modified=state.last_modified if conditional else "",
        body_sha256=state.body_sha256 if is_current else "",
        headers=headers,
    )


def blocked_hosts(states: Iterable[FeedState], now: datetime) -> dict[str, datetime]:
    """Return the hosts that refuse requests now, with the time (aware UTC) until which they do."""
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
    same_feed: bool | None = None,
) -> FeedState:
    """Return the feed's state after an outcome, ``due_at`` included.

    ``state.url`` is the configured URL, ``channel`` that of a new document. ``has_news`` is True if an entry was new or
    changed (None: unknown, so every document counts). ``same_feed`` is False if a document behind a redirect shares no
    entry with the stored ones (None: no document came, so it is as before): such a move is not followed.
    """
    checked = replace(state, checked_at=now, outcome=outcome.kind, detail=outcome.detail, advice=outcome.advice)
    if outcome.ok:
        succeeded = _record_success(checked, outcome, now, channel, has_news=outcome.has_body and has_news is not False)
        # A partial document does not count as a feed's first, or the rest of its archive would arrive as news; it does
        # if the feed's documents are always partial.
        if outcome.kind == "partial" and state.outcome != "partial":
            succeeded = replace(succeeded, first_read_at=state.first_read_at)
        tracked = _track_move(succeeded, outcome, now, same_feed=same_feed)
        return replace(tracked, due_at=_due_after_success(tracked, outcome, now, interval))
    if outcome.kind == "rate_limited":
        until = outcome.retry_at or now + interval
        return replace(
            checked,
            failing_since=state.failing_since or now,
            retry_at=until,
            retry_host=outcome.retry_host,
            due_at=until + _jitter(state.feed_id, interval),
        )
    return _record_failure(checked, now, interval)


def _record_success(
    state: FeedState, outcome: FetchOutcome, now: datetime, channel: Channel | None, *, has_news: bool
) -> FeedState:
    """Return the state after a successful outcome. A partial document leaves no validators: it is requested again."""
    complete = outcome.kind != "partial"
    channel = channel or state.channel
    if not channel.head_hash.startswith(_VERSION):  # some documents have no head apart from their entries
        channel = replace(channel, head_hash=_VERSION)
    return replace(
        state,
        failures=0,
        failing_since=None,
        gone_at=None,
        read_at=now,
        etag=outcome.etag if complete else "",
        last_modified=outcome.last_modified if complete else "",
        body_sha256=outcome.body_sha256 if complete else "",
        channel=channel,
        document_at=state.document_at if outcome.kind == "not_modified" else now,
        first_read_at=state.first_read_at or (now if has_news else None),
        new_content_at=now if has_news else state.new_content_at,
    )


def _track_move(state: FeedState, outcome: FetchOutcome, now: datetime, *, same_feed: bool | None) -> FeedState:
    """Count the sightings of a permanent redirect, and adopt its target after enough of them; never another feed."""
    again = outcome.moved_to == state.moved_to
    if same_feed is None:
        same_feed = not again or state.moved_count > 0
    if not outcome.moved_to or not same_feed:
        return replace(state, moved_to=outcome.moved_to, moved_first_at=None, moved_count=0)
    first_at = (state.moved_first_at if again else None) or now
    sightings = state.moved_count + 1 if again else 1
    if sightings >= MIN_MOVE_SIGHTINGS and now - first_at >= MIN_MOVE_AGE:
        return replace(state, current_url=outcome.moved_to, moved_to="", moved_first_at=None, moved_count=0)
    return replace(state, moved_to=outcome.moved_to, moved_first_at=first_at, moved_count=sightings)


def _record_failure(state: FeedState, now: datetime, interval: timedelta) -> FeedState:
    """Double the wait after each failure; give up an adopted URL before the configured one."""
    failures = state.failures + 1
    state = replace(state, failing_since=min(state.failing_since or now, now))
    if state.current_url and (state.outcome == "gone" or failures >= MAX_ADDRESS_FAILURES):
        return replace(state, failures=failures, current_url="", due_at=now + interval)
    if state.outcome == "gone":
        return replace(state, failures=failures, gone_at=now, due_at=None)
    wait = min(interval * 2 ** min(failures - 1, MAX_DOUBLINGS), max(interval, MAX_INTERVAL))
    return replace(state, failures=failures, due_at=now + wait - _jitter(state.feed_id, wait))


def _due_after_success(state: FeedState, outcome: FetchOutcome, now: datetime, interval: timedelta) -> datetime:
    silence = now - (state.new_content_at or now)
    own = max(interval, min(silence / SILENCE_SHARE, MAX_INTERVAL))
    requested = timedelta(minutes=state.channel.ttl_minutes or 0), timedelta(seconds=outcome.max_age_seconds or 0)
    wait = max(own - _jitter(state.feed_id, own), min(max(requested), MAX_INTERVAL))
    return _next_allowed(now + wait, state.channel)


def _next_allowed(time: datetime, channel: Channel) -> datetime:
    """Return the time, or the start of the next hour that the publisher allows."""
    for _ in range(7 * 24):
        if _is_allowed(time, channel):
            break
        time = time.replace(minute=0, second=0, microsecond=0) + _HOUR
    return time


def _is_allowed(time: datetime, channel: Channel) -> bool:
    """Check whether the publisher allows requests in this hour (RSS 2.0, skipHours and skipDays, in GMT).

    A list of all hours or all days is ignored.
    """
    hours, days = set(channel.skip_hours), {day.strip().lower() for day in channel.skip_days}
    skipped_hour = time.hour in hours and not hours.issuperset(range(24))
    skipped_day = _WEEKDAYS[time.weekday()] in days and not days.issuperset(_WEEKDAYS)
    return not (skipped_hour or skipped_day)


def _jitter(feed_id: str, span: timedelta) -> timedelta:
    """Return the feed's own share of a tenth of the span: constant, and spread evenly over all feeds."""
    share = int.from_bytes(hashlib.sha256(feed_id.encode("utf-8")).digest()[:8], "big") / 2**64
    return span * (JITTER_SHARE * share)
