"""What every store answers, whatever database is behind it."""

from __future__ import annotations

from store_factories import DAY, HOUR, MONDAY, NOW, blog_post, guids, keep

from pipeline.model.feed import FeedState, FeedStats
from pipeline.store import Store


def test_a_span_holds_its_start_and_not_its_end(store: Store) -> None:
    """Entries come oldest first; of two at one instant, the one stored first."""
    twin = blog_post(9, published_at=MONDAY + 2 * HOUR)
    keep(store, blog_post(3), blog_post(2), blog_post(1), blog_post(0), twin)
    assert guids(store.entries.between(MONDAY + HOUR, MONDAY + 3 * HOUR, ["blog"])) == ["1", "2", "9"]


def test_only_the_feeds_asked_for_answer(store: Store) -> None:
    """An entry of a feed that config no longer names stays out of every answer."""
    keep(store, blog_post(1))
    keep(store, blog_post(2, feed_id="old"))
    end = MONDAY + DAY
    assert guids(store.entries.between(MONDAY, end, ["blog"])) == ["1"]
    assert guids(store.entries.late_unassigned(["blog"], end)) == ["1"]
    assert store.entries.published_dates(["blog"], MONDAY) == [MONDAY + HOUR]
    assert store.entries.newest_at(["blog"]) == MONDAY + HOUR
    assert store.entries.between(MONDAY, end, []) == []
    assert store.entries.newest_at([]) is None


def test_late_entries_are_news_that_no_week_took(store: Store) -> None:
    """The backlog, what a week took and what is not yet due are left out."""
    keep(store, blog_post(1), archived=True)
    taken, _, _ = keep(store, blog_post(2), blog_post(3), blog_post(4))
    store.weeks.close("2026-W07", [taken], now=NOW)
    assert guids(store.entries.late_unassigned(["blog"], MONDAY + 4 * HOUR)) == ["3"]


def test_the_newest_entry_is_looked_for_in_all_feeds(store: Store) -> None:
    """Over several feeds, and before an instant where one is given, itself excluded."""
    keep(store, blog_post(1), blog_post(5))
    keep(store, blog_post(3, feed_id="podcast"))
    feed_ids = ["blog", "podcast", "empty"]
    assert store.entries.newest_at(feed_ids) == MONDAY + 5 * HOUR
    assert store.entries.newest_at(feed_ids, MONDAY + 5 * HOUR) == MONDAY + 3 * HOUR
    assert store.entries.newest_at(feed_ids, MONDAY) is None


def test_published_dates_come_in_order(store: Store) -> None:
    """From the instant on, itself included."""
    keep(store, blog_post(3), blog_post(1), blog_post(2))
    assert store.entries.published_dates(["blog"], MONDAY + 2 * HOUR) == [MONDAY + 2 * HOUR, MONDAY + 3 * HOUR]


def test_feeds_are_counted(store: Store) -> None:
    """How many entries, and the newest one's date and title; a feed without entries counts too."""
    keep(store, blog_post(3), blog_post(1))
    store.feeds.save(FeedState(feed_id="podcast"))
    newest = FeedStats(entries=2, newest_at=MONDAY + 3 * HOUR, newest_title="Post 3")
    assert store.feeds.stats() == {"blog": newest, "podcast": FeedStats()}


def test_unknown_ids_are_left_out(store: Store) -> None:
    """Asking for an entry that does not exist is no mistake."""
    [entry_id] = keep(store, blog_post())
    assert [stored.entry_id for stored in store.entries.by_id([entry_id, entry_id + 1])] == [entry_id]
