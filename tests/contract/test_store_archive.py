"""Archives, the word index and episode details in every store."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from store_factories import DAY, MONDAY, NOW, apply, blog_post, insert, make_change

from pipeline.model.entry import TimedText
from pipeline.model.feed import ArchivePosition, FeedState
from pipeline.store import Store


def words(store: Store, *asked: str, seen_by: object = None, most: int = 10) -> dict[str, tuple[int, ...]]:
    return store.word_index.search(asked, first_seen_by=seen_by, max_matches=most)[0]  # type: ignore[arg-type]


def test_words_are_found_in_titles_excerpts_categories_and_guests(store: Store) -> None:
    """In another form, another case and without accents, too; a word that no entry has is absent."""
    post = replace(blog_post(1), title="Baking Café loaves", excerpt_text="Salt roads.", guest="Ada Finch")
    (known,) = insert(store, replace(post, categories=("Kilns",)))
    assert words(store, "baked", "loaf", "cafe", "road", "kiln", "finch", "nothing") == dict.fromkeys(
        ("baked", "cafe", "road", "kiln", "finch"), (known,)
    )


def test_a_frequent_word_is_left_out(store: Store) -> None:
    """A word that more than ``max_matches`` entries have is not returned."""
    insert(store, *(replace(blog_post(number), title="Bread") for number in range(4)))
    assert len(words(store, "bread", most=4)["bread"]) == 4
    assert words(store, "bread", most=3) == {}


def test_a_frequent_word_may_be_rare_at_an_earlier_time(store: Store) -> None:
    """A word once too frequent is not searched again, but it is for an earlier time or a higher limit."""
    insert(store, replace(blog_post(1), title="Bread"))
    later = [make_change(replace(blog_post(number), title="Bread")) for number in (2, 3)]
    apply(store, later, state=store.feeds.states()["blog"], now=NOW + DAY, archived=True)
    assert words(store, "bread", most=2) == words(store, "bread", most=2) == {}
    assert len(words(store, "bread", most=2, seen_by=NOW)["bread"]) == 1
    assert len(words(store, "bread", most=3)["bread"]) == 3


def test_entries_first_seen_later_are_ignored(store: Store) -> None:
    """A closed week searches as of the time it was closed."""
    insert(store, replace(blog_post(1), title="Bread"))
    later = [make_change(replace(blog_post(2), title="Bread"))]
    state = store.feeds.states()["blog"]
    apply(store, later, state=state, now=NOW + DAY, archived=True)
    assert len(words(store, "bread")["bread"]) == 2
    assert len(words(store, "bread", seen_by=NOW)["bread"]) == 1
    assert words(store, "bread", seen_by=MONDAY - timedelta(days=9000)) == {}


def test_words_are_not_parsed_as_queries(store: Store) -> None:
    """The operators of the full-text index have no meaning here."""
    (known,) = insert(store, replace(blog_post(1), title="Near and not"))
    assert words(store, "NEAR", "NOT", "and") == {"NEAR": (known,), "NOT": (known,), "and": (known,)}


def test_an_archive_page_and_its_position_are_written_together(store: Store) -> None:
    """New entries are archived; the count leaves out those stored before; the position is read back equal."""
    insert(store, blog_post(1))
    position = ArchivePosition(
        feed_id="blog", next_url="https://a.example/?paged=3", page_hashes=("m1", "m2"), entry_count=1, read_at=NOW
    )
    again = make_change(blog_post(1), "same", 1)
    assert store.archive.save_page(position, [make_change(blog_post(2)), again], now=NOW) == 1
    assert store.archive.positions() == {"blog": position}
    assert [stored.archived for stored in store.entries.by_id([2])] == [True]
    store.archive.save_page(replace(position, done=True, next_url=""), (), now=NOW)
    assert store.archive.positions()["blog"].done


def test_episode_details_are_stored_by_url(store: Store) -> None:
    """Empty details are returned, too; a URL that was never fetched is absent."""
    salt = TimedText(text="Salt", start_seconds=90)
    store.media.save_episode_details("https://a.example/1.json", (salt, TimedText(text="Smoke")), now=NOW)
    store.media.save_episode_details("https://a.example/2.json", (), now=NOW)
    store.media.save_episode_details("https://a.example/1.json", (salt,), now=NOW)
    asked = [f"https://a.example/{number}.json" for number in (1, 2, 3)]
    assert store.media.episode_details(asked) == {"https://a.example/1.json": (salt,), "https://a.example/2.json": ()}


def segments(file: Path) -> int:
    """Return the number of segments of SQLite's word index."""
    with closing(sqlite3.connect(file)) as connection:
        return int(connection.execute("SELECT count(DISTINCT segid) FROM entry_words_idx").fetchone()[0])


def insert_separately(store: Store, first: int) -> None:
    """Insert three posts, each in a transaction of its own, as a feed brings them."""
    state = store.feeds.states().get("blog") or FeedState(feed_id="blog", url="https://blog.example/")
    for number in range(first, first + 3):
        apply(store, [make_change(replace(blog_post(number), title="Bread"))], state=state)


def test_the_word_index_is_optimized(tmp_path: Path) -> None:
    """At the end of an archive, after many new entries, and when a week is closed: one segment, the same matches."""
    file = tmp_path / "pipeline.db"
    position = ArchivePosition(feed_id="blog", next_url="", read_at=NOW, done=True)
    with Store.open(f"sqlite:///{file}") as store:
        many = [make_change(blog_post(number)) for number in range(1_000, 2_000)]
        gatherings: tuple[Callable[[], object], ...] = (
            lambda: store.archive.save_page(replace(position, done=False), [make_change(blog_post(90))], now=NOW),
            lambda: store.archive.save_page(position, [make_change(blog_post(91))], now=NOW),
            lambda: store.weeks.close("2026-W07", [], now=NOW),
            lambda: apply(store, many, state=store.feeds.states()["blog"], archived=True),
        )
        optimized = []
        for number, gather in enumerate(gatherings):
            insert_separately(store, 1 + 3 * number)
            assert segments(file) > 1
            gather()
            optimized.append(segments(file) == 1)
        assert optimized == [False, True, True, True]
        assert len(words(store, "bread", most=100)["bread"]) == 12
