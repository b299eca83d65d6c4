"""What every store promises of weeks and runs: each happens once, and everybody sees it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import pytest
from store_factories import DAY, NOW, blog_post, guids, keep

from pipeline.model.feed import FeedState
from pipeline.model.run import claim
from pipeline.store import Store


def test_a_week_is_settled_by_the_first(store: Store) -> None:
    """The second settling changes nothing, neither the date nor the entries."""
    first, second = keep(store, blog_post(1), blog_post(2))
    assert store.weeks.close("2026-W07", [first], now=NOW)
    assert not store.weeks.close("2026-W07", [first, second], now=NOW + DAY)
    assert store.weeks.closed() == {"2026-W07": NOW}
    assert [(stored.entry_id, stored.assigned_week) for stored in store.entries.by_id([first, second])] == [
        (first, "2026-W07"),
        (second, ""),
    ]


def test_an_entry_stays_with_the_week_that_took_it(store: Store) -> None:
    """No later week takes it away."""
    first, second = keep(store, blog_post(1), blog_post(2))
    store.weeks.close("2026-W07", [first], now=NOW)
    store.weeks.close("2026-W08", [first, second], now=NOW)
    assert guids(store.entries.of_week("2026-W07")) == ["1"]
    assert guids(store.entries.of_week("2026-W08")) == ["2"]


def test_an_empty_week_can_be_settled(store: Store) -> None:
    """A week that took nothing is settled all the same."""
    assert store.weeks.close("2026-W07", [], now=NOW)
    assert store.entries.of_week("2026-W07") == []


@pytest.mark.parametrize(
    "attempt",
    [
        lambda store, key: store.runs.advance(None, claim(key, "2026-W07", None, claimed_by="a", now=NOW)),
        lambda store, key: store.weeks.close(key, [], now=NOW),
    ],
    ids=["runs.advance", "close_week"],
)
def test_of_many_at_once_exactly_one_is_first(store_url: str, attempt: Callable[[Store, str], bool]) -> None:
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
        lambda store: keep(store, blog_post()),
        lambda store: store.weeks.close("2026-W07", [], now=NOW),
        lambda store: store.runs.advance(None, claim("fetch", "now", None, claimed_by="a", now=NOW)),
    ],
    ids=["save_state", "apply", "close_week", "runs.advance"],
)
def test_the_mark_moves_with_every_write(store_url: str, write: Callable[[Store], object]) -> None:
    """Whoever looks from outside sees that something was committed, and nothing when nothing was."""
    with Store.open(store_url) as writer, Store.open(store_url) as looker:
        before = looker.revision()
        assert looker.revision() == writer.revision() == before
        write(writer)
        assert looker.revision() == writer.revision() != before


def test_what_was_written_is_there_after_reopening(store_url: str) -> None:
    """A store that is closed and opened again holds the same."""
    with Store.open(store_url) as store:
        keep(store, blog_post(), now=NOW + timedelta(microseconds=1))
        before = store.entries.by_id([1])
    with Store.open(store_url) as store:
        assert store.entries.by_id([1]) == before
