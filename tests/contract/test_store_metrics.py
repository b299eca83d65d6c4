"""Metrics of every store: counts agree with what was written."""

from __future__ import annotations

from datetime import timedelta

from store_factories import DAY, NOW, blog_post, insert

from pipeline.model.feed import FeedState
from pipeline.model.run import RunStatus, claim, finish
from pipeline.store import Store
from pipeline.store.migrate import list_migrations


def test_an_empty_store_has_zero_counts(store: Store) -> None:
    """No query fails on an empty store."""
    assert store.metrics.entry_counts() == (0, 0)
    assert store.metrics.editions_by_state() == ({}, 0)
    assert store.metrics.feeds_by_outcome(["blog"]) == {"never": 1}
    assert (store.metrics.runs_by_status(), store.metrics.last_finished_at()) == ({}, {})


def test_deleted_entries_stay_in_the_total(store: Store) -> None:
    """The total only grows, so that a rate can be computed."""
    first, _ = insert(store, blog_post(1), blog_post(2))
    assert store.metrics.entry_counts() == (2, 2)
    store.entries.delete([first], now=NOW)
    assert store.metrics.entry_counts() == (1, 2)


def test_feeds_are_counted_by_their_last_outcome(store: Store) -> None:
    """Only those asked for: a feed removed from config.toml is not counted."""
    store.feeds.save(
        *(FeedState(feed_id=name, outcome=word) for name, word in (("a", "ok"), ("b", "ok"), ("c", "gone")))
    )
    assert store.metrics.feeds_by_outcome(["a", "b", "new"]) == {"ok": 2, "never": 1}


def run(store: Store, task: str, period: str, outcome: RunStatus, hours: int) -> None:
    previous = store.runs.newest().get(task)
    claimed = claim(task, period, previous, claimed_by="here", now=NOW)
    assert store.runs.advance(previous, claimed)
    if outcome != "running":
        assert store.runs.advance(claimed, finish(claimed, outcome, "", NOW + timedelta(hours=hours)))


def test_runs_are_counted_by_status(store: Store) -> None:
    """A running one has not finished; of the others the last time counts, and the last of a status."""
    run(store, "fetch", "1", "succeeded", 1)
    run(store, "fetch", "2", "succeeded", 2)
    run(store, "fetch", "3", "failed", 3)
    run(store, "draft", "2026-W07", "running", 0)
    assert store.metrics.runs_by_status() == {
        ("fetch", "succeeded"): 2,
        ("fetch", "failed"): 1,
        ("draft", "running"): 1,
    }
    assert store.metrics.last_finished_at() == {"fetch": NOW + timedelta(hours=3)}
    assert store.metrics.last_finished_at("succeeded") == {"fetch": NOW + timedelta(hours=2)}


def test_editions_are_counted_by_state(store: Store) -> None:
    """The highest number is that of the newest sealed edition, whatever its state."""
    for week in ("2026-W06", "2026-W07"):
        store.editions.release(store.editions.get(week), "skipped", [], now=NOW + DAY, actor="ann")
    assert store.metrics.editions_by_state() == ({"skipped": 2}, 0)


def test_database_info(store: Store, store_url: str) -> None:
    """Dialect and schema version; SQLite has a write-ahead log."""
    info = store.metrics.database_info()
    dialect = store_url.partition(":")[0].partition("+")[0]
    assert (info.dialect, info.schema_version) == (dialect, max(list_migrations()))
    assert info.journal_mode == ("wal" if dialect == "sqlite" else "")
