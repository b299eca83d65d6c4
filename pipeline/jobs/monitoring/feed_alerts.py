"""Notice what a feed cannot mend by itself; tell it once, and once more when the feed is well again.

In: a store, feeds, a notifier, the moment. Out: notices, told. What is transient is left to the next attempt: a feed
must have failed for long, by its own rhythm.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType

from pipeline.jobs.monitoring import feed_messages as say
from pipeline.jobs.monitoring.feed_health import FeedHealth, load_feed_health
from pipeline.jobs.monitoring.late_feeds import resolve_arrived
from pipeline.jobs.monitoring.notifier import Notifier
from pipeline.model.alert import Alert
from pipeline.model.feed import Feed
from pipeline.scheduler.engine import Task, TaskSchedule
from pipeline.store import Store
from pipeline.text.format import count_in_words

MIN_FAILURES = 3
DAY = timedelta(days=1)
MAX_FAILING_TIME = 3 * DAY
"""A feed may fail for a seventh of its usual gap: a day where it is weekly, three where it is monthly."""
FAILING_TIME_BY_OUTCOME: Mapping[str, timedelta] = MappingProxyType(
    {"no_secret": timedelta(), "invalid_url": timedelta(), "unsafe_address": timedelta(), "not_a_feed": DAY / 4}
)
"""What does not pass by itself, or hardly ever, is said sooner."""
NETWORK_OUTCOMES = frozenset({"unreachable", "timeout", "tls_error", "protocol_error"})
"""Where all feeds fail like this, it is the way there and not the feeds."""


def feed_alerts_task(
    schedule: TaskSchedule, store: Store, feeds: Sequence[Feed], notifier: Notifier, zone: tzinfo
) -> Task:
    """Tell what is the matter with feeds; to be run after they were read."""

    def run(period: str, now: datetime) -> str:
        seen = load_feed_health(store, feeds, zone, now=now)
        known = {each.key for each in notifier.open_alerts()}
        resolve_arrived(seen, known, notifier, zone, now)
        found = find_alerts(seen, known, zone, now)
        new = notifier.reconcile("feed", found, at=now, resolutions=find_resolutions(seen, zone, now))
        return f"{count_in_words(new, 'new notice')}: {'; '.join(each.subject for each in found)}" if new else ""

    return Task(id="trouble", schedule=schedule, run=run)


def find_alerts(feeds: Sequence[FeedHealth], open_keys: Collection[str], zone: tzinfo, now: datetime) -> list[Alert]:
    """Say all that is the matter with feeds now; ``known`` are the keys of the notices that are open.

    Where no feed at all can be reached, one notice says so in place of one a feed.
    """
    found = [notice for view in feeds for notice in _of_one(view, zone, now)]
    asked = [view for view in feeds if view.state.gone_at is None]
    unread = {say.alert_key(view, "unread") for view in feeds}
    cut_off = len(asked) > 1 and all(each.state.failures and each.state.outcome in NETWORK_OUTCOMES for each in asked)
    if cut_off and (say.UNREACHABLE_KEY in open_keys or any(each.key in unread for each in found)):
        rest = [each for each in found if each.key not in unread or each.key in open_keys]
        return [say.all_unreachable(asked, zone, now), *rest]
    return found


def find_resolutions(feeds: Sequence[FeedHealth], zone: tzinfo, now: datetime) -> Iterator[tuple[str, Alert]]:
    """Give what is to be said when a notice is closed because all is well again, by the notice's key."""
    well = [view for view in feeds if view.is_healthy]
    for view in well:
        yield say.alert_key(view, "unread"), say.recovered(view, zone, now)
        yield say.alert_key(view, "gone"), say.recovered(view, zone, now)
    if well:
        yield say.UNREACHABLE_KEY, say.network_recovered(well, now)


def _of_one(view: FeedHealth, zone: tzinfo, now: datetime) -> Iterator[Alert]:
    if view.state.gone_at:
        yield say.gone(view, zone, now)
    elif _fails_for_long(view):
        yield say.unreadable(view, zone, now)
    if view.state.current_url:
        yield say.moved(view, now)
    if view.quarantined:
        yield say.quarantined(view, now)


def _fails_for_long(view: FeedHealth) -> bool:
    """Tell whether the last attempt found it failing for long; how long ago that attempt was says nothing."""
    state = view.state
    if state.failing_since is None or state.checked_at is None:
        return False
    if state.failures < MIN_FAILURES and state.outcome != "rate_limited":
        return False
    usual = timedelta(days=view.cadence.interval_days) / 7 if view.cadence.confident else DAY
    patience = min(max(usual, DAY), MAX_FAILING_TIME)
    return state.checked_at - state.failing_since >= FAILING_TIME_BY_OUTCOME.get(state.outcome, patience)
