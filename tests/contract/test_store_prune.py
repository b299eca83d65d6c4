"""Old texts go; nothing returns as new, and nothing is missing where it is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from published_store import LATER, TWO_YEARS, bodies, published
from store_factories import MONDAY, NOW, apply, blog_post, decide, keep

from pipeline.ingest.dedupe import decide as compare
from pipeline.jobs.maintenance.prune import prune, prune_task
from pipeline.model.feed import FeedState
from pipeline.store import Store
from tests.publication import W07, PublicationHarness, shared_theme


def test_old_texts_go_and_new_ones_stay(store: Store) -> None:
    """The old is what was published and last changed before; how much it was is counted in bytes."""
    old = [replace(blog_post(number), published_at=MONDAY, body_html="Größe") for number in range(700)]
    ids = keep(store, *old, archived=True)
    late = keep(store, blog_post(900), now=LATER, archived=True)
    done = prune(store, TWO_YEARS, now=LATER)
    assert (done.entries, done.freed_bytes) == (700, 700 * 7)
    assert set(bodies(store, ids).values()) == {""}
    assert bodies(store, late) == {late[0]: "<p>Body 900</p>"}
    assert prune(store, TWO_YEARS, now=LATER).entries == 0


def test_what_may_still_be_told_stays(store: Store) -> None:
    """News that no week took, what a week gave up, what waits in quarantine: all of it whole."""
    news = keep(store, blog_post(1))
    given_up = keep(store, blog_post(1), blog_post(2), archived=True)[1:]
    store.weeks.close("2026-W07", [], now=NOW, carried_over=given_up)
    state, waiting = FeedState(feed_id="other"), [decide(blog_post(3, feed_id="other"))]
    apply(store, waiting, state=state, quarantine_reason="It turned new at once.", archived=True)
    assert prune(store, TWO_YEARS, now=LATER).entries == 0
    assert all(bodies(store, [*news, *given_up]).values())


def test_nothing_returns_as_new(store: Store) -> None:
    """An entry without its text is the same to deduplication, and to the words that look back."""
    post = replace(blog_post(1), excerpt_text="Salt roads.")
    (first,) = keep(store, post, archived=True)
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


def test_an_edition_of_long_ago_is_made_again_the_same(store_url: str, tmp_path: Path) -> None:
    """Its entries keep their texts, the sealed bytes stay, whatever is pruned."""
    house = published(PublicationHarness(tmp_path, shared_theme(), store_url))
    sealed = house.store.editions.sealed(str(W07))
    assert prune(house.store, TWO_YEARS, now=LATER).entries == 1, "the post that was there before"
    assert house.store.editions.sealed(str(W07)) == sealed
    assert house.workflow.rebuild(W07).changed_files == ()
    house.store.close()


def test_pruning_is_a_task_of_every_week(store: Store) -> None:
    """It says what it did."""
    keep(store, blog_post(1), archived=True)
    task = prune_task(store, TWO_YEARS)
    assert task.schedule.period(NOW, NOW.tzinfo) == "2026-02-15"  # type: ignore[arg-type]
    assert task.run("2026-02-15", LATER) == "1 text from before 2026-04-25 dropped, 0 kB"


def test_the_room_goes_back_to_the_disk(tmp_path: Path) -> None:
    """Compacted, the file is smaller; nothing else has changed."""
    file = tmp_path / "pipeline.db"
    with Store.open(f"sqlite:///{file}") as store:
        keep(store, *(blog_post(number, body_html="x" * 5_000) for number in range(200)), archived=True)
        before = store.entries.identities("blog")
        prune(store, TWO_YEARS, now=LATER)
    size_bytes = file.stat().st_size
    with Store.open(f"sqlite:///{file}") as store:
        store.maintenance.compact()
        assert store.entries.identities("blog") == before
    assert file.stat().st_size < size_bytes / 3
