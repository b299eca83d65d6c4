"""A feed with what it takes to judge it: what config says, what is remembered, its rhythm, what is held back.

In: a store, feeds, a time zone, the moment. Out: FeedViews. Only reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo

from pipeline.ingest.rhythm import Rhythm, days_of, learn
from pipeline.model.entry import StoredEntry
from pipeline.model.feed import Feed, FeedState
from pipeline.model.fetch import GOOD
from pipeline.store import Store

LOOKED_BACK = timedelta(days=400)
"""A year and its holidays; a rhythm older than that is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedView:
    """One feed, ready to be judged."""

    feed: Feed
    state: FeedState
    rhythm: Rhythm = field(default_factory=lambda: Rhythm(usual_days=0))
    last_on: date | None = None
    """The newest day on which it had something, by the publication's clocks."""
    held_back: tuple[StoredEntry, ...] = ()
    """Its entries in quarantine."""

    @property
    def name(self) -> str:
        """What to call it: by its title where it says one, and always by its id.

        >>> FeedView(feed=Feed(id="blog", url="", kind="blog"), state=FeedState(feed_id="blog")).name
        'The feed blog'
        """
        title = " ".join(self.state.channel.title.split())
        return f"{title} (feed {self.feed.id})" if title else f"The feed {self.feed.id}"

    @property
    def well(self) -> bool:
        """True when it was read, and the last attempt went well."""
        return self.state.outcome in GOOD and not self.state.failures and self.state.gone_at is None


def views(store: Store, feeds: Sequence[Feed], zone: tzinfo, *, now: datetime) -> list[FeedView]:
    """Look at the feeds that have an address: links added by hand come from nowhere."""
    states = store.feed_states()
    return [_view(store, feed, states.get(feed.id), zone, now) for feed in feeds if feed.url]


def _view(store: Store, feed: Feed, state: FeedState | None, zone: tzinfo, now: datetime) -> FeedView:
    if state is None or state.url != feed.url:  # another address: nothing is known of it yet
        state = FeedState(feed_id=feed.id, url=feed.url)
    held_back = tuple(store.in_quarantine(feed.id))
    no_news = {each.entry.published_at for each in held_back}
    published = store.published_dates([feed.id], now - LOOKED_BACK)
    days = days_of((moment for moment in published if moment <= now and moment not in no_news), zone)
    return FeedView(
        feed=feed,
        state=state,
        rhythm=learn(days),
        last_on=days[-1] if days else None,
        held_back=held_back,
    )
