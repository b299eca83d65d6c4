"""Entries kept aside: in quarantine until they are accepted, deleted for good. The same on every database."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from store_factories import DAY, HOUR, MONDAY, NOW, apply, blog_post, decide, guids, keep

from pipeline.model.entry import EntryIdentity
from pipeline.store import Store


def flood(store: Store, *numbers: int) -> list[int]:
    """Store entries that wait to be accepted; gives their ids."""
    changes = [decide(blog_post(number)) for number in numbers]
    apply(store, changes, quarantine_reason="It turned new at once.", archived=True)
    return [each.entry_id for each in store.entries.quarantined("blog")]


def known(store: Store) -> dict[str, EntryIdentity]:
    return {each.guid.rpartition("=")[2]: each for each in store.entries.identities("blog")}


def test_what_is_in_quarantine_says_so(store: Store) -> None:
    """It is kept and known like any other, counted apart, and says since when it waits."""
    keep(store, blog_post(1))
    flood(store, 2, 3)
    assert guids(store.entries.quarantined("blog")) == ["2", "3"]
    marks = {each.entry.title: each.quarantined_at for each in store.entries.between(MONDAY, MONDAY + DAY, ["blog"])}
    assert marks == {"Post 1": None, "Post 2": NOW, "Post 3": NOW}
    count = store.feeds.stats()["blog"]
    assert (count.entries, count.quarantined) == (3, 2)
    assert set(known(store)) == {"1", "2", "3"}


def test_a_rewritten_entry_stays_in_quarantine(store: Store) -> None:
    """An edit of the feed's is not the editor's word."""
    (entry_id,) = flood(store, 1)
    changed = decide(blog_post(1, title="Other"), "changed", entry_id, "second")
    apply(store, [changed], now=NOW + HOUR)
    assert [each.entry.title for each in store.entries.quarantined("blog")] == ["Other"]


def test_what_is_accepted_comes_in_now(store: Store) -> None:
    """Accepted, an entry was first seen then: news or backlog as it is told, and no longer in quarantine."""
    first, second, third = flood(store, 1, 2, 3)
    store.entries.release_quarantine(new=[first], archived=[second], now=NOW + DAY)
    one, two, three = store.entries.by_id([first, second, third])
    assert (one.archived, one.first_seen_at, one.quarantined_at) == (False, NOW + DAY, None)
    assert (two.archived, two.first_seen_at, two.quarantined_at) == (True, NOW + DAY, None)
    assert (three.first_seen_at, three.quarantined_at) == (NOW, NOW)
    assert guids(store.entries.late_unassigned(["blog"], NOW)) == ["1"]


def test_accepting_what_is_not_in_quarantine_changes_nothing(store: Store) -> None:
    """Nobody's first sight is lost by a second word."""
    (entry_id,) = keep(store, blog_post(1))
    store.entries.release_quarantine(new=[], archived=[entry_id], now=NOW + DAY)
    (stored,) = store.entries.by_id([entry_id])
    assert (stored.archived, stored.first_seen_at) == (False, NOW)


def test_a_deleted_entry_leaves_its_names_alone(store: Store) -> None:
    """Deduplication still meets it, as a tombstone."""
    entry_id, _ = keep(store, blog_post(1), blog_post(2))
    store.entries.delete([entry_id], now=NOW)
    assert {number: each.deleted for number, each in known(store).items()} == {"1": True, "2": False}
    assert known(store)["1"].url_key == "harbourandhearth.example/post-1"


QUESTIONS: dict[str, Callable[[Store, int], object]] = {
    "entries_between": lambda store, _: guids(store.entries.between(MONDAY, NOW, ["blog"])),
    "unplaced_late": lambda store, _: guids(store.entries.late_unassigned(["blog"], NOW)),
    "entries_by_id": lambda store, entry_id: guids(store.entries.by_id([entry_id])),
    "in_quarantine": lambda store, _: guids(store.entries.quarantined("blog")),
    "published_dates": lambda store, _: store.entries.published_dates(["blog"], MONDAY),
}


@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS)
@pytest.mark.parametrize("quarantined", [True, False])
def test_a_deleted_entry_is_in_no_answer(store: Store, ask: Callable[[Store, int], object], quarantined: bool) -> None:
    """Whatever is asked, and whether it waited in quarantine or not."""
    (entry_id,) = flood(store, 1) if quarantined else keep(store, blog_post(1))
    store.entries.delete([entry_id], now=NOW)
    assert ask(store, entry_id) == []


def test_a_deleted_entry_does_not_count(store: Store) -> None:
    """Neither as one of its feed's, nor as the newest."""
    _, newest = keep(store, blog_post(1), blog_post(2))
    store.entries.delete([newest], now=NOW)
    count = store.feeds.stats()["blog"]
    assert (count.entries, count.newest_title, count.newest_at) == (1, "Post 1", MONDAY + HOUR)
    assert store.entries.newest_at(["blog"]) == MONDAY + HOUR


def test_nothing_brings_a_deleted_entry_back(store: Store) -> None:
    """Neither a feed that still has it, nor a process that had not heard of the deletion."""
    (entry_id,) = keep(store, blog_post(1))
    store.entries.delete([entry_id], now=NOW)
    for change in (decide(blog_post(1)), decide(blog_post(1), "changed", entry_id, "second")):
        apply(store, [change], now=NOW + HOUR)
    assert store.entries.between(MONDAY, NOW, ["blog"]) == []
