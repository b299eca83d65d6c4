"""Raise alerts about feeds that have a lasting problem, and resolve them once a feed has recovered.

Temporary failures are left to the next fetch: a feed must have failed for long, relative to its cadence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType

from pipeline.jobs.monitoring import feed_messages as messages
from pipeline.jobs.monitoring.feed_health import FeedHealth, load_feed_health
from pipeline.jobs.monitoring.late_feeds import resolve_arrived
from pipeline.jobs.monitoring.notifier import Notifier
from pipeline.model.alert import Alert
from pipeline.model.feed import Feed
from pipeline.scheduler.engine import Done, Task, TaskSchedule
from pipeline.store import Store
from pipeline.text.format import count_in_words

MIN_FAILURES = 3
DAY = timedelta(days=1)
MAX_FAILING_TIME = 3 * DAY
"""A feed may fail for a seventh of its usual gap before there is an alert: a day if weekly, three if monthly."""
FAILING_TIME_BY_OUTCOME: Mapping[str, timedelta] = MappingProxyType(
    {"no_secret": timedelta(), "invalid_url": timedelta(), "unsafe_address": timedelta(), "not_a_feed": DAY / 4}
)
"""Outcomes that hardly ever pass by themselves, so that the alert comes sooner."""
NETWORK_OUTCOMES = frozenset({"unreachable", "timeout", "tls_error", "protocol_error"})
"""If all feeds fail with these, the network is the cause."""


def feed_alerts_task(
    schedule: TaskSchedule, store: Store, feeds: Sequence[Feed], notifier: Notifier, zone: tzinfo
) -> Task:
    """Return the task that raises and resolves alerts about feeds. It runs after the feeds were fetched."""

    def run(period: str, now: datetime) -> Done:
        health = load_feed_health(store, feeds, zone, now=now)
        open_keys = {alert.key for alert in notifier.open_alerts()}
        resolve_arrived(health, open_keys, notifier, zone, now)
        alerts = find_alerts(health, open_keys, zone, now)
        new = notifier.reconcile("feed", alerts, at=now, resolutions=find_resolutions(health, zone, now))
        subjects = "; ".join(alert.subject for alert in alerts)
        return Done(message=f"{count_in_words(new, 'new alert')}: {subjects}" if new else "")

    return Task(id="feed-alerts", schedule=schedule, run=run)


def find_alerts(feeds: Sequence[FeedHealth], open_keys: Collection[str], zone: tzinfo, now: datetime) -> list[Alert]:
    """Return every alert that applies to the feeds now. ``open_keys`` are the keys of the open alerts.

    If no feed can be reached, one alert replaces those of the single feeds.
    """
    alerts = [alert for feed in feeds for alert in _feed_alerts(feed, zone, now)]
    fetched = [feed for feed in feeds if feed.state.gone_at is None]
    unread = {messages.alert_key(feed, "unread") for feed in feeds}
    is_offline = len(fetched) > 1 and all(
        feed.state.failures and feed.state.outcome in NETWORK_OUTCOMES for feed in fetched
    )
    if is_offline and (messages.UNREACHABLE_KEY in open_keys or any(alert.key in unread for alert in alerts)):
        others = [alert for alert in alerts if alert.key not in unread or alert.key in open_keys]
        return [messages.all_unreachable(fetched, zone, now), *others]
    return alerts


def find_resolutions(feeds: Sequence[FeedHealth], zone: tzinfo, now: datetime) -> Iterator[tuple[str, Alert]]:
    """Yield alert keys with the messages that resolve them, for feeds that have recovered."""
    healthy = [feed for feed in feeds if feed.is_healthy]
    for feed in healthy:
        yield messages.alert_key(feed, "unread"), messages.recovered(feed, zone, now)
        yield messages.alert_key(feed, "gone"), messages.recovered(feed, zone, now)
    if healthy:
        yield messages.UNREACHABLE_KEY, messages.network_recovered(healthy, now)


def _feed_alerts(feed: FeedHealth, zone: tzinfo, now: datetime) -> Iterator[Alert]:
    if feed.state.gone_at:
        yield messages.gone(feed, zone, now)
    elif _has_failed_for_long(feed):
        yield messages.unreadable(feed, zone, now)
    if feed.state.current_url:
        yield messages.moved(feed, now)
    if feed.quarantined:
        yield messages.quarantined(feed, now)


def _has_failed_for_long(feed: FeedHealth) -> bool:
    """Check whether the feed had failed for long at its last fetch; the time since then does not count."""
    state = feed.state
    if state.failing_since is None or state.checked_at is None:
        return False
    if state.failures < MIN_FAILURES and state.outcome != "rate_limited":
        return False
    usual = timedelta(days=feed.cadence.interval_days) / 7 if feed.cadence.confident else DAY
    allowed = FAILING_TIME_BY_OUTCOME.get(state.outcome, min(max(usual, DAY), MAX_FAILING_TIME))
    return state.checked_at - state.failing_since >= allowed
