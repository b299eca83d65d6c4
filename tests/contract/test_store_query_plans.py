"""SQLite's query plans: what a run asks costs what is new, not what is stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from store_factories import DAY, MONDAY, NOW, apply, blog_post, insert, make_change

from pipeline.model.delivery import Settlement
from pipeline.model.run import claim
from pipeline.store import Store

FEEDS = ["blog", "podcast"]
SETTLED = Settlement(delivery_id=3, attempt=1, state="sent", due_at=NOW)
RUN_QUERIES: dict[str, Callable[[Store], object]] = {
    "entries.identities": lambda store: store.entries.identities("blog"),
    "entries.raw_hashes": lambda store: store.entries.raw_hashes("blog"),
    "entries.match_candidates": lambda store: store.entries.match_candidates("blog", [blog_post(2), blog_post(3)]),
    "entries.apply": lambda store: apply(
        store, [make_change(blog_post(2)), make_change(blog_post(1), "repaired", 1)], [1]
    ),
    "entries.between": lambda store: store.entries.between(MONDAY, NOW, FEEDS),
    "entries.late_unassigned": lambda store: store.entries.late_unassigned(FEEDS, NOW),
    "entries.quarantined": lambda store: store.entries.quarantined("blog"),
    "entries.release_quarantine": lambda store: store.entries.release_quarantine(new=[1], archived=[2], now=NOW),
    "entries.delete": lambda store: store.entries.delete([1, 2], now=NOW),
    "entries.of_weeks": lambda store: store.entries.of_weeks(["2026-W07"]),
    "entries.by_id": lambda store: store.entries.by_id([1, 2]),
    "entries.newest_at": lambda store: store.entries.newest_at(FEEDS),
    "entries.newest_at before": lambda store: store.entries.newest_at(FEEDS, NOW),
    "entries.newest_at_by_feed": lambda store: store.entries.newest_at_by_feed(FEEDS, NOW),
    "entries.published_urls": lambda store: store.entries.published_urls(["2026-W06", "2026-W05"]),
    "entries.published_dates": lambda store: store.entries.published_dates(FEEDS, MONDAY - DAY),
    "weeks.close": lambda store: store.weeks.close("2026-W07", [1], now=NOW),
    "runs.advance": lambda store: store.runs.advance(None, claim("fetch", "2026-02-16", None, claimed_by="a", now=NOW)),
    "runs.newest": lambda store: store.runs.newest(),
    "alerts.list_open": lambda store: store.alerts.list_open(),
    "alerts.due": lambda store: store.alerts.due(NOW, ["mail"]),
    "deliveries.claim": lambda store: store.deliveries.claim(("2026-W07", 0), "one", NOW, limit=9),
    "deliveries.record": lambda store: store.deliveries.record(
        "one", [(1, 1), (2, 1)], [SETTLED], NOW, day="2026-02-16"
    ),
    "deliveries.recover": lambda store: store.deliveries.recover(
        ("2026-W07", 0), NOW, uncertain="uncertain", reply="no answer"
    ),
    "deliveries.next_due_at": lambda store: store.deliveries.next_due_at(("2026-W07", 0)),
    "dispatches.lease": lambda store: store.dispatches.lease(("2026-W07", 0), "one", now=NOW, until=NOW + DAY),
    "entry_revisions.get": lambda store: store.entry_revisions.get({1: "first"}),
    "revision": lambda store: store.revision(),
}


class QueryPlans:
    """Records the statements sent to a database, and lets SQLite explain them."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.sent: list[tuple[str, Any]] = []

    def of(self, query: Callable[[Store], object]) -> list[str]:
        """Return the steps of all statements sent by a query."""
        with Store.open(f"sqlite:///{self.file}") as store:
            insert(store, blog_post())
            self.sent.clear()
            query(store)
        with closing(sqlite3.connect(self.file)) as connection:
            return [step for statement, values in self.sent for step in self._explain(connection, statement, values)]

    def listen(self, _connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool) -> None:
        """Called by SQLAlchemy before each statement."""
        if statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE")):
            self.sent.append((statement, values[0] if many else values))

    def _explain(self, connection: sqlite3.Connection, statement: str, values: Any) -> list[str]:
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]


