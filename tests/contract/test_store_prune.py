"""Old texts go; nothing returns as new, and nothing is missing where it is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from care_cases import LATER, TWO_YEARS, bodies, published
from store_cases import MONDAY, NOW, blog_post, decide, keep

from pipeline.ingest.dedupe import decide as compare
from pipeline.jobs.care.prune import prune, prune_task
from pipeline.model.feed import FeedState
from pipeline.store import Store
from tests.publishing import W07, House, usual_theme


def test_old_texts_go_and_new_ones_stay(store: Store) -> None:
    """The old is what was published and last changed before; how much it was is counted in bytes."""
    old = [replace(blog_post(number), published_at=MONDAY, body_html="Größe") for number in range(700)]
    ids = keep(store, *old, backlog=True)
    late = keep(store, blog_post(900), now=LATER, backlog=True)
    done = prune(store, TWO_YEARS, now=LATER)
    assert (done.entries, done.freed_bytes) == (700, 700 * 7)
    assert set(bodies(store, ids).values()) == {""}
    assert bodies(store, late) == {late[0]: "<p>Body 900</p>"}
    assert prune(store, TWO_YEARS, now=LATER).entries == 0


def test_what_may_still_be_told_stays(store: Store) -> None:
    """News that no week took, what a week gave up, what waits in quarantine: all of it whole."""
    news = keep(store, blog_post(1))
    given_up = keep(store, blog_post(1), blog_post(2), backlog=True)[1:]
    store.settle_week("2026-W07", [], now=NOW, rolled_on=given_up)
    state, waiting = FeedState(feed_id="other"), [decide(blog_post(3, feed_id="other"))]
    store.apply(state, waiting, [], now=NOW, backlog=True, quarantined=True)
    assert prune(store, TWO_YEARS, now=LATER).entries == 0
    assert all(bodies(store, [*news, *given_up]).values())


def test_nothing_returns_as_new(store: Store) -> None:
    """An entry without its text is the same to deduplication, and to the words that look back."""
    post = replace(blog_post(1), excerpt_text="Salt roads.")
    (first,) = keep(store, post, backlog=True)
    before = store.known_among("blog", [post]), store.marks("blog"), store.entries_with(["salt"], seen_by=None, most=5)
    assert prune(store, TWO_YEARS, now=LATER).entries == 1
    after = store.known_among("blog", [post]), store.marks("blog"), store.entries_with(["salt"], seen_by=None, most=5)
    assert after == before
    assert compare([post], after[0]).changes[0].entry_id == first


def test_an_edition_of_long_ago_is_made_again_the_same(store_url: str, tmp_path: Path) -> None:
    """Its entries keep their texts, the sealed bytes stay, whatever is pruned."""
    house = published(House(tmp_path, usual_theme(), store_url))
    sealed = house.store.editions.sealed(str(W07))
    assert prune(house.store, TWO_YEARS, now=LATER).entries == 1, "the post that was there before"
    assert house.store.editions.sealed(str(W07)) == sealed
    assert house.publisher.rebuild(W07).parts == ()
    house.store.close()


def test_pruning_is_a_task_of_every_week(store: Store) -> None:
    """It says what it did."""
    keep(store, blog_post(1), backlog=True)
    task = prune_task(store, TWO_YEARS)
    assert task.schedule.period(NOW, NOW.tzinfo) == "2026-02-15"  # type: ignore[arg-type]
    assert task.run("2026-02-15", LATER) == "1 text from before 2026-04-25 dropped, 0 kB"


def test_the_room_goes_back_to_the_disk(tmp_path: Path) -> None:
    """Compacted, the file is smaller; nothing else has changed."""
    file = tmp_path / "pipeline.db"
    with Store.open(f"sqlite:///{file}") as store:
        keep(store, *(blog_post(number, body_html="x" * 5_000) for number in range(200)), backlog=True)
        before = store.known_entries("blog")
        prune(store, TWO_YEARS, now=LATER)
    size_bytes = file.stat().st_size
    with Store.open(f"sqlite:///{file}") as store:
        store.care.compact()
        assert store.known_entries("blog") == before
    assert file.stat().st_size < size_bytes / 3
