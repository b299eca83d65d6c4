"""Notice what a feed cannot mend by itself; tell it once, and once more when the feed is well again.

In: a store, feeds, a notifier, the moment. Out: notices, told. What is transient is left to the next attempt: a feed
must have failed for long, by its own rhythm.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType

from pipeline.jobs import feed_notices as say
from pipeline.jobs.feed_view import FeedView, views
from pipeline.jobs.notify import Notifier
from pipeline.jobs.tick import Rhythm, Task
from pipeline.jobs.watch import close_arrived
from pipeline.model.feed import Feed
from pipeline.model.notice import Notice
from pipeline.store import Store
from pipeline.text.moments import counted

FEWEST_FAILURES = 3
DAY = timedelta(days=1)
LONGEST_PATIENCE = 3 * DAY
"""A feed may fail for a seventh of its usual gap: a day where it is weekly, three where it is monthly."""
SOONER: Mapping[str, timedelta] = MappingProxyType(
    {"no_secret": timedelta(), "bad_address": timedelta(), "unsafe_address": timedelta(), "not_a_feed": DAY / 4}
)
"""What does not pass by itself, or hardly ever, is said sooner."""
NO_WAY_THERE = frozenset({"unreachable", "timeout", "tls_error", "broken_answer"})
"""Where all feeds fail like this, it is the way there and not the feeds."""


def trouble_task(rhythm: Rhythm, store: Store, feeds: Sequence[Feed], notifier: Notifier, zone: tzinfo) -> Task:
    """Tell what is the matter with feeds; to be run after they were read."""

    def run(period: str, now: datetime) -> str:
        seen = views(store, feeds, zone, now=now)
        known = {each.key for each in notifier.opened()}
        close_arrived(seen, known, notifier, zone, now)
        found = troubles(seen, known, zone, now)
        new = notifier.settle("feed", found, at=now, farewells=farewells(seen, zone, now))
        return f"{counted(new, 'new notice')}: {'; '.join(each.subject for each in found)}" if new else ""

    return Task(id="trouble", schedule=rhythm, run=run)


def troubles(seen: Sequence[FeedView], known: Collection[str], zone: tzinfo, now: datetime) -> list[Notice]:
    """Say all that is the matter with feeds now; ``known`` are the keys of the notices that are open.

    Where no feed at all can be reached, one notice says so in place of one a feed.
    """
    found = [notice for view in seen for notice in _of_one(view, zone, now)]
    asked = [view for view in seen if view.state.gone_at is None]
    unread = {say.key(view, "unread") for view in seen}
    cut_off = len(asked) > 1 and all(each.state.failures and each.state.outcome in NO_WAY_THERE for each in asked)
    if cut_off and (say.UNREACHABLE in known or any(each.key in unread for each in found)):
        rest = [each for each in found if each.key not in unread or each.key in known]
        return [say.unreachable(asked, zone, now), *rest]
    return found


def farewells(seen: Sequence[FeedView], zone: tzinfo, now: datetime) -> Iterator[tuple[str, Notice]]:
    """Give what is to be said when a notice is closed because all is well again, by the notice's key."""
    well = [view for view in seen if view.well]
    for view in well:
        yield say.key(view, "unread"), say.well(view, zone, now)
        yield say.key(view, "gone"), say.well(view, zone, now)
    if well:
        yield say.UNREACHABLE, say.reachable(well, now)


def _of_one(view: FeedView, zone: tzinfo, now: datetime) -> Iterator[Notice]:
    if view.state.gone_at:
        yield say.gone(view, zone, now)
    elif _fails_for_long(view):
        yield say.unread(view, zone, now)
    if view.state.address:
        yield say.moved(view, now)
    if view.held_back:
        yield say.held_back(view, now)


def _fails_for_long(view: FeedView) -> bool:
    """Tell whether the last attempt found it failing for long; how long ago that attempt was says nothing."""
    state = view.state
    if state.failing_since is None or state.checked_at is None:
        return False
    if state.failures < FEWEST_FAILURES and state.outcome != "throttled":
        return False
    usual = timedelta(days=view.rhythm.usual_days) / 7 if view.rhythm.confident else DAY
    patience = min(max(usual, DAY), LONGEST_PATIENCE)
    return state.checked_at - state.failing_since >= SOONER.get(state.outcome, patience)
