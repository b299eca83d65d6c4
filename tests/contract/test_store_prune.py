"""Pruning: old bodies are deleted; nothing returns as new, and no edition loses anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from published_store import LATER, TWO_YEARS, bodies, publish_week
from store_factories import MONDAY, NOW, apply, blog_post, insert, make_change

from pipeline.ingest.dedupe import decide as compare
from pipeline.jobs.maintenance.prune import prune, prune_task
from pipeline.model.feed import FeedState
from pipeline.store import Store
from tests.publication import W07, PublicationHarness, shared_theme


def test_old_bodies_are_deleted(store: Store) -> None:
    """Old is what was published and last changed before; the freed size is in bytes."""
    old = [replace(blog_post(number), published_at=MONDAY, body_html="Größe") for number in range(700)]
    ids = insert(store, *old, archived=True)
    late = insert(store, blog_post(900), now=LATER, archived=True)
    done = prune(store, TWO_YEARS, now=LATER)
    assert (done.entries, done.freed_bytes) == (700, 700 * 7)
    assert set(bodies(store, ids).values()) == {""}
    assert bodies(store, late) == {late[0]: "<p>Body 900</p>"}
    assert prune(store, TWO_YEARS, now=LATER).entries == 0


def test_entries_that_may_still_be_published_stay(store: Store) -> None:
    """Late entries, released ones and those in quarantine keep their bodies."""
    news = insert(store, blog_post(1))
    given_up = insert(store, blog_post(1), blog_post(2), archived=True)[1:]
    store.weeks.close("2026-W07", [], now=NOW, carried_over=given_up)
    state, waiting = FeedState(feed_id="other"), [make_change(blog_post(3, feed_id="other"))]
    apply(store, waiting, state=state, quarantine_reason="It turned new at once.", archived=True)
    assert prune(store, TWO_YEARS, now=LATER).entries == 0
    assert all(bodies(store, [*news, *given_up]).values())


def test_pruned_entries_do_not_return_as_new(store: Store) -> None:
    """An entry without its body is the same to deduplication and to the word index."""
    post = replace(blog_post(1), excerpt_text="Salt roads.")
    (first,) = insert(store, post, archived=True)
    before = (
        store.entries.match_candidates("blog", [post]),
        store.entries.raw_hashes("blog"),
        store.word_index.search(["salt"], first_seen_by=None, max_matches=5),
    )
    assert prune(store, TWO_YEARS, now=LATER).entries == 1
    after = (
        store.entries.match_candidates("blog", [post]),
        store.entries.raw_hashes("blog"),
        store.word_index.search(["salt"], first_seen_by=None, max_matches=5),
    )
    assert after == before
    assert compare([post], after[0]).entries[0].entry_id == first


def test_an_old_edition_is_rebuilt_to_the_same_bytes(store_url: str, tmp_path: Path) -> None:
    """Its entries keep their bodies, and the sealed bytes stay."""
    publication = publish_week(PublicationHarness(tmp_path, shared_theme(), store_url))
    sealed = publication.store.editions.sealed(str(W07))
    assert prune(publication.store, TWO_YEARS, now=LATER).entries == 1, "the post that was there before"
    assert publication.store.editions.sealed(str(W07)) == sealed
    assert publication.workflow.rebuild(W07).changed_files == ()
    publication.store.close()


def test_pruning_is_a_weekly_task(store: Store) -> None:
    """It reports what it did."""
    insert(store, blog_post(1), archived=True)
    task = prune_task(store, TWO_YEARS)
    assert task.schedule.period(NOW, NOW.tzinfo) == "2026-02-15"  # type: ignore[arg-type]
    assert task.run("2026-02-15", LATER) == "1 text from before 2026-04-25 deleted, 0 kB"


def test_compact_makes_the_file_smaller(tmp_path: Path) -> None:
    """Nothing else has changed."""
    file = tmp_path / "pipeline.db"
    with Store.open(f"sqlite:///{file}") as store:
        insert(store, *(blog_post(number, body_html="x" * 5_000) for number in range(400)), archived=True)
        before = store.entries.identities("blog")
        prune(store, TWO_YEARS, now=LATER)
    size_bytes = file.stat().st_size
    with Store.open(f"sqlite:///{file}") as store:
        store.maintenance.compact()
        assert store.entries.identities("blog") == before
    assert file.stat().st_size < size_bytes / 3
