"""Weeks and runs in every store: each is written once, and every process sees it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import pytest
from store_factories import DAY, NOW, blog_post, guid_numbers, insert

from pipeline.model.feed import FeedState
from pipeline.model.run import claim
from pipeline.store import Store


def test_a_week_is_closed_once(store: Store) -> None:
    """Closing it again changes neither the date nor the entries."""
    first, second = insert(store, blog_post(1), blog_post(2))
    assert store.weeks.close("2026-W07", [first], now=NOW)
    assert not store.weeks.close("2026-W07", [first, second], now=NOW + DAY)
    assert store.weeks.closed() == {"2026-W07": NOW}
    assert [(stored.entry_id, stored.assigned_week) for stored in store.entries.by_id([first, second])] == [
        (first, "2026-W07"),
        (second, ""),
    ]


def test_an_assigned_entry_stays_with_its_week(store: Store) -> None:
    """A later week does not take it."""
    first, second = insert(store, blog_post(1), blog_post(2))
    store.weeks.close("2026-W07", [first], now=NOW)
    store.weeks.close("2026-W08", [first, second], now=NOW)
    assert guid_numbers(store.entries.of_weeks(["2026-W07"])) == ["1"]
    assert guid_numbers(store.entries.of_weeks(["2026-W08"])) == ["2"]


def test_an_empty_week_can_be_closed(store: Store) -> None:
    """A week without entries is closed all the same."""
    assert store.weeks.close("2026-W07", [], now=NOW)
    assert store.entries.of_weeks(["2026-W07"]) == []


def test_a_snapshot_is_one_state(store_url: str) -> None:
    """What another process writes meanwhile is seen afterwards; within a transaction, its own writes are seen."""
    with Store.open(store_url) as store, Store.open(store_url) as other:
        first, second = insert(store, blog_post(1), blog_post(2))
        with store.snapshot():
            assert store.weeks.closed() == {}
            other.weeks.close("2026-W07", [first], now=NOW)
            assert store.weeks.closed() == {}
            assert [stored.assigned_week for stored in store.entries.by_id([first])] == [""]
        assert list(store.weeks.closed()) == ["2026-W07"]
        with store.transaction(), store.snapshot():
            store.weeks.close("2026-W08", [second], now=NOW)
            assert list(store.weeks.closed()) == ["2026-W07", "2026-W08"]


def test_nothing_is_written_within_a_snapshot(store: Store) -> None:
    """It would be lost with the snapshot."""
    with store.snapshot(), pytest.raises(RuntimeError, match="within a snapshot"):
        store.weeks.close("2026-W07", [], now=NOW)
    assert store.weeks.close("2026-W07", [], now=NOW)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda store, key: store.runs.advance(None, claim(key, "2026-W07", None, claimed_by="a", now=NOW)),
        lambda store, key: store.weeks.close(key, [], now=NOW),
    ],
    ids=["runs.advance", "close_week"],
)
def test_of_concurrent_processes_one_is_first(store_url: str, attempt: Callable[[Store, str], bool]) -> None:
    """Six stores race for ten keys; each key has one winner."""
    keys = [str(number) for number in range(10)]
    with ExitStack() as stack, ThreadPoolExecutor(6) as pool:
        stores = [stack.enter_context(Store.open(store_url)) for _ in range(6)]
        races = [[pool.submit(attempt, store, key) for store in stores] for key in keys]
        assert [sum(runner.result() for runner in race) for race in races] == [1] * 10


# Reloading


@pytest.mark.parametrize(
    "write",
    [
        lambda store: store.feeds.save(FeedState(feed_id="blog")),
        lambda store: insert(store, blog_post()),
        lambda store: store.weeks.close("2026-W07", [], now=NOW),
        lambda store: store.runs.advance(None, claim("fetch", "now", None, claimed_by="a", now=NOW)),
    ],
    ids=["save_state", "apply", "close_week", "runs.advance"],
)
def test_the_revision_changes_with_every_write(store_url: str, write: Callable[[Store], object]) -> None:
    """Another process sees that something was committed, and no change where nothing was."""
    with Store.open(store_url) as writer, Store.open(store_url) as looker:
        before = looker.revision()
        assert looker.revision() == writer.revision() == before
        write(writer)
        assert looker.revision() == writer.revision() != before


def test_a_reopened_store_has_what_was_written(store_url: str) -> None:
    """A store that is closed and opened again has the same content."""
    with Store.open(store_url) as store:
        insert(store, blog_post(), now=NOW + timedelta(microseconds=1))
        before = store.entries.by_id([1])
    with Store.open(store_url) as store:
        assert store.entries.by_id([1]) == before
