"""The archive in the store: words looked up, positions and talks kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from store_factories import DAY, MONDAY, NOW, apply, blog_post, decide, keep

from pipeline.model.archive import ArchivePosition
from pipeline.model.feed import FeedState
from pipeline.store import Store


def words(store: Store, *asked: str, seen_by: object = None, most: int = 10) -> dict[str, tuple[int, ...]]:
    return store.word_index.search(asked, first_seen_by=seen_by, max_matches=most)[0]  # type: ignore[arg-type]


def test_words_are_found_in_titles_excerpts_categories_and_guests(store: Store) -> None:
    """In another form, another case and without accents, too; a word that nobody has is left out."""
    post = replace(blog_post(1), title="Baking Café loaves", excerpt_text="Salt roads.", guest="Ada Finch")
    (known,) = keep(store, replace(post, categories=("Kilns",)))
    assert words(store, "baked", "loaf", "cafe", "road", "kiln", "finch", "nothing") == dict.fromkeys(
        ("baked", "cafe", "road", "kiln", "finch"), (known,)
    )


def test_a_word_that_many_have_is_given_up(store: Store) -> None:
    """More than ``most`` have it: it says nothing, and costs no more for being common."""
    keep(store, *(replace(blog_post(number), title="Bread") for number in range(4)))
    assert len(words(store, "bread", most=4)["bread"]) == 4
    assert words(store, "bread", most=3) == {}


def test_a_common_word_is_not_common_at_every_moment(store: Store) -> None:
    """What was once too common is not looked up again; of a moment before, or with more patience, it is."""
    keep(store, replace(blog_post(1), title="Bread"))
    later = [decide(replace(blog_post(number), title="Bread")) for number in (2, 3)]
    apply(store, later, state=store.feeds.states()["blog"], now=NOW + DAY, archived=True)
    assert words(store, "bread", most=2) == words(store, "bread", most=2) == {}
    assert len(words(store, "bread", most=2, seen_by=NOW)["bread"]) == 1
    assert len(words(store, "bread", most=3)["bread"]) == 3


def test_what_was_seen_later_does_not_exist(store: Store) -> None:
    """A settled week asks with the moment it was settled."""
    keep(store, replace(blog_post(1), title="Bread"))
    later = [decide(replace(blog_post(2), title="Bread"))]
    state = store.feeds.states()["blog"]
    apply(store, later, state=state, now=NOW + DAY, archived=True)
    assert len(words(store, "bread")["bread"]) == 2
    assert len(words(store, "bread", seen_by=NOW)["bread"]) == 1
    assert words(store, "bread", seen_by=MONDAY - timedelta(days=9000)) == {}


def test_words_are_no_query_language(store: Store) -> None:
    """What means something to the index means nothing here."""
    (known,) = keep(store, replace(blog_post(1), title="Near and not"))
    assert words(store, "NEAR", "NOT", "and") == {"NEAR": (known,), "NOT": (known,), "and": (known,)}


def test_a_page_of_the_archive_and_its_position_are_kept_together(store: Store) -> None:
    """What it brings is backlog, counted without what was there; the position comes back as it was."""
    keep(store, blog_post(1))
    position = ArchivePosition(
        feed_id="blog", next_url="https://a.example/?paged=3", page_hashes=("m1", "m2"), entry_count=1, read_at=NOW
    )
    again = decide(blog_post(1), "same", 1)
    assert store.archive.save_page(position, [decide(blog_post(2)), again], now=NOW) == 1
    assert store.archive.positions() == {"blog": position}
    assert [each.archived for each in store.entries.by_id([2])] == [True]
    store.archive.save_page(replace(position, done=True, next_url=""), (), now=NOW)
    assert store.archive.positions()["blog"].done


def test_talks_are_kept_by_their_address(store: Store) -> None:
    """What was read comes back, also when it said nothing; what was never read is left out."""
    store.media.save_episode_details("https://a.example/1.json", ("Salt", "Smoke"), now=NOW)
    store.media.save_episode_details("https://a.example/2.json", (), now=NOW)
    store.media.save_episode_details("https://a.example/1.json", ("Salt",), now=NOW)
    asked = [f"https://a.example/{number}.json" for number in (1, 2, 3)]
    assert store.media.episode_details(asked) == {"https://a.example/1.json": ("Salt",), "https://a.example/2.json": ()}


def pieces(file: Path) -> int:
    """Count the pieces that SQLite's index of words is in."""
    with closing(sqlite3.connect(file)) as connection:
        return int(connection.execute("SELECT count(DISTINCT segid) FROM entry_words_idx").fetchone()[0])


def scatter(store: Store, first: int) -> None:
    """Add three posts, each in a transaction of its own, as a feed brings them."""
    state = store.feeds.states().get("blog") or FeedState(feed_id="blog", url="https://blog.example/")
    for number in range(first, first + 3):
        apply(store, [decide(replace(blog_post(number), title="Bread"))], state=state)


def test_words_are_gathered_when_many_came_and_once_a_week(tmp_path: Path) -> None:
    """At the end of an archive, after a great many entries, and when a week is settled: one piece, the same answers."""
    file = tmp_path / "pipeline.db"
    position = ArchivePosition(feed_id="blog", next_url="", read_at=NOW, done=True)
    with Store.open(f"sqlite:///{file}") as store:
        many = [decide(blog_post(number)) for number in range(1_000, 2_000)]
        gatherings: tuple[Callable[[], object], ...] = (
            lambda: store.archive.save_page(replace(position, done=False), [decide(blog_post(90))], now=NOW),
            lambda: store.archive.save_page(position, [decide(blog_post(91))], now=NOW),
            lambda: store.weeks.close("2026-W07", [], now=NOW),
            lambda: apply(store, many, state=store.feeds.states()["blog"], archived=True),
        )
        found = []
        for number, gather in enumerate(gatherings):
            scatter(store, 1 + 3 * number)
            assert pieces(file) > 1
            gather()
            found.append(pieces(file) == 1)
        assert found == [False, True, True, True]
        assert len(words(store, "bread", most=100)["bread"]) == 12
