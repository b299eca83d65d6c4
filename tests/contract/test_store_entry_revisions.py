"""Revisions of published entries: saved in the transaction that rewrites them."""

from __future__ import annotations

from store_factories import HOUR, NOW, apply, blog_post, insert, make_change

from pipeline.model.digest import Edition
from pipeline.model.edition import SealedEdition
from pipeline.model.entry import Enclosure, Entry, EntryRevision
from pipeline.store import Store

TALK = blog_post(1, title="Talk", enclosure=Enclosure(url="https://audio.example/1.mp3"))


def seal(store: Store, entry_id: int) -> None:
    """Approve an edition with one entry."""
    made = Edition(
        week="2026-W07",
        state="approved",
        number=1,
        subject="",
        preheader="",
        html=b"",
        text=b"",
        eml=b"",
        manifest=b"{}",
    )
    sealed = SealedEdition(edition=made, stories=((entry_id,),), sealed_at=NOW, sealed_by="ann")
    store.editions.approve(store.editions.get("2026-W07"), sealed)


def rewrite(store: Store, entry: Entry, entry_id: int, fingerprint: str) -> None:
    change = make_change(entry, "changed", entry_id, fingerprint)
    apply(store, [change], now=NOW + HOUR)


def test_a_published_entry_is_saved_as_it_was(store: Store) -> None:
    """Under the fingerprint it had then, however often it is rewritten afterwards."""
    (entry_id,) = insert(store, TALK)
    seal(store, entry_id)
    rewrite(store, blog_post(1, title="Talks"), entry_id, "second")
    rewrite(store, blog_post(1, title="Talking"), entry_id, "third")
    assert store.entry_revisions.get({entry_id: "first"}) == {
        entry_id: EntryRevision(
            title="Talk", url=TALK.url, enclosure_url="https://audio.example/1.mp3", body_html="<p>Body 1</p>"
        )
    }
    assert store.entry_revisions.get({entry_id: "third"}) == {}


def test_an_unpublished_entry_is_not_saved(store: Store) -> None:
    """Nobody has read it."""
    (entry_id,) = insert(store, TALK)
    rewrite(store, blog_post(1, title="Talks"), entry_id, "second")
    assert store.entry_revisions.get({entry_id: "first"}) == {}


def test_prune_deletes_old_revisions(store: Store) -> None:
    """Revisions replaced later stay."""
    (entry_id,) = insert(store, TALK)
    seal(store, entry_id)
    rewrite(store, blog_post(1, title="Talks"), entry_id, "second")
    store.entry_revisions.prune(NOW + HOUR)
    assert store.entry_revisions.get({entry_id: "first"})
    revision = store.revision()
    store.entry_revisions.prune(NOW + 2 * HOUR)
    assert store.entry_revisions.get({entry_id: "first"}) == {}
    assert store.revision() != revision
    revision = store.revision()
    store.entry_revisions.prune(NOW + 2 * HOUR)
    assert store.revision() == revision
