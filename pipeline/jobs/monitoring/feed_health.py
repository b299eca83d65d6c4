"""A feed with what it takes to judge it: what config says, what is remembered, its rhythm, what is held back.

In: a store, feeds, a time zone, the moment. Out: FeedViews. Only reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo

from pipeline.ingest.cadence import Cadence, estimate_cadence, publishing_days
from pipeline.ingest.polling import explain_wait
from pipeline.model.entry import StoredEntry
from pipeline.model.feed import Feed, FeedState
from pipeline.model.fetch import NO_ADVICE, SUCCESSFUL
from pipeline.model.health import HealthLevel, HealthResult, health_result_of
from pipeline.store import Store
from pipeline.text.format import format_datetime

CADENCE_LOOKBACK = timedelta(days=400)
"""A year and its holidays; a rhythm older than that is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedHealth:
    """One feed, ready to be judged."""

    feed: Feed
    state: FeedState
    cadence: Cadence = field(default_factory=lambda: Cadence(interval_days=0))
    last_published_on: date | None = None
    """The newest day on which it had something, by the publication's clocks."""
    quarantined: tuple[StoredEntry, ...] = ()
    """Its entries in quarantine."""

    @property
    def display_name(self) -> str:
        """What to call it: by its title where it says one, and always by its id.

        >>> FeedView(feed=Feed(id="blog", url="", kind="blog"), state=FeedState(feed_id="blog")).name
        'The feed blog'
        """
        title = " ".join(self.state.channel.title.split())
        return f"{title} (feed {self.feed.id})" if title else f"The feed {self.feed.id}"

    @property
    def is_healthy(self) -> bool:
        """True when it was read, and the last attempt went well."""
        return self.state.outcome in SUCCESSFUL and not self.state.failures and self.state.gone_at is None


def load_feed_health(store: Store, feeds: Sequence[Feed], zone: tzinfo, *, now: datetime) -> list[FeedHealth]:
    """Look at the feeds that have an address: links added by hand come from nowhere."""
    states = store.feeds.states()
    return [_view(store, feed, states.get(feed.id), zone, now) for feed in feeds if feed.url]


def _view(store: Store, feed: Feed, state: FeedState | None, zone: tzinfo, now: datetime) -> FeedHealth:
    if state is None or state.url != feed.url:  # another address: nothing is known of it yet
        state = FeedState(feed_id=feed.id, url=feed.url)
    held_back = tuple(store.entries.quarantined(feed.id))
    no_news = {each.entry.published_at for each in held_back}
    published = store.entries.published_dates([feed.id], now - CADENCE_LOOKBACK)
    days = publishing_days((moment for moment in published if moment <= now and moment not in no_news), zone)
    return FeedHealth(
        feed=feed,
        state=state,
        cadence=estimate_cadence(days),
        last_published_on=days[-1] if days else None,
        quarantined=held_back,
    )


MIN_FAILURES_FOR_ERROR = 3
"""Before that it may be the network's mood, and nobody need get up."""


def feed_health_results(state: FeedState, warnings: Sequence[str], zone: tzinfo) -> Iterator[HealthResult]:
    """Say how a feed answered, and what its entries wait for; ``remarks`` end with what to do, after a colon."""
    yield _answered(state, zone)
    for each in warnings:
        yield _sign(state, "trouble" if "holds back" in each else "warning", each)


def _answered(state: FeedState, zone: tzinfo) -> HealthResult:
    if state.gone_at:
        return _sign(state, "trouble", explain_wait(state))
    if state.checked_at is None:
        return _sign(state, "warning", "has not been read yet: run `pipeline fetch`")
    if state.failures:
        level: HealthLevel = "trouble" if state.failures >= MIN_FAILURES_FOR_ERROR else "warning"
        since = f"since {format_datetime(state.failing_since, zone)} " if state.failing_since else ""
        times = f"{state.failures} times in a row" if state.failures > 1 else "once"
        return _sign(state, level, f"fails {since}({times}), {_cause_first(state)}")
    if state.outcome in SUCCESSFUL and state.outcome not in NO_ADVICE:
        return _sign(state, "warning", state.detail)
    return _sign(state, "well", f"read {format_datetime(state.read_at, zone)}")


def _cause_first(state: FeedState) -> str:
    """Say what happened, then what to do: the words for what is no feed have it the other way round."""
    if state.outcome != "not_a_feed":
        return state.detail
    mend, _, found = state.detail.partition(": ")
    return f"{found.rstrip('.').removeprefix('this one ')}: {mend[:1].lower()}{mend[1:]}" if found else mend


def _sign(state: FeedState, level: HealthLevel, words: str) -> HealthResult:
    if level == "well":
        return HealthResult(category="feeds", name=state.feed_id, level=level, message=words)
    return health_result_of(words, category="feeds", name=state.feed_id, level=level)
