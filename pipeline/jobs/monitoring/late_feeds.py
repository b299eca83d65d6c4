"""The quiet-week watch: a day before the draft, say which feed is late, and whether it is the feed or its people.

In: a store, feeds, a notifier, the moment. Out: a notice for each late feed, told once for each silence. All is well:
nothing is said. What is usual for a feed, its entries say (``ingest.rhythm``).
"""

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
from pipeline.scheduler.engine import Task
from pipeline.store import Store
from pipeline.text.format import WEEKDAY_NAMES, count_in_words, datetime_in_words, day_in_words

ALERT_PREFIX = "late/"
RECENT_FETCH = timedelta(days=1)
"""A feed that was asked longer ago may well have something."""


def day_before(draft: Schedule) -> Schedule:
    """Give the schedule of the watch: at the draft's time, a day earlier.

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
    """Look before each draft whether a feed is late."""

    def run(period: str, now: datetime) -> str:
        draft_at = draft.next_at(now, zone)
        seen = late_feeds(load_feed_health(store, feeds, zone, now=now), zone, now)
        new = notifier.reconcile(ALERT_PREFIX, [late_alert(view, draft_at, zone, now) for view in seen], at=now)
        return f"late: {', '.join(view.feed.id for view in seen)}" if new else ""

    return Task(id="watch", schedule=schedule, run=run)


def resolve_arrived(
    feeds: Sequence[FeedHealth], open_keys: Collection[str], notifier: Notifier, zone: tzinfo, now: datetime
) -> None:
    """Close the notices of feeds that have something new meanwhile; nobody need be told of that."""
    still = {_key(view) for view in late_feeds(feeds, zone, now)}
    for key in open_keys:
        if key.startswith(ALERT_PREFIX) and key not in still:
            notifier.resolve(key, at=now)


def late_feeds(feeds: Sequence[FeedHealth], zone: tzinfo, now: datetime) -> list[FeedHealth]:
    """Find the feeds that are later than they usually are."""
    today = now.astimezone(zone).date()
    return [view for view in feeds if view.last_published_on and is_late(view.cadence, view.last_published_on, today)]


def late_alert(feed_health: FeedHealth, draft_at: datetime, zone: tzinfo, now: datetime) -> Alert:
    """Say of a late feed since when it was to be expected, and why it may be late."""
    last_on = feed_health.last_published_on or now.astimezone(zone).date()
    text = [
        f"Nothing new since {day_in_words(last_on)}. Usually there is something new {describe_cadence(feed_health.cadence)}, so it was "
        f"to be expected on {day_in_words(expected_on(feed_health.cadence, last_on))}. The next newsletter is made on "
        f"{datetime_in_words(draft_at, zone)}.",
        *_why(feed_health, zone, now),
    ]
    return Alert(
        key=_key(feed_health), subject=f"{feed_health.display_name} is late", text="\n\n".join(text), raised_at=now
    )


def describe_cadence(rhythm: Cadence) -> str:
    """Say how often a feed has something new.

    >>> [usually(Rhythm(usual_days=days)) for days in (1, 3, 30)]
    ['nearly every day', 'about every 3 days', 'about once a month']
    >>> usually(Rhythm(usual_days=7, weekday=1)), usually(Rhythm(usual_days=14, weekday=1))
    ('on Tuesdays', 'every second Tuesday')
    """
    if rhythm.weekday is not None:
        day = WEEKDAY_NAMES[rhythm.weekday]
        return f"on {day}s" if rhythm.interval_days == 7 else f"every second {day}"
    if rhythm.interval_days <= 1:
        return "nearly every day"
    return "about once a month" if 28 <= rhythm.interval_days <= 31 else f"about every {rhythm.interval_days} days"


def _key(view: FeedHealth) -> str:
    return f"{ALERT_PREFIX}{view.feed.id}"


def _why(view: FeedHealth, zone: tzinfo, now: datetime) -> Iterator[str]:
    state = view.state
    if state.gone_at or state.failing_since:
        since = datetime_in_words(state.gone_at or state.failing_since or now, zone)
        yield (
            f"The feed is broken: since {since} it could not be read, so there may be something new that the program "
            f"cannot see. {last_attempt(state)}"
        )
    elif view.quarantined:
        yield (
            f"{count_in_words(len(view.quarantined), 'entry is', 'entries are')} held back and may be what is missing. If all "
            "is well with them, take them in:"
        )
        yield f"    pipeline feeds accept {view.feed.id}"
    elif state.read_at is None or now - state.read_at > RECENT_FETCH:
        asked = f"since {datetime_in_words(state.read_at, zone)}" if state.read_at else "at all so far"
        yield f"The program has not read it {asked}, so it may be there already: `pipeline fetch {view.feed.id}` looks."
    else:
        yield (
            f"The feed is well: it was read on {datetime_in_words(state.read_at, zone)}. So nobody has published "
            "anything yet. You can wait, ask whoever writes, or let the newsletter go without it."
        )
