"""Health of feeds: their state with their cadence and quarantine, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo

from pipeline.ingest.cadence import Cadence, describe_cadence, estimate_cadence, publishing_days
from pipeline.ingest.polling import moved_hint
from pipeline.model.entry import StoredEntry
from pipeline.model.feed import Feed, FeedState
from pipeline.model.fetch import NO_ADVICE, SUCCESSFUL
from pipeline.model.health import HealthLevel, HealthResult
from pipeline.scheduler.engine import TaskSchedule
from pipeline.store import Store
from pipeline.text.format import format_datetime, pluralize
from pipeline.text.urls import url_key

CADENCE_LOOKBACK = timedelta(days=400)
"""How much of a feed's past counts for its cadence: a year and its holidays."""
MIN_FAILURES_FOR_ERROR = 3
"""Fewer failures in a row may come from the network and are a warning only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedHealth:
    """One feed with everything needed to judge it."""

    feed: Feed
    state: FeedState
    cadence: Cadence = field(default_factory=lambda: Cadence(interval_days=0))
    last_published_on: date | None = None
    """The day of its newest entry in the publication's time zone."""
    quarantined: tuple[StoredEntry, ...] = ()

    @property
    def display_name(self) -> str:
        """The feed's title, if it has one, and its id.

        >>> FeedHealth(feed=Feed(id="blog", url="", kind="blog"), state=FeedState(feed_id="blog")).display_name
        'The feed blog'
        """
        title = " ".join(self.state.channel.title.split())
        return f"{title} (feed {self.feed.id})" if title else f"The feed {self.feed.id}"

    @property
    def cadence_in_words(self) -> str:
        """How often it publishes, in words; empty if there are too few entries to know."""
        return describe_cadence(self.cadence)

    @property
    def is_healthy(self) -> bool:
        """Whether the last fetch succeeded."""
        return self.state.outcome in SUCCESSFUL and not self.state.failures and self.state.gone_at is None


def load_feed_health(store: Store, feeds: Sequence[Feed], zone: tzinfo, *, now: datetime) -> list[FeedHealth]:
    """Return the health of every feed that has a URL."""
    states = store.feeds.states()
    return [_load(store, feed, states.get(feed.id), zone, now) for feed in feeds if feed.url]


def _load(store: Store, feed: Feed, state: FeedState | None, zone: tzinfo, now: datetime) -> FeedHealth:
    if state is None or state.url != feed.url:  # nothing is known about a new URL
        state = FeedState(feed_id=feed.id, url=feed.url)
    quarantined = tuple(store.entries.quarantined(feed.id))
    ignored = {stored.entry.published_at for stored in quarantined}
    published = store.entries.published_dates([feed.id], now - CADENCE_LOOKBACK)
    days = publishing_days((at for at in published if at <= now and at not in ignored), zone)
    return FeedHealth(
        feed=feed,
        state=state,
        cadence=estimate_cadence(days),
        last_published_on=days[-1] if days else None,
        quarantined=quarantined,
    )


def feed_warnings(state: FeedState, quarantined: int) -> Iterator[HealthResult]:
    """Yield what an editor should know about a feed besides its last fetch: quarantine, omissions, announced moves."""
    if quarantined:
        message = f"holds {quarantined} entries in quarantine, since they look imported or come from another feed"
        yield _result(state, "error", message, f"`pipeline feeds accept {state.feed_id}` releases them")
    yield from omission_results(state)
    if new_url := moved_hint(state.channel, state.current_url or state.url):
        message = f"says that it moved to {new_url}"
        yield _result(state, "warning", message, "look there, and write that address into config.toml")


def omission_results(state: FeedState) -> Iterator[HealthResult]:
    """Yield a warning about a feed of which only the newest entries are read."""
    if state.channel.omission:
        fix = "use its feed of recent entries, if there is one"
        yield _result(state, "warning", state.channel.omission, fix)


def former_ids(feeds: Sequence[Feed], states: Mapping[str, FeedState]) -> dict[str, str]:
    """Return for each feed that was given another id in config.toml the id under which its entries were stored.

    It is the same feed if the addresses are the same and the former id was read first.
    """
    configured = {feed.id for feed in feeds}
    first_read = {feed_id: state.first_read_at for feed_id, state in states.items() if state.first_read_at}
    former: dict[str, str] = {}
    for feed_id in sorted(first_read.keys() - configured, key=lambda feed_id: first_read[feed_id]):
        former.setdefault(url_key(states[feed_id].url), feed_id)
    old_ids = {feed.id: former[url_key(feed.url)] for feed in feeds if url_key(feed.url) in former}
    return {new: old for new, old in old_ids.items() if new not in first_read or first_read[old] < first_read[new]}


def renamed_result(feed_id: str, former_id: str, entries: int = 0) -> HealthResult:
    """Return the warning about a feed whose entries stay under its former id."""
    stored = "its entries are" if not entries else f"its {pluralize(entries, 'entry is', 'entries are')}"
    message = f'was "{former_id}" before, and {stored} stored under that id and no longer used'
    fix = f'write id = "{former_id}" again in config.toml: under a new id, what was published may be published twice'
    return HealthResult(category="feeds", name=feed_id, level="warning", message=message, fix=fix)


def fetch_result(state: FeedState, zone: tzinfo) -> HealthResult:
    """Return how the last fetch of a feed went."""
    if state.gone_at:
        message = f"gone since {format_datetime(state.gone_at, zone)} and no longer fetched"
        return _result(state, "error", message, "remove it from config.toml or enter its new address")
    if state.checked_at is None:
        return _result(state, "warning", "has not been fetched yet", "run `pipeline fetch`")
    if state.failures:
        level: HealthLevel = "error" if state.failures >= MIN_FAILURES_FOR_ERROR else "warning"
        since = f"since {format_datetime(state.failing_since, zone)} " if state.failing_since else ""
        times = f"{state.failures} times in a row" if state.failures > 1 else "once"
        return _result(state, level, f"fails {since}({times}), {state.detail}", state.advice)
    if state.outcome in SUCCESSFUL and state.outcome not in NO_ADVICE:
        return _result(state, "warning", state.detail, state.advice)
    return _result(state, "ok", f"fetched {format_datetime(state.read_at, zone)}")


def next_fetch_at(state: FeedState, schedule: TaskSchedule, first_at: datetime, zone: tzinfo) -> datetime | None:
    """Return when a feed is fetched next: at the first fetch from ``first_at`` on for which it is due; None if gone."""
    if state.gone_at:
        return None
    due_at = max(filter(None, (state.due_at, state.retry_at)), default=first_at)
    return first_at if due_at <= first_at else schedule.next_at(due_at - timedelta(microseconds=1), zone)


def _result(state: FeedState, level: HealthLevel, message: str, fix: str = "") -> HealthResult:
    return HealthResult(category="feeds", name=state.feed_id, level=level, message=message, fix=fix)
