"""What a run asks costs what is new, not what is kept: SQLite's own plans say so."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from store_factories import DAY, MONDAY, NOW, apply, blog_post, decide, keep

from pipeline.model.run import claim
from pipeline.store import Store

FEEDS = ["blog", "podcast"]
IN_A_RUN: dict[str, Callable[[Store], object]] = {
    "known_entries": lambda store: store.entries.identities("blog"),
    "marks": lambda store: store.entries.raw_hashes("blog"),
    "known_among": lambda store: store.entries.match_candidates("blog", [blog_post(2), blog_post(3)]),
    "apply": lambda store: apply(store, [decide(blog_post(2)), decide(blog_post(1), "repaired", 1)], [1]),
    "entries_between": lambda store: store.entries.between(MONDAY, NOW, FEEDS),
    "unplaced_late": lambda store: store.entries.late_unassigned(FEEDS, NOW),
    "in_quarantine": lambda store: store.entries.quarantined("blog"),
    "accept": lambda store: store.entries.release_quarantine(new=[1], archived=[2], now=NOW),
    "delete_entries": lambda store: store.entries.delete([1, 2], now=NOW),
    "entries_of_week": lambda store: store.entries.of_week("2026-W07"),
    "entries_by_id": lambda store: store.entries.by_id([1, 2]),
    "newest_entry_at": lambda store: store.entries.newest_at(FEEDS),
    "newest_entry_at before": lambda store: store.entries.newest_at(FEEDS, NOW),
    "newest_entry_of_each": lambda store: store.entries.newest_at_by_feed(FEEDS, NOW),
    "pages_told": lambda store: store.entries.published_urls(["2026-W06", "2026-W05"]),
    "published_dates": lambda store: store.entries.published_dates(FEEDS, MONDAY - DAY),
    "settle_week": lambda store: store.weeks.close("2026-W07", [1], now=NOW),
    "runs.advance": lambda store: store.runs.advance(None, claim("fetch", "2026-02-16", None, claimed_by="a", now=NOW)),
    "runs.newest": lambda store: store.runs.newest(),
    "notices.open": lambda store: store.alerts.list_open(),
    "notices.due": lambda store: store.alerts.due(NOW, ["mail"]),
    "former.of": lambda store: store.entry_revisions.get({1: "first"}),
    "change_mark": lambda store: store.revision(),
}


class Plans:
    """Listens to what is sent to a database, and asks SQLite how it goes about it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.sent: list[tuple[str, Any]] = []

    def of(self, ask: Callable[[Store], object]) -> list[str]:
        """The steps of all statements sent while asking."""
        with Store.open(f"sqlite:///{self.file}") as store:
            keep(store, blog_post())
            self.sent.clear()
            ask(store)
        with closing(sqlite3.connect(self.file)) as connection:
            return [step for statement, values in self.sent for step in self._explain(connection, statement, values)]

    def listen(self, _connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool) -> None:
        """Called by SQLAlchemy before each statement."""
        if statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE")):
            self.sent.append((statement, values[0] if many else values))

    def _explain(self, connection: sqlite3.Connection, statement: str, values: Any) -> list[str]:
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]


@pytest.fixture
def plans(tmp_path: Path) -> Iterator[Plans]:
    listening = Plans(tmp_path / "pipeline.db")
    event.listen(Engine, "before_cursor_execute", listening.listen)
    yield listening
    event.remove(Engine, "before_cursor_execute", listening.listen)


@pytest.mark.parametrize("ask", IN_A_RUN.values(), ids=IN_A_RUN)
def test_no_question_of_a_run_reads_what_only_grows(plans: Plans, ask: Callable[[Store], object]) -> None:
    """No statement scans the entries, their contents or the runs."""
    growing = {"entry", "content", "run", "alert", "alert_delivery"}
    steps = plans.of(ask)
    assert [step for step in steps if step.startswith("SCAN") and step.split()[1] in growing] == []


@pytest.mark.parametrize(
    ("question", "step"),
    [
        ("known_entries", "SEARCH entry USING INDEX entry_published (feed_id=?)"),
        ("marks", "SEARCH entry USING INDEX entry_present (feed_id=?)"),
        ("known_among", "SEARCH entry USING COVERING INDEX entry_guid (feed_id=? AND guid_sha256=?)"),
        ("known_among", "SEARCH entry USING INDEX entry_page (<expr>=? AND feed_id=?)"),
        ("known_among", "SEARCH entry USING INTEGER PRIMARY KEY (rowid=?)"),
        (
            "entries_between",
            "SEARCH entry USING INDEX entry_published (feed_id=? AND published_at>? AND published_at<?)",
        ),
        ("unplaced_late", "SEARCH entry USING INDEX entry_unassigned (feed_id=? AND published_at<?)"),
        ("entries_of_week", "SEARCH entry USING INDEX entry_week (assigned_week=?)"),
        ("newest_entry_at", "SEARCH entry USING COVERING INDEX entry_published (feed_id=?)"),
        ("published_dates", "SEARCH entry USING COVERING INDEX entry_published (feed_id=? AND published_at>?)"),
    ],
)
def test_each_question_is_answered_by_its_index(plans: Plans, question: str, step: str) -> None:
    """The index narrows the answer down to what is asked for, not merely to the feed."""
    assert step in plans.of(IN_A_RUN[question])


def test_counting_is_left_to_the_index(plans: Plans) -> None:
    """``feed_counts`` grows with the archive, yet reads indexes alone, and one row a feed for the title."""
    steps = [step for step in plans.of(lambda store: store.feeds.stats()) if " entry " in step]
    assert [step.split(" (")[0] for step in steps] == [
        "SEARCH entry USING COVERING INDEX entry_published",
        "SEARCH entry USING COVERING INDEX entry_published",
        "SEARCH entry USING INDEX entry_quarantined",
        "SEARCH entry USING INDEX entry_published",
    ]


def test_what_deduplication_is_told_does_not_grow_with_the_archive(tmp_path: Path) -> None:
    """Of 5,000 entries that left the document, it hears of the newest and of those that share a name, no others."""
    with Store.open(f"sqlite:///{tmp_path / 'pipeline.db'}") as store:
        ids = keep(store, *(blog_post(number) for number in range(5_000)))
        apply(store, [], ids[:-10])
        told = {each.entry_id for each in store.entries.match_candidates("blog", [blog_post(3), blog_post(30_000)])}
        assert told == {ids[3], *ids[-200:]}
        assert set(store.entries.raw_hashes("blog")) == set(ids[-10:])
