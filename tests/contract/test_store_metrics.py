"""What the instruments show of every store: counts that agree with what was done to it."""

from __future__ import annotations

from datetime import timedelta

from store_factories import DAY, NOW, blog_post, keep

from pipeline.model.feed import FeedState
from pipeline.model.run import RunStatus, claim, finish
from pipeline.store import Store
from pipeline.store.migrate import list_migrations


def test_an_empty_store_counts_nothing(store: Store) -> None:
    """And does not fail at it."""
    assert store.metrics.entry_counts() == (0, 0)
    assert store.metrics.editions_by_state() == ({}, 0)
    assert store.metrics.feeds_by_outcome(["blog"]) == {"never": 1}
    assert (store.metrics.runs_by_status(), store.metrics.last_finished_at()) == ({}, {})


def test_deleted_entries_were_seen_all_the_same(store: Store) -> None:
    """What ever came in only grows, so a rate can be made of it."""
    first, _ = keep(store, blog_post(1), blog_post(2))
    assert store.metrics.entry_counts() == (2, 2)
    store.entries.delete([first], now=NOW)
    assert store.metrics.entry_counts() == (1, 2)


def test_feeds_are_counted_by_their_last_outcome(store: Store) -> None:
    """Only those that are asked for: what was taken out of config.toml counts no more."""
    store.feeds.save(
        *(FeedState(feed_id=name, outcome=word) for name, word in (("a", "ok"), ("b", "ok"), ("c", "gone")))
    )
    assert store.metrics.feeds_by_outcome(["a", "b", "new"]) == {"ok": 2, "never": 1}


def run(store: Store, task: str, period: str, outcome: RunStatus, hours: int) -> None:
    seen = store.runs.newest().get(task)
    taken = claim(task, period, seen, claimed_by="here", now=NOW)
    assert store.runs.advance(seen, taken)
    if outcome != "running":
        assert store.runs.advance(taken, finish(taken, outcome, "", NOW + timedelta(hours=hours)))


def test_runs_are_counted_by_how_they_ended(store: Store) -> None:
    """One under way has not ended; of those that have, the last moment counts, and the last good one."""
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


def test_editions_are_counted_by_where_they_stand(store: Store) -> None:
    """The newest number is that of the newest seal, whatever became of it."""
    for week in ("2026-W06", "2026-W07"):
        store.editions.release(store.editions.get(week), "skipped", [], now=NOW + DAY, actor="ann")
    assert store.metrics.editions_by_state() == ({"skipped": 2}, 0)


def test_the_foundation_is_named(store: Store, store_url: str) -> None:
    """Dialect and schema; SQLite keeps a write-ahead log."""
    found = store.metrics.database_info()
    dialect = store_url.partition(":")[0].partition("+")[0]
    assert (found.dialect, found.schema_version) == (dialect, max(list_migrations()))
    assert found.journal_mode == ("wal" if dialect == "sqlite" else "")
