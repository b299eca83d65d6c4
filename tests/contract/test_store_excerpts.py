"""Excerpts are kept by what they were made of, in every store; a digest that is made again makes none."""

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
def house(store_url: str, tmp_path: Path) -> Iterator[PublicationHarness]:
    """A publication with a post and a link to tell."""
    house = PublicationHarness(tmp_path, small_theme(tmp_path / "themes"), store_url)
    house.fetch()
    house.set_time(MONDAY + DAY).fetch(*document("Salt first."))
    yield house
    house.store.close()


def document(words: str):
    return entry(body_html=f"<p>{words}</p>"), entry("Bare", body_html="<hr>", excerpt_text="Few words.")


def told(house: PublicationHarness) -> bytes:
    return write_digest(house.store, house.context, W07, house.folder / "editions", now=house.now).edition.html


def test_what_is_kept_comes_back(store: Store) -> None:
    """To the letter; what was never kept is left out, and nobody asks for nothing."""
    made = {"a" * 64: "Grüße \\& *more*\n\n- 🍞", "b" * 64: ""}
    store.excerpts.save(made, now=NOW)
    assert store.excerpts.get({*made, "c" * 64}) == made
    assert store.excerpts.get([]) == {}


def test_the_first_is_as_good_as_the_next(store: Store) -> None:
    """Two processes that make the same week at once are not in each other's way."""
    store.excerpts.save({"a": "Salt."}, now=NOW)
    store.excerpts.save({"a": "Salt.", "b": "Tide."}, now=NOW + DAY)
    assert store.excerpts.get(["a", "b"]) == {"a": "Salt.", "b": "Tide."}


@pytest.mark.parametrize("unfit", ["a \0 in it", "half a character: \ud83c"])
def test_what_a_database_would_change_is_not_kept(store: Store, unfit: str) -> None:
    """It is made again each time, and so always the same; the others are kept."""
    before = store.revision()
    store.excerpts.save({"a": unfit}, now=NOW)
    assert (store.excerpts.get(["a"]), store.revision()) == ({}, before)
    store.excerpts.save({"a": unfit, "b": "Tide."}, now=NOW)
    assert store.excerpts.get(["a", "b"]) == {"b": "Tide."}


def test_making_a_digest_keeps_its_excerpts_once(house: PublicationHarness) -> None:
    """Making it again finds them there and writes nothing: the week is still running."""
    first = told(house)
    kept = house.store.revision()
    assert (told(house), house.store.revision()) == (first, kept)
    assert house.store.excerpts.get([excerpt_key("<p>Salt first.</p>", 60)]) == {
        excerpt_key("<p>Salt first.</p>", 60): "Salt first."
    }


def test_looking_at_a_digest_keeps_nothing(house: PublicationHarness) -> None:
    """A draft, whoever asks for it, only reads."""
    before = house.store.revision()
    build_draft(house.store, house.context, W07, now=house.now)
    current_edition(house.store, house.context, W07, now=house.now)
    assert house.store.revision() == before


def test_what_is_kept_is_what_is_told(house: PublicationHarness) -> None:
    """A digest asks for its excerpts before it makes any."""
    house.store.excerpts.save({excerpt_key("<p>Salt first.</p>", 60): "As it was kept."}, now=house.now)
    assert b"As it was kept." in told(house)


def test_an_entry_edited_at_its_source_is_told_in_its_new_words(house: PublicationHarness) -> None:
    """What was kept of its former words is not asked for."""
    assert b"Salt first." in told(house)
    house.set_time(MONDAY + DAY + HOUR).fetch(*document("Salt last."))
    again = told(house)
    assert (b"Salt last." in again, b"Salt first." in again) == (True, False)


def test_excerpts_made_long_ago_go_with_the_old_texts(store: Store) -> None:
    """Those of 400 days ago, however long texts are kept; what went is counted and said."""
    store.excerpts.save({"old": "Salt.", "older": "Tide."}, now=NOW - DAY)
    store.excerpts.save({"young": "Oar."}, now=NOW)
    done = prune(store, 100 * KEEP_EXCERPTS / 20, now=NOW + KEEP_EXCERPTS)
    assert done.summary.endswith(" dropped, 0 kB, and 2 Markdown excerpts made long ago")
    assert store.excerpts.get(["old", "older", "young"]) == {"young": "Oar."}
