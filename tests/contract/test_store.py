"""Feeds and entries in every store: they are read back equal, stored once, and change as decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import timezone
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from store_factories import DAY, HOUR, MONDAY, NOW, apply, blog_post, entries, guid_numbers, insert, make_change, states

from pipeline.model.entry import Enclosure
from pipeline.model.feed import FeedState
from pipeline.model.update import UpdateCounts
from pipeline.store import Store

ONE_STORE_FOR_ALL = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
EPISODE = Enclosure(url="https://media.example/1.mp3?dl=1", media_type="audio/mpeg")


def test_a_new_store_is_empty(store: Store) -> None:
    """A new database has no feed, entry, week or run."""
    assert store.feeds.states() == {}
    assert store.entries.identities("blog") == []
    assert store.entries.newest_at(["blog"]) is None
    assert store.weeks.closed() == {}
    assert store.runs.newest() == {}


@ONE_STORE_FOR_ALL
@given(state=states)
def test_a_feed_state_is_read_back_equal(store: Store, state: FeedState) -> None:
    """Every possible state is read back equal and replaces the previous one."""
    store.feeds.save(state)
    assert store.feeds.states() == {"blog": state}


_unused = count()


@ONE_STORE_FOR_ALL
@given(entry=entries)
def test_an_entry_is_read_back_equal(store: Store, entry: Any) -> None:
    """Every possible entry is read back equal, with its body."""
    entry = replace(entry, feed_id=f"feed {next(_unused)}")
    [entry_id] = insert(store, entry)
    [stored] = store.entries.by_id([entry_id])
    assert stored.entry == entry


@ONE_STORE_FOR_ALL
@given(entry=entries)
def test_a_rewritten_entry_is_read_back_equal(store: Store, entry: Any) -> None:
    """A change leaves nothing of the old content behind."""
    feed_id = f"feed {next(_unused)}"
    old, entry = blog_post(feed_id=feed_id, enclosure=EPISODE, season=1), replace(entry, feed_id=feed_id)
    [entry_id] = insert(store, old)
    change = make_change(replace(entry, dated_by="published"), "repaired", entry_id)
    apply(store, [change], state=FeedState(feed_id=feed_id))
    [stored] = store.entries.by_id([entry_id])
    assert stored.entry == change.entry


def test_unstorable_characters_are_removed(store: Store) -> None:
    """NUL characters and lone surrogates are removed from every text, nested ones too."""
    dirty = "Har\0bour \ud800& Hearth"
    entry = blog_post(guid=dirty, title=dirty, body_html=dirty, categories=(dirty,), author=dirty)
    apply(store, [make_change(entry)], state=FeedState(feed_id="blog", detail=dirty))
    [entry_id] = [known.entry_id for known in store.entries.identities("blog")]
    entry = store.entries.by_id([entry_id])[0].entry
    clean = "Harbour & Hearth"
    assert (entry.guid, entry.title, entry.body_html, entry.categories, entry.author) == (clean,) * 3 + (
        (clean,),
        clean,
    )
    assert store.feeds.states()["blog"].detail == clean


def test_instants_are_stored_in_utc(store: Store) -> None:
    """An entry published at 01:00 in Berlin is older than one published at 00:30 in London."""
    berlin = (MONDAY + HOUR).replace(tzinfo=timezone(HOUR))
    insert(store, blog_post(1, published_at=MONDAY + HOUR / 2), blog_post(2, published_at=berlin))
    assert guid_numbers(store.entries.between(MONDAY, MONDAY + DAY, ["blog"])) == ["2", "1"]
    assert store.entries.newest_at(["blog"], MONDAY + HOUR / 2) == MONDAY


def test_a_naive_datetime_is_refused(store: Store) -> None:
    """Its meaning would depend on the machine."""
    with pytest.raises(Exception, match="no time zone"):
        store.feeds.save(FeedState(feed_id="blog", checked_at=NOW.replace(tzinfo=None)))


# Identity


def test_identities_have_what_deduplication_compares(store: Store) -> None:
    """URL and enclosure come as keys, with fingerprint, date and media type."""
    entry = blog_post(enclosure=EPISODE, duration_seconds=1800)
    [entry_id] = insert(store, entry)
    [known] = store.entries.identities("blog")
    assert (known.entry_id, known.guid, known.fingerprint) == (entry_id, entry.guid, "first")
    assert (known.url_key, known.enclosure_key) == ("harbourandhearth.example/post-1", "media.example/1.mp3")
    assert (known.media_type, known.duration_seconds, known.vanished) == ("audio/mpeg", 1800, False)


def test_long_guids_are_distinguished(store: Store) -> None:
    """Two GUIDs of 200 kB that differ in the last character are two entries."""
    long = "x" * 200_000
    assert len(set(insert(store, blog_post(1, guid=long + "1"), blog_post(2, guid=long + "2")))) == 2


def test_the_same_guid_in_two_feeds_is_two_entries(store: Store) -> None:
    """A GUID is unique within its feed only."""
    assert insert(store, blog_post(feed_id="blog")) != insert(store, blog_post(feed_id="podcast"))


def test_an_entry_inserted_by_another_process_is_not_inserted_again(store: Store) -> None:
    """A process that decides "new" too late changes nothing and counts the entry as the same."""
    changes = [
        make_change(blog_post(1)),
        make_change(blog_post(1, title="Twice in one document")),
        make_change(blog_post(2)),
    ]
    state = FeedState(feed_id="blog")
    assert apply(store, changes, state=state) == UpdateCounts(new=2, same=1)
    assert apply(store, changes, state=state) == UpdateCounts(same=3)
    assert [known.title for known in store.entries.identities("blog")] == ["Post 1", "Post 2"]


# Changes


def test_a_changed_entry_keeps_its_guid_and_first_date(store: Store) -> None:
    """Content and ``changed_at`` change; the stored GUID and ``first_seen_at`` stay."""
    [entry_id] = insert(store, blog_post())
    edited = blog_post(guid="another", title="Edited", body_html="<p>New</p>")
    change = make_change(edited, "changed", entry_id, "second")
    assert apply(store, [change], now=NOW + DAY) == UpdateCounts(changed=1)
    [stored] = store.entries.by_id([entry_id])
    assert stored.entry == replace(edited, guid=blog_post().guid)
    assert (stored.first_seen_at, stored.changed_at) == (NOW, NOW + DAY)
    assert store.entries.identities("blog")[0].fingerprint == "second"


def test_a_repaired_entry_takes_its_new_guid(store: Store) -> None:
    """The entry is found under its new keys, and ``changed_at`` stays because its content is the same."""
    [entry_id] = insert(store, blog_post())
    moved = blog_post(guid="moved", url="https://harbourandhearth.example/moved/")
    change = make_change(moved, "repaired", entry_id)
    assert apply(store, [change], now=NOW + DAY) == UpdateCounts(changed=1)
    [stored], [known] = store.entries.by_id([entry_id]), store.entries.identities("blog")
    assert (stored.entry, stored.changed_at) == (moved, NOW)
    assert (known.guid, known.url_key) == ("moved", "harbourandhearth.example/moved")
    assert insert(store, moved) == [entry_id]


def test_an_entry_dated_by_first_seen_keeps_its_first_date(store: Store) -> None:
    """An undated item does not become new each time it is edited."""
    [entry_id] = insert(store, blog_post(dated_by="first_seen", published_at=NOW))
    edited = blog_post(title="Edited", dated_by="first_seen", published_at=NOW + DAY)
    apply(store, [make_change(edited, "changed", entry_id)], now=NOW + DAY)
    assert store.entries.by_id([entry_id])[0].entry == replace(edited, published_at=NOW)


def test_a_date_in_the_document_replaces_first_seen(store: Store) -> None:
    """An entry dated by ``first_seen`` takes the date the document names later."""
    [entry_id] = insert(store, blog_post(dated_by="first_seen", published_at=NOW))
    apply(store, [make_change(blog_post(), "changed", entry_id)])
    assert store.entries.by_id([entry_id])[0].entry == blog_post()


def test_dated_and_undated_changes_mix(store: Store) -> None:
    """Changes of every kind in one document each write their own columns."""
    first, second, third = insert(store, blog_post(1), blog_post(2, dated_by="first_seen"), blog_post(3))
    changes = [
        make_change(blog_post(1, title="One", guid="?p=one"), "repaired", first),
        make_change(blog_post(2, title="Two", dated_by="first_seen", published_at=NOW), "changed", second),
        make_change(blog_post(3, title="Three", published_at=NOW), "changed", third),
        make_change(blog_post(4)),
    ]
    assert apply(store, changes) == UpdateCounts(new=1, changed=3)
    rows = [(known.guid[-2:], known.title, known.published_at) for known in store.entries.identities("blog")]
    hours = [MONDAY + number * HOUR for number in range(5)]
    assert rows == [
        ("ne", "One", hours[1]),
        ("=2", "Two", hours[2]),
        ("=3", "Three", NOW),
        ("=4", "Post 4", hours[4]),
    ]


def test_vanished_at_is_written_once(store: Store) -> None:
    """``vanished_at`` is when the entry first left the document; a later fetch does not change it."""
    [entry_id, _] = insert(store, blog_post(1), blog_post(2))
    for later in (HOUR, DAY):
        apply(store, [], [entry_id], now=NOW + later)
    assert [stored.vanished_at for stored in store.entries.by_id([entry_id])] == [NOW + HOUR]
    assert [known.vanished for known in store.entries.identities("blog")] == [True, False]


@pytest.mark.parametrize("kind", ["changed", "same", "unparsed"])
def test_a_reappeared_entry_is_not_vanished(store: Store, kind: Any) -> None:
    """``vanished_at`` is cleared, whether the entry was parsed or not."""
    [entry_id] = insert(store, blog_post())
    state = FeedState(feed_id="blog")
    apply(store, [], [entry_id], state=state, withdrawn=[entry_id])
    assert store.entries.by_id([entry_id])[0].withdrawn_at == NOW
    changes = [] if kind == "unparsed" else [make_change(blog_post(), kind, entry_id)]
    reappeared = [entry_id] if kind == "unparsed" else []
    apply(store, changes, state=state, reappeared=reappeared)
    [stored] = store.entries.by_id([entry_id])
    assert (stored.vanished_at, stored.withdrawn_at) == (None, None)


def test_a_feed_is_written_in_one_transaction(store: Store) -> None:
    """When one entry cannot be written, neither the other entries nor the state are."""
    store.feeds.save(FeedState(feed_id="blog", etag="old"))
    changes = [make_change(blog_post(1)), make_change(blog_post(2, published_at=NOW.replace(tzinfo=None)))]
    with pytest.raises(Exception, match="no time zone"):
        apply(store, changes, state=FeedState(feed_id="blog", etag="new"))
    assert store.feeds.states()["blog"].etag == "old"
    assert store.entries.identities("blog") == []


def test_more_ids_than_sqlite_takes_as_parameters(store: Store) -> None:
    """40,000 ids are written in several statements."""
    [entry_id] = insert(store, blog_post())
    ids = [*range(1_000_000, 1_040_000), entry_id]
    apply(store, [], ids)
    assert store.entries.identities("blog")[0].vanished
