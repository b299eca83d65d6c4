"""PostgreSQL only: query plans, the word index, concurrent migrations, waiting and reconnecting."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, inspect, make_url
from store_factories import blog_post, insert
from test_store_query_plans import RUN_QUERIES

from pipeline.model.errors import StoreError
from pipeline.model.feed import FeedState
from pipeline.store import Store, schema
from pipeline.store.dialects import make_engine
from tests import postgres

pytestmark = pytest.mark.postgres

AN_ARCHIVE = (
    """INSERT INTO entry (feed_id, guid, guid_sha256, url_key, enclosure_key, media_type, fingerprint, title, dated_by,
    published_at, first_seen_at, changed_at, vanished_at, archived, raw_hash)
    SELECT 'blog', n, md5(n::text), 'page' || n, 'file' || n, '', '', 'Post ' || n, 'published',
    now() - n * interval '1 day', now(), now(), now(), true, '' FROM generate_series(1, 20000) n""",
    """INSERT INTO content SELECT entry_id, '{"url": ""}', '<p>Body</p>' FROM entry
    WHERE NOT EXISTS (SELECT FROM content WHERE content.entry_id = entry.entry_id)""",
    "INSERT INTO run SELECT 'fetch', n, now(), '', 1, 'done', '', now(), NULL FROM generate_series(1, 3000) n",
    "INSERT INTO newest_run VALUES ('fetch', '3000')",
    "ANALYZE",
)


class QueryPlans:
    """Records the statements sent to a database with an archive, and explains them."""

    def __init__(self, store: Store, url: str) -> None:
        self.store, self.url = store, url
        self.sent: list[tuple[str, Any]] = []

    def of(self, query: Callable[[Store], object]) -> list[dict[str, Any]]:
        """Return the steps of all statements sent by a query."""
        self.sent.clear()
        event.listen(Engine, "before_cursor_execute", self.listen)
        query(self.store)
        event.remove(Engine, "before_cursor_execute", self.listen)
        engine = make_engine(self.url)
        with engine.connect() as connection:
            plans = [
                connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", values).scalar()
                for statement, values in self.sent
            ]
        engine.dispose()
        return [step for plan in plans for step in steps(plan[0]["Plan"])]

    def listen(self, _connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool) -> None:
        """Called by SQLAlchemy before each statement."""
        if statement.lstrip().startswith(("SELECT", "INSERT", "UPDATE", "DELETE")):
            self.sent.append((statement, values[0] if many else values))


def steps(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the steps of a plan, from the outermost in."""
    yield plan
    for inner in plan.get("Plans", ()):
        yield from steps(inner)


@pytest.fixture(scope="module")
def plans() -> Iterator[QueryPlans]:
    """One archive for all tests."""
    with postgres.temporary_database("_plans") as url, Store.open(url) as store:
        insert(store, blog_post())
        store.feeds.save(FeedState(feed_id="podcast"))
        postgres.execute(url, *AN_ARCHIVE)
        yield QueryPlans(store, url)


def test_no_query_of_a_run_scans_a_growing_table(plans: QueryPlans) -> None:
    """No statement reads all entries, contents, words or runs."""
    growing = {"entry", "content", "run", "entry_words"}
    whole_feeds = {"entries.identities"}  # returns all entries of a feed
    first_only = "InitPlan"  # whether there is any: it stops at the first
    scans = {
        f"{name}: {step['Relation Name']}"
        for name, query in RUN_QUERIES.items()
        if name not in whole_feeds
        for step in plans.of(query)
        if step["Node Type"] == "Seq Scan"
        and step["Relation Name"] in growing
        and step["Parent Relationship"] != first_only
    }
    assert scans == set()


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (RUN_QUERIES["entries.raw_hashes"], "entry_present"),
        (RUN_QUERIES["entries.late_unassigned"], "entry_unassigned"),
        (RUN_QUERIES["entries.of_weeks"], "entry_week"),
        (RUN_QUERIES["entries.match_candidates"], "entry_page"),
        (RUN_QUERIES["entries.match_candidates"], "entry_guid"),
        (RUN_QUERIES["entries.quarantined"], "entry_quarantined"),
        (lambda store: store.word_index.search(["bread"], first_seen_by=None, max_matches=5), "entry_words_words"),
    ],
    ids=["raw_hashes", "unassigned", "week", "page", "guid", "quarantine", "words"],
)
def test_each_query_uses_its_index(plans: QueryPlans, query: Callable[[Store], object], index: str) -> None:
    """The planner uses partial indexes, those of expressions, and the word index."""
    assert index in {step.get("Index Name") for step in plans.of(query)}


