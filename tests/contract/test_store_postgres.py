"""What only a server has: how it plans, what its words are made of, many that make its tables at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, inspect, make_url
from store_factories import blog_post, keep
from test_store_query_plans import IN_A_RUN

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


class Plans:
    """Listens to what is sent to a database that holds an archive, and asks it how it goes about it."""

    def __init__(self, store: Store, url: str) -> None:
        self.store, self.url = store, url
        self.sent: list[tuple[str, Any]] = []

    def of(self, ask: Callable[[Store], object]) -> list[dict[str, Any]]:
        """The steps of all statements sent while asking."""
        self.sent.clear()
        event.listen(Engine, "before_cursor_execute", self.listen)
        ask(self.store)
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
    """A plan's steps, from the outermost in."""
    yield plan
    for inner in plan.get("Plans", ()):
        yield from steps(inner)


@pytest.fixture(scope="module")
def plans() -> Iterator[Plans]:
    """One archive for all who ask."""
    with postgres.temporary_database("_plans") as url, Store.open(url) as store:
        keep(store, blog_post())
        store.feeds.save(FeedState(feed_id="podcast"))
        postgres.execute(url, *AN_ARCHIVE)
        yield Plans(store, url)


def test_no_question_of_a_run_reads_what_only_grows(plans: Plans) -> None:
    """No statement goes through all entries, contents, words or runs."""
    growing = {"entry", "content", "run", "entry_words"}
    whole_feeds = {"known_entries"}  # asked for all of a feed, it gives all of a feed
    first_only = "InitPlan"  # whether there is any: it stops at the first
    found = {
        f"{name}: {step['Relation Name']}"
        for name, ask in IN_A_RUN.items()
        if name not in whole_feeds
        for step in plans.of(ask)
        if step["Node Type"] == "Seq Scan"
        and step["Relation Name"] in growing
        and step["Parent Relationship"] != first_only
    }
    assert found == set()


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (IN_A_RUN["marks"], "entry_present"),
        (IN_A_RUN["unplaced_late"], "entry_unassigned"),
        (IN_A_RUN["entries_of_week"], "entry_week"),
        (IN_A_RUN["known_among"], "entry_page"),
        (IN_A_RUN["known_among"], "entry_guid"),
        (IN_A_RUN["in_quarantine"], "entry_quarantined"),
        (lambda store: store.word_index.search(["bread"], first_seen_by=None, max_matches=5), "entry_words_words"),
    ],
    ids=["marks", "unplaced", "week", "page", "guid", "quarantine", "words"],
)
def test_each_question_is_answered_by_its_index(plans: Plans, ask: Callable[[Store], object], index: str) -> None:
    """Partial indexes and those of expressions are seen by the planner, as the index of words is."""
    assert index in {step.get("Index Name") for step in plans.of(ask)}


def test_words_are_cut_as_sqlite_cuts_them(postgres_url: str, tmp_path: Any) -> None:
    """Addresses, compounds, accents, digits, frequent words, other scripts: found by both or by neither."""
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
            keep(store, *(replace(blog_post(number), title=title) for number, title in enumerate(titles)))
            words = store.word_index.search(asked, first_seen_by=None, max_matches=50)[0]
            found.append({word: sorted(ids) for word, ids in words.items()})
    assert found[0] == found[1]


def test_many_make_the_tables_at_once() -> None:
    """Each finds a new database complete; the steps are taken by one of them, and lead to today's columns."""
    openers = 5
    start = Barrier(openers)
    with postgres.temporary_database("_new") as url, ThreadPoolExecutor(openers) as pool:

        def open_and_ask() -> str:
            start.wait()
            with Store.open(url) as store:
                return store.revision()

        assert [each.result() for each in [pool.submit(open_and_ask) for _ in range(openers)]] == ["0"] * openers
        migrated = columns(url)
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
        schema.metadata.create_all(engine)
        engine.dispose()
        assert {name: found for name, found in migrated.items() if name != "entry_words"} == columns(url)


def columns(url: str) -> dict[str, Any]:
    """A database's tables and columns, as it tells them itself."""
    engine = create_engine(url)
    seen = inspect(engine)
    found = {
        name: {each["name"]: (str(each["type"]), each["nullable"]) for each in seen.get_columns(name)}
        for name in seen.get_table_names()
    }
    engine.dispose()
    return found


@pytest.mark.slow  # ten seconds are what it waits
def test_a_writer_waits_for_another_and_not_for_ever(postgres_url: str) -> None:
    """Who cannot get on is told that the store is in use, and nothing is half done."""
    blocker = create_engine(postgres_url)
    with Store.open(postgres_url) as store, blocker.begin() as connection:
        connection.exec_driver_sql("UPDATE commit_counter SET commits = commits")
        with pytest.raises(StoreError, match="is in use by another process"):
            keep(store, blog_post())
    blocker.dispose()


def test_a_server_that_was_started_anew_is_found_again(postgres_url: str) -> None:
    """Connections that were kept are tried before they are used."""
    name = make_url(postgres_url).database
    with Store.open(postgres_url) as store:
        keep(store, blog_post())
        hang_up = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        postgres.execute(postgres.SERVER, hang_up)
        assert [each.title for each in store.entries.identities("blog")] == ["Post 1"]
        assert keep(store, blog_post(2)) == [2]
