"""Excerpts in every store: cached by what they were made from, so that a rebuilt digest makes none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from store_factories import DAY, NOW

from pipeline.digest.compose.excerpts import excerpt_key
from pipeline.jobs.digests.build import build_draft, current_edition, write_digest
from pipeline.jobs.maintenance.prune import KEEP_EXCERPTS, prune
from pipeline.store import Store
from tests.factories import MONDAY, entry
from tests.publication import W07, PublicationHarness, small_theme

HOUR = DAY / 24


@pytest.fixture
def publication(store_url: str, tmp_path: Path) -> Iterator[PublicationHarness]:
    """A publication with a post and a link."""
    publication = PublicationHarness(tmp_path, small_theme(tmp_path / "themes"), store_url)
    publication.fetch()
    publication.set_time(MONDAY + DAY).fetch(*document("Salt first."))
    yield publication
    publication.store.close()


def document(words: str):
    return entry(body_html=f"<p>{words}</p>"), entry("Bare", body_html="<hr>", excerpt_text="Few words.")


def written_html(publication: PublicationHarness) -> bytes:
    return write_digest(
        publication.store, publication.context, W07, publication.folder / "editions", now=publication.now
    ).edition.html


def test_excerpts_are_read_back_equal(store: Store) -> None:
    """Unknown keys are absent; no keys give no excerpts."""
    made = {"a" * 64: "Grüße \\& *more*\n\n- 🍞", "b" * 64: ""}
    store.excerpts.save(made, now=NOW)
    assert store.excerpts.get({*made, "c" * 64}) == made
    assert store.excerpts.get([]) == {}


def test_the_first_excerpt_stays(store: Store) -> None:
    """Two processes that build the same week at once do not conflict."""
    store.excerpts.save({"a": "Salt."}, now=NOW)
    store.excerpts.save({"a": "Salt.", "b": "Tide."}, now=NOW + DAY)
    assert store.excerpts.get(["a", "b"]) == {"a": "Salt.", "b": "Tide."}


@pytest.mark.parametrize("unfit", ["a \0 in it", "half a character: \ud83c"])
def test_unstorable_excerpts_are_not_stored(store: Store, unfit: str) -> None:
    """They are made again each time, and so are always the same; the others are stored."""
    before = store.revision()
    store.excerpts.save({"a": unfit}, now=NOW)
    assert (store.excerpts.get(["a"]), store.revision()) == ({}, before)
    store.excerpts.save({"a": unfit, "b": "Tide."}, now=NOW)
    assert store.excerpts.get(["a", "b"]) == {"b": "Tide."}


def test_writing_a_digest_stores_its_excerpts_once(publication: PublicationHarness) -> None:
    """Writing it again finds them stored and writes nothing: the week is still open."""
    first = written_html(publication)
    revision = publication.store.revision()
    assert (written_html(publication), publication.store.revision()) == (first, revision)
    assert publication.store.excerpts.get([excerpt_key([document("Salt first.")[0]], 60)]) == {
        excerpt_key([document("Salt first.")[0]], 60): "Salt first."
    }


def test_building_a_draft_stores_nothing(publication: PublicationHarness) -> None:
    """A draft only reads."""
    before = publication.store.revision()
    build_draft(publication.store, publication.context, W07, now=publication.now)
    current_edition(publication.store, publication.context, W07, now=publication.now)
    assert publication.store.revision() == before


def test_excerpt_keys_match_the_excerpts_used(publication: PublicationHarness) -> None:
    """A digest asks for its excerpts before it makes any."""
    publication.store.excerpts.save(
        {excerpt_key([document("Salt first.")[0]], 60): "The stored text."}, now=publication.now
    )
    assert b"The stored text." in written_html(publication)


def test_an_edited_entry_gets_a_new_excerpt(publication: PublicationHarness) -> None:
    """The stored excerpt of its former text is not used."""
    assert b"Salt first." in written_html(publication)
    publication.set_time(MONDAY + DAY + HOUR).fetch(*document("Salt last."))
    again = written_html(publication)
    assert (b"Salt last." in again, b"Salt first." in again) == (True, False)


def test_pruning_deletes_old_excerpts(store: Store) -> None:
    """Those older than 400 days, however long bodies are kept; the number is reported."""
    store.excerpts.save({"old": "Salt.", "older": "Tide."}, now=NOW - DAY)
    store.excerpts.save({"young": "Oar."}, now=NOW)
    done = prune(store, 100 * KEEP_EXCERPTS / 20, now=NOW + KEEP_EXCERPTS)
    assert done.summary.endswith(" deleted, 0 kB, and 2 old Markdown excerpts")
    assert store.excerpts.get(["old", "older", "young"]) == {"young": "Oar."}
