"""The quiet-week watch: a day before the draft, say which feed is late, and whether it is the feed or its people.

In: a store, feeds, a notifier, the moment. Out: a notice for each late feed, told once for each silence. All is well:
nothing is said. What is usual for a feed, its entries say (``ingest.rhythm``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta, tzinfo

from pipeline.ingest.rhythm import Rhythm, expected_on, is_late
from pipeline.jobs.feed_notices import last_time
from pipeline.jobs.feed_view import FeedView, views
from pipeline.jobs.notify import Notifier
from pipeline.jobs.tick import Task
from pipeline.model.feed import Feed
from pipeline.model.notice import Notice
from pipeline.model.schedule import LONGEST_INTERVAL, At, Every, Schedule
from pipeline.store import Store
from pipeline.text.moments import WEEKDAYS, counted, day_in_words, moment_in_words

LATE = "late/"
ASKED_LATELY = timedelta(days=1)
"""A feed that was asked longer ago may well have something."""


def day_before(draft: Schedule) -> Schedule:
    """Give the schedule of the watch: at the draft's time, a day earlier.

    >>> from pipeline.model.schedule import parse_schedule
    >>> day_before(parse_schedule("mon,thu 16:00")) == parse_schedule("sun,wed 16:00")
    True
    """
    if isinstance(draft, Every):
        return Every(LONGEST_INTERVAL)
    return At(weekdays=tuple(sorted((day - 1) % 7 for day in draft.weekdays)), time=draft.time)


def watch_task(
    rhythm: Schedule, draft: Schedule, store: Store, feeds: Sequence[Feed], notifier: Notifier, zone: tzinfo
) -> Task:
    """Look before each draft whether a feed is late."""

    def run(period: str, now: datetime) -> str:
        draft_at = draft.next_at(now, zone)
        seen = late(views(store, feeds, zone, now=now), zone, now)
        new = notifier.settle(LATE, [lateness(view, draft_at, zone, now) for view in seen], at=now)
        return f"late: {', '.join(view.feed.id for view in seen)}" if new else ""

    return Task(id="watch", schedule=rhythm, run=run)


def close_arrived(
    seen: Sequence[FeedView], known: Collection[str], notifier: Notifier, zone: tzinfo, now: datetime
) -> None:
    """Close the notices of feeds that have something new meanwhile; nobody need be told of that."""
    still = {_key(view) for view in late(seen, zone, now)}
    for key in known:
        if key.startswith(LATE) and key not in still:
            notifier.close(key, at=now)


def late(seen: Sequence[FeedView], zone: tzinfo, now: datetime) -> list[FeedView]:
    """Find the feeds that are later than they usually are."""
    today = now.astimezone(zone).date()
    return [view for view in seen if view.last_on and is_late(view.rhythm, view.last_on, today)]


def lateness(view: FeedView, draft_at: datetime, zone: tzinfo, now: datetime) -> Notice:
    """Say of a late feed since when it was to be expected, and why it may be late."""
    last_on = view.last_on or now.astimezone(zone).date()
    text = [
        f"Nothing new since {day_in_words(last_on)}. Usually there is something new {usually(view.rhythm)}, so it was "
        f"to be expected on {day_in_words(expected_on(view.rhythm, last_on))}. The next newsletter is made on "
        f"{moment_in_words(draft_at, zone)}.",
        *_why(view, zone, now),
    ]
    return Notice(key=_key(view), subject=f"{view.name} is late", text="\n\n".join(text), at=now)


def usually(rhythm: Rhythm) -> str:
    """Say how often a feed has something new.

    >>> [usually(Rhythm(usual_days=days)) for days in (1, 3, 30)]
    ['nearly every day', 'about every 3 days', 'about once a month']
    >>> usually(Rhythm(usual_days=7, weekday=1)), usually(Rhythm(usual_days=14, weekday=1))
    ('on Tuesdays', 'every second Tuesday')
    """
    if rhythm.weekday is not None:
        day = WEEKDAYS[rhythm.weekday]
        return f"on {day}s" if rhythm.usual_days == 7 else f"every second {day}"
    if rhythm.usual_days <= 1:
        return "nearly every day"
    return "about once a month" if 28 <= rhythm.usual_days <= 31 else f"about every {rhythm.usual_days} days"


def _key(view: FeedView) -> str:
    return f"{LATE}{view.feed.id}"


def _why(view: FeedView, zone: tzinfo, now: datetime) -> Iterator[str]:
    state = view.state
    if state.gone_at or state.failing_since:
        since = moment_in_words(state.gone_at or state.failing_since or now, zone)
        yield (
            f"The feed is broken: since {since} it could not be read, so there may be something new that the program "
            f"cannot see. {last_time(state)}"
        )
    elif view.held_back:
        yield (
            f"{counted(len(view.held_back), 'entry is', 'entries are')} held back and may be what is missing. If all "
            "is well with them, take them in:"
        )
        yield f"    pipeline feeds accept {view.feed.id}"
    elif state.read_at is None or now - state.read_at > ASKED_LATELY:
        asked = f"since {moment_in_words(state.read_at, zone)}" if state.read_at else "at all so far"
        yield f"The program has not read it {asked}, so it may be there already: `pipeline fetch {view.feed.id}` looks."
    else:
        yield (
            f"The feed is well: it was read on {moment_in_words(state.read_at, zone)}. So nobody has published "
            "anything yet. You can wait, ask whoever writes, or let the newsletter go without it."
        )