@pytest.fixture
def plans(tmp_path: Path) -> Iterator[QueryPlans]:
    listening = QueryPlans(tmp_path / "pipeline.db")
    event.listen(Engine, "before_cursor_execute", listening.listen)
    yield listening
    event.remove(Engine, "before_cursor_execute", listening.listen)


@pytest.mark.parametrize("query", RUN_QUERIES.values(), ids=RUN_QUERIES)
def test_no_query_of_a_run_scans_a_growing_table(plans: QueryPlans, query: Callable[[Store], object]) -> None:
    """No statement scans the entries, their contents, the runs, the alerts, the deliveries or the subscribers."""
    growing = {"entry", "content", "run", "alert", "alert_delivery", "delivery", "subscriber"}
    steps = plans.of(query)
    assert [step for step in steps if step.startswith("SCAN") and step.split()[1] in growing] == []


@pytest.mark.parametrize(
    ("question", "step"),
    [
        ("entries.identities", "SEARCH entry USING INDEX entry_published (feed_id=?)"),
        ("entries.raw_hashes", "SEARCH entry USING INDEX entry_present (feed_id=?)"),
        ("entries.match_candidates", "SEARCH entry USING COVERING INDEX entry_guid (feed_id=? AND guid_sha256=?)"),
        ("entries.match_candidates", "SEARCH entry USING INDEX entry_page (<expr>=? AND feed_id=?)"),
        ("entries.match_candidates", "SEARCH entry USING INTEGER PRIMARY KEY (rowid=?)"),
        (
            "entries.between",
            "SEARCH entry USING INDEX entry_published (feed_id=? AND published_at>? AND published_at<?)",
        ),
        ("entries.late_unassigned", "SEARCH entry USING INDEX entry_unassigned (feed_id=? AND published_at<?)"),
        ("entries.of_weeks", "SEARCH entry USING INDEX entry_week (assigned_week=?)"),
        ("entries.newest_at", "SEARCH entry USING COVERING INDEX entry_published (feed_id=?)"),
        ("deliveries.record", "SEARCH delivery USING INTEGER PRIMARY KEY (rowid=?)"),
        (
            "deliveries.claim",
            "SEARCH delivery USING COVERING INDEX delivery_state (week=? AND correction=? AND state=? AND due_at<?)",
        ),
        ("entries.published_dates", "SEARCH entry USING COVERING INDEX entry_published (feed_id=? AND published_at>?)"),
    ],
)
def test_each_query_uses_its_index(plans: QueryPlans, question: str, step: str) -> None:
    """The index narrows the search to the answer, not merely to the feed."""
    assert step in plans.of(RUN_QUERIES[question])


def test_feed_stats_read_indexes(plans: QueryPlans) -> None:
    """The cost grows with the archive, yet only indexes are read, and one row a feed for the title."""
    steps = [step for step in plans.of(lambda store: store.feeds.stats()) if " entry " in step]
    assert [step.split(" (")[0] for step in steps] == [
        "SEARCH entry USING COVERING INDEX entry_published",
        "SEARCH entry USING COVERING INDEX entry_published",
        "SEARCH entry USING INDEX entry_quarantined",
        "SEARCH entry USING INDEX entry_published",
    ]


def test_match_candidates_do_not_grow_with_the_archive(tmp_path: Path) -> None:
    """Of 5,000 vanished entries the newest are returned and those that share a key, no others."""
    with Store.open(f"sqlite:///{tmp_path / 'pipeline.db'}") as store:
        ids = insert(store, *(blog_post(number) for number in range(5_000)))
        apply(store, [], ids[:-10])
        candidates = {
            identity.entry_id for identity in store.entries.match_candidates("blog", [blog_post(3), blog_post(30_000)])
        }
        assert candidates == {ids[3], *ids[-200:]}
        assert set(store.entries.raw_hashes("blog")) == set(ids[-10:])