def test_words_are_split_as_in_sqlite(postgres_url: str, tmp_path: Any) -> None:
    """URLs, compounds, accents, digits, frequent words, other scripts: found by both databases or by neither."""
    titles = [
        "The boat-builder's café: naïve art, 100% salt",
        "Write to anna.finch@example.org or see https://example.org/path/to_page.html",
        "Éclairs & crème brûlée – “slow” baking’s return",
        "It is not the and of to; running, ran, runs, easily, relational",
        "Über Größe, Straße und İstanbul; Москва, 東京",
        "v2.10.3 of A/B-tests, 3.14 and -7",
    ]
    asked = sorted({word for title in titles for word in re.findall(r"\w+", title)} | {"cafe", "run", "bake"})
    found = []
    for url in (postgres_url, f"sqlite:///{tmp_path / 'pipeline.db'}"):
        with Store.open(url) as store:
            insert(store, *(replace(blog_post(number), title=title) for number, title in enumerate(titles)))
            words = store.word_index.search(asked, first_seen_by=None, max_matches=50)[0]
            found.append({word: sorted(ids) for word, ids in words.items()})
    assert found[0] == found[1]


def test_concurrent_processes_migrate_once() -> None:
    """Each finds a new database complete; one applies the migrations, which lead to today's columns."""
    openers = 5
    start = Barrier(openers)
    with postgres.temporary_database("_new") as url, ThreadPoolExecutor(openers) as pool:

        def open_and_ask() -> str:
            start.wait()
            with Store.open(url) as store:
                return store.revision()

        assert [future.result() for future in [pool.submit(open_and_ask) for _ in range(openers)]] == ["0"] * openers
        migrated = columns(url)
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
        schema.metadata.create_all(engine)
        engine.dispose()
        assert {name: table for name, table in migrated.items() if name != "entry_words"} == columns(url)


def columns(url: str) -> dict[str, Any]:
    """Return the columns of each table, as the database reports them."""
    engine = create_engine(url)
    inspector = inspect(engine)
    columns_by_table = {
        name: {column["name"]: (str(column["type"]), column["nullable"]) for column in inspector.get_columns(name)}
        for name in inspector.get_table_names()
    }
    engine.dispose()
    return columns_by_table


@pytest.mark.slow  # ten seconds are what it waits
def test_a_writer_does_not_wait_for_ever(postgres_url: str) -> None:
    """The error says that the store is in use, and nothing is written."""
    blocker = create_engine(postgres_url)
    with Store.open(postgres_url) as store, blocker.begin() as connection:
        connection.exec_driver_sql("UPDATE commit_counter SET commits = commits")
        with pytest.raises(StoreError, match="is in use by another process"):
            insert(store, blog_post())
    blocker.dispose()


def test_connections_survive_a_server_restart(postgres_url: str) -> None:
    """Pooled connections are tested before they are used."""
    name = make_url(postgres_url).database
    with Store.open(postgres_url) as store:
        insert(store, blog_post())
        hang_up = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        postgres.execute(postgres.SERVER, hang_up)
        assert [identity.title for identity in store.entries.identities("blog")] == ["Post 1"]
        assert insert(store, blog_post(2)) == [2]
