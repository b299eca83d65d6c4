"""What preflight must know besides the mail: what earlier weeks told, which feeds fell silent.

In: a store, a digest. Out: Facts. Reads only; what is fetched after a week has closed changes nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from pipeline.model.check import PreflightContext, StaleFeed
from pipeline.model.digest import Digest
from pipeline.model.feed import Feed
from pipeline.model.week import Week
from pipeline.store import Store

STALE_AFTER = timedelta(days=28)
REPEAT_WINDOW_WEEKS = 52
"""A link that was told a year ago may be told again."""


def load_preflight_context(store: Store, digest: Digest, feeds: Sequence[Feed]) -> PreflightContext:
    """Gather what is known around a digest."""
    week = Week.parse(digest.week)
    earlier = [str(week.next(-weeks)) for weeks in range(1, REPEAT_WINDOW_WEEKS + 1)]
    asked = [feed.id for feed in feeds if feed.url]  # links added by hand come from no address
    newest = store.newest_entry_at_by_feed(asked, digest.closes_at)
    since = digest.closes_at - STALE_AFTER
    return PreflightContext(
        published_urls=store.published_urls(earlier),
        stale_feeds=tuple(
            StaleFeed(feed_id=feed_id, newest_at=newest_at)
            for feed_id in asked
            if (newest_at := newest.get(feed_id)) is None or newest_at < since
        ),
    )
