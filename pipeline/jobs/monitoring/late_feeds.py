"""Warn, a day before the draft, about feeds that are later than their cadence suggests, and say why."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta, tzinfo

from pipeline.ingest.cadence import Cadence, expected_on, is_late
from pipeline.jobs.monitoring.feed_health import FeedHealth, load_feed_health
from pipeline.jobs.monitoring.feed_messages import last_attempt
from pipeline.jobs.monitoring.notifier import Notifier
from pipeline.model.alert import Alert
from pipeline.model.feed import Feed
from pipeline.model.schedule import MAX_INTERVAL, At, Every, Schedule
from pipeline.scheduler.engine import Done, Task
from pipeline.store import Store
from pipeline.text.format import WEEKDAY_NAMES, count_in_words, datetime_in_words, day_in_words

ALERT_PREFIX = "late/"
RECENT_FETCH = timedelta(days=1)
"""A feed that was last read longer ago than this may have new entries."""


def day_before(draft: Schedule) -> Schedule:
    """Return the default schedule of the check: a day before the draft, at the same time of day.

    >>> from pipeline.model.schedule import parse_schedule
    >>> day_before(parse_schedule("mon,thu 16:00")) == parse_schedule("sun,wed 16:00")
    True
    """
    if isinstance(draft, Every):
        return Every(MAX_INTERVAL)
    return At(weekdays=tuple(sorted((day - 1) % 7 for day in draft.weekdays)), time=draft.time)


def late_feeds_task(
    schedule: Schedule, draft: Schedule, store: Store, feeds: Sequence[Feed], notifier: Notifier, zone: tzinfo
) -> Task:
    """Return the task that checks before each draft whether feeds are late."""

    def run(period: str, now: datetime) -> Done:
        draft_at = draft.next_at(now, zone)
        late = late_feeds(load_feed_health(store, feeds, zone, now=now), zone, now)
        new = notifier.reconcile(ALERT_PREFIX, [late_alert(feed, draft_at, zone, now) for feed in late], at=now)
        return Done(message=f"late: {', '.join(feed.feed.id for feed in late)}" if new else "")

    return Task(id="late-feeds", schedule=schedule, run=run)


def resolve_arrived(
    feeds: Sequence[FeedHealth], open_keys: Collection[str], notifier: Notifier, zone: tzinfo, now: datetime
) -> None:
    """Close the alerts of feeds that have new entries by now, without a message."""
    late = {_key(feed) for feed in late_feeds(feeds, zone, now)}
    for key in open_keys:
        if key.startswith(ALERT_PREFIX) and key not in late:
            notifier.resolve(key, at=now)


def late_feeds(feeds: Sequence[FeedHealth], zone: tzinfo, now: datetime) -> list[FeedHealth]:
    """Return the feeds that are later than usual."""
    today = now.astimezone(zone).date()
    return [feed for feed in feeds if feed.last_published_on and is_late(feed.cadence, feed.last_published_on, today)]


def late_alert(feed: FeedHealth, draft_at: datetime, zone: tzinfo, now: datetime) -> Alert:
    """Return the alert for a late feed: when an entry was expected, and why there is none."""
    last_on = feed.last_published_on or now.astimezone(zone).date()
    expected = day_in_words(expected_on(feed.cadence, last_on))
    text = [
        f"There is nothing new since {day_in_words(last_on)}. Usually there is something new "
        f"{describe_cadence(feed.cadence)}, so it was expected on {expected}. The next draft is written on "
        f"{datetime_in_words(draft_at, zone)}.",
        *_cause(feed, zone, now),
    ]
    return Alert(key=_key(feed), subject=f"{feed.display_name} is late", text="\n\n".join(text), raised_at=now)


def describe_cadence(cadence: Cadence) -> str:
    """Return how often a feed has something new, in words.

    >>> [describe_cadence(Cadence(interval_days=days)) for days in (1, 3, 30)]
    ['nearly every day', 'about every 3 days', 'about once a month']
    >>> describe_cadence(Cadence(interval_days=7, weekday=1)), describe_cadence(Cadence(interval_days=14, weekday=1))
    ('on Tuesdays', 'every second Tuesday')
    """
    if cadence.weekday is not None:
        day = WEEKDAY_NAMES[cadence.weekday]
        return f"on {day}s" if cadence.interval_days == 7 else f"every second {day}"
    if cadence.interval_days <= 1:
        return "nearly every day"
    return "about once a month" if 28 <= cadence.interval_days <= 31 else f"about every {cadence.interval_days} days"


def _key(feed: FeedHealth) -> str:
    return f"{ALERT_PREFIX}{feed.feed.id}"


def _cause(feed: FeedHealth, zone: tzinfo, now: datetime) -> Iterator[str]:
    state = feed.state
    if state.gone_at or state.failing_since:
        since = datetime_in_words(state.gone_at or state.failing_since or now, zone)
        yield (
            f"The feed is broken: it could not be read since {since}, so there may be new entries that the program "
            f"cannot see. {last_attempt(state)}"
        )
    elif feed.quarantined:
        entries = count_in_words(len(feed.quarantined), "entry is", "entries are")
        yield f"{entries.capitalize()} in quarantine and may be what is missing. If all is well, accept them:"
        yield f"    pipeline feeds accept {feed.feed.id}"
    elif state.read_at is None or now - state.read_at > RECENT_FETCH:
        since = f"since {datetime_in_words(state.read_at, zone)}" if state.read_at else "so far"
        yield (
            f"The feed was not read {since}, so there may be new entries: `pipeline fetch {feed.feed.id}` reads it now."
        )
    else:
        yield (
            f"The feed is healthy: it was read on {datetime_in_words(state.read_at, zone)}. So nothing has been "
            "published yet. Wait, ask the author, or let the newsletter go out without it."
        )
