"""Quarantined and deleted entries in every store."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from store_factories import DAY, HOUR, MONDAY, NOW, apply, blog_post, guid_numbers, insert, make_change

from pipeline.model.entry import EntryIdentity
from pipeline.store import Store


def quarantine(store: Store, *numbers: int) -> list[int]:
    """Store entries in quarantine; return their ids."""
    changes = [make_change(blog_post(number)) for number in numbers]
    apply(store, changes, quarantine_reason="It turned new at once.", archived=True)
    return [stored.entry_id for stored in store.entries.quarantined("blog")]


def identities(store: Store) -> dict[str, EntryIdentity]:
    return {entry.guid.rpartition("=")[2]: entry for entry in store.entries.identities("blog")}


def test_a_quarantined_entry_is_stored(store: Store) -> None:
    """It has an identity like any other, is counted apart, and has the time it was quarantined."""
    insert(store, blog_post(1))
    quarantine(store, 2, 3)
    assert guid_numbers(store.entries.quarantined("blog")) == ["2", "3"]
    quarantined_at = {
        stored.entry.title: stored.quarantined_at for stored in store.entries.between(MONDAY, MONDAY + DAY, ["blog"])
    }
    assert quarantined_at == {"Post 1": None, "Post 2": NOW, "Post 3": NOW}
    count = store.feeds.stats()["blog"]
    assert (count.entries, count.quarantined) == (3, 2)
    assert set(identities(store)) == {"1", "2", "3"}


def test_a_rewritten_entry_stays_in_quarantine(store: Store) -> None:
    """A change by the feed is not the editor's decision."""
    (entry_id,) = quarantine(store, 1)
    changed = make_change(blog_post(1, title="Other"), "changed", entry_id, "second")
    apply(store, [changed], now=NOW + HOUR)
    assert [stored.entry.title for stored in store.entries.quarantined("blog")] == ["Other"]


def test_a_released_entry_is_first_seen_now(store: Store) -> None:
    """It is new or archived, as the caller says, and no longer in quarantine."""
    first, second, third = quarantine(store, 1, 2, 3)
    store.entries.release_quarantine(new=[first], archived=[second], now=NOW + DAY)
    one, two, three = store.entries.by_id([first, second, third])
    assert (one.archived, one.first_seen_at, one.quarantined_at) == (False, NOW + DAY, None)
    assert (two.archived, two.first_seen_at, two.quarantined_at) == (True, NOW + DAY, None)
    assert (three.first_seen_at, three.quarantined_at) == (NOW, NOW)
    assert guid_numbers(store.entries.late_unassigned(["blog"], NOW)) == ["1"]


def test_releasing_an_entry_that_is_not_quarantined_changes_nothing(store: Store) -> None:
    """Its ``first_seen_at`` stays."""
    (entry_id,) = insert(store, blog_post(1))
    store.entries.release_quarantine(new=[], archived=[entry_id], now=NOW + DAY)
    (stored,) = store.entries.by_id([entry_id])
    assert (stored.archived, stored.first_seen_at) == (False, NOW)


def test_a_deleted_entry_keeps_its_identity(store: Store) -> None:
    """Deduplication still finds it, as a tombstone."""
    entry_id, _ = insert(store, blog_post(1), blog_post(2))
    store.entries.delete([entry_id], now=NOW)
    assert {number: entry.deleted for number, entry in identities(store).items()} == {"1": True, "2": False}
    assert identities(store)["1"].url_key == "harbourandhearth.example/post-1"


QUESTIONS: dict[str, Callable[[Store, int], object]] = {
    "entries_between": lambda store, _: guid_numbers(store.entries.between(MONDAY, NOW, ["blog"])),
    "unplaced_late": lambda store, _: guid_numbers(store.entries.late_unassigned(["blog"], NOW)),
    "entries_by_id": lambda store, entry_id: guid_numbers(store.entries.by_id([entry_id])),
    "in_quarantine": lambda store, _: guid_numbers(store.entries.quarantined("blog")),
    "published_dates": lambda store, _: store.entries.published_dates(["blog"], MONDAY),
}


@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS)
@pytest.mark.parametrize("quarantined", [True, False])
def test_no_query_returns_a_deleted_entry(store: Store, ask: Callable[[Store, int], object], quarantined: bool) -> None:
    """Whether it was in quarantine or not."""
    (entry_id,) = quarantine(store, 1) if quarantined else insert(store, blog_post(1))
    store.entries.delete([entry_id], now=NOW)
    assert ask(store, entry_id) == []


def test_a_deleted_entry_is_not_counted(store: Store) -> None:
    """Neither in the statistics of its feed, nor as the newest."""
    _, newest = insert(store, blog_post(1), blog_post(2))
    store.entries.delete([newest], now=NOW)
    count = store.feeds.stats()["blog"]
    assert (count.entries, count.newest_title, count.newest_at) == (1, "Post 1", MONDAY + HOUR)
    assert store.entries.newest_at(["blog"]) == MONDAY + HOUR


def test_nothing_brings_a_deleted_entry_back(store: Store) -> None:
    """Neither a feed that still has it, nor a process that did not know of the deletion."""
    (entry_id,) = insert(store, blog_post(1))
    store.entries.delete([entry_id], now=NOW)
    for change in (make_change(blog_post(1)), make_change(blog_post(1), "changed", entry_id, "second")):
        apply(store, [change], now=NOW + HOUR)
    assert store.entries.between(MONDAY, NOW, ["blog"]) == []
