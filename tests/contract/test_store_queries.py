"""Queries of entries and feeds, the same in every store."""

from __future__ import annotations

from store_factories import DAY, HOUR, MONDAY, NOW, blog_post, guid_numbers, insert

from pipeline.model.feed import FeedState, FeedStats
from pipeline.store import Store


def test_between_includes_the_start_and_excludes_the_end(store: Store) -> None:
    """The oldest entry is first; of two at one instant, the one stored first."""
    twin = blog_post(9, published_at=MONDAY + 2 * HOUR)
    insert(store, blog_post(3), blog_post(2), blog_post(1), blog_post(0), twin)
    assert guid_numbers(store.entries.between(MONDAY + HOUR, MONDAY + 3 * HOUR, ["blog"])) == ["1", "2", "9"]


def test_only_entries_of_the_named_feeds_are_returned(store: Store) -> None:
    """Entries of a feed that config.toml no longer names are in no answer."""
    insert(store, blog_post(1))
    insert(store, blog_post(2, feed_id="old"))
    end = MONDAY + DAY
    assert guid_numbers(store.entries.between(MONDAY, end, ["blog"])) == ["1"]
    assert guid_numbers(store.entries.late_unassigned(["blog"], end)) == ["1"]
    assert store.entries.published_dates(["blog"], MONDAY) == [MONDAY + HOUR]
    assert store.entries.newest_at(["blog"]) == MONDAY + HOUR
    assert store.entries.between(MONDAY, end, []) == []
    assert store.entries.newest_at([]) is None


def test_late_entries_have_no_week(store: Store) -> None:
    """Archived, assigned and later entries are left out."""
    insert(store, blog_post(1), archived=True)
    taken, _, _ = insert(store, blog_post(2), blog_post(3), blog_post(4))
    store.weeks.close("2026-W07", [taken], now=NOW)
    assert guid_numbers(store.entries.late_unassigned(["blog"], MONDAY + 4 * HOUR)) == ["3"]


def test_the_newest_entry_of_several_feeds(store: Store) -> None:
    """Before an instant, if one is given, itself excluded."""
    insert(store, blog_post(1), blog_post(5))
    insert(store, blog_post(3, feed_id="podcast"))
    feed_ids = ["blog", "podcast", "empty"]
    assert store.entries.newest_at(feed_ids) == MONDAY + 5 * HOUR
    assert store.entries.newest_at(feed_ids, MONDAY + 5 * HOUR) == MONDAY + 3 * HOUR
    assert store.entries.newest_at(feed_ids, MONDAY) is None


def test_published_dates_are_in_order(store: Store) -> None:
    """Since the instant, itself included."""
    insert(store, blog_post(3), blog_post(1), blog_post(2))
    assert store.entries.published_dates(["blog"], MONDAY + 2 * HOUR) == [MONDAY + 2 * HOUR, MONDAY + 3 * HOUR]


def test_feed_stats(store: Store) -> None:
    """The number of entries, and the date and title of the newest; a feed without entries has stats, too."""
    insert(store, blog_post(3), blog_post(1))
    store.feeds.save(FeedState(feed_id="podcast"))
    newest = FeedStats(entries=2, newest_at=MONDAY + 3 * HOUR, newest_title="Post 3")
    assert store.feeds.stats() == {"blog": newest, "podcast": FeedStats()}


def test_unknown_ids_are_ignored(store: Store) -> None:
    """Asking for an entry that does not exist is no error."""
    [entry_id] = insert(store, blog_post())
    assert [stored.entry_id for stored in store.entries.by_id([entry_id, entry_id + 1])] == [entry_id]
