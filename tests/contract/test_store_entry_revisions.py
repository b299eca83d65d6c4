"""How sealed entries read before their source rewrote them: kept in the very transaction that rewrites."""

from __future__ import annotations

from store_factories import HOUR, NOW, apply, blog_post, decide, keep

from pipeline.model.digest import Edition
from pipeline.model.edition import SealedEdition
from pipeline.model.entry import Enclosure, Entry, EntryRevision
from pipeline.store import Store

TALK = blog_post(1, title="Talk", enclosure=Enclosure(url="https://audio.example/1.mp3"))


def seal(store: Store, entry_id: int) -> None:
    """Let an edition tell an entry."""
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
    change = decide(entry, "changed", entry_id, fingerprint)
    apply(store, [change], now=NOW + HOUR)


def test_what_an_edition_tells_is_kept_as_it_was_sealed(store: Store) -> None:
    """Under the fingerprint it had then, however often it is rewritten after that."""
    (entry_id,) = keep(store, TALK)
    seal(store, entry_id)
    rewrite(store, blog_post(1, title="Talks"), entry_id, "second")
    rewrite(store, blog_post(1, title="Talking"), entry_id, "third")
    assert store.entry_revisions.get({entry_id: "first"}) == {
        entry_id: EntryRevision(
            title="Talk", url=TALK.url, enclosure_url="https://audio.example/1.mp3", body_html="<p>Body 1</p>"
        )
    }
    assert store.entry_revisions.get({entry_id: "third"}) == {}


def test_what_no_edition_tells_is_not_kept(store: Store) -> None:
    """A change of what nobody has got is nobody's matter."""
    (entry_id,) = keep(store, TALK)
    rewrite(store, blog_post(1, title="Talks"), entry_id, "second")
    assert store.entry_revisions.get({entry_id: "first"}) == {}


def test_what_was_kept_is_forgotten_after_an_instant(store: Store) -> None:
    """And not before it."""
    (entry_id,) = keep(store, TALK)
    seal(store, entry_id)
    rewrite(store, blog_post(1, title="Talks"), entry_id, "second")
    store.entry_revisions.prune(NOW + HOUR)
    assert store.entry_revisions.get({entry_id: "first"})
    mark = store.revision()
    store.entry_revisions.prune(NOW + 2 * HOUR)
    assert store.entry_revisions.get({entry_id: "first"}) == {}
    assert store.revision() != mark
    mark = store.revision()
    store.entry_revisions.prune(NOW + 2 * HOUR)
    assert store.revision() == mark
