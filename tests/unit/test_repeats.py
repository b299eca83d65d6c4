"""Repeats: how much of a text must come again, at the bounds of each rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline.digest.selection.repeats import Repeat, compute_keys, distinctive_keys, find_repeats
from pipeline.model.entry import Enclosure, StoredEntry
from tests.factories import entry, stored

SAME_KEY = frozenset({7})


def text(of: str, ends: int, middle: int) -> str:
    """Return words that all texts begin and end with, ``ends`` in all, around ``middle`` words of one text only."""
    shared = [f"word{number}" for number in range(ends)]
    return " ".join([*shared[: ends // 2], *(f"{of}{number}" for number in range(middle)), *shared[ends // 2 :]])


def post(entry_id: int, title: str, body: str, path: str = "", **fields: Any) -> StoredEntry:
    more = {key: fields.pop(key) for key in ("archived", "edition_week", "assigned_week") if key in fields}
    url = f"https://blog.example/{path or entry_id}"
    return stored(entry(title, guid=str(entry_id), body_html=body, url=url, **fields), entry_id, **more)


def repeat(first: StoredEntry, again: StoredEntry, *others: StoredEntry, **more: Any) -> Repeat | None:
    """Return how the second of two new entries repeats the first."""
    everything = (first, again, *others)
    keys = {one.entry_id: SAME_KEY for one in everything}
    return find_repeats([again], [first, *others], keys=keys, **more).get(again.entry_id)


@pytest.mark.parametrize(
    ("ends", "middle", "titles", "certain"),
    [
        (18, 5, "same", True),  # 14 of 28 runs
        (18, 6, "same", False),  # 14 of 30
        (14, 3, "same", True),  # 15 runs in either
        (14, 2, "same", None),  # 14
        (16, 12, "same", False),  # 12 of 40
        (16, 13, "same", None),  # 12 of 42
        (36, 2, "other", True),  # 32 of 40
        (35, 2, "other", False),  # 31 of 39
        (31, 1, "other", True),  # 30 runs in either
        (30, 1, "other", None),  # 29
        (8, 0, "same", True),  # all 6
        (7, 0, "same", None),  # all 5
    ],
)
def test_the_share_of_a_text_decides(ends: int, middle: int, titles: str, certain: bool | None) -> None:
    """Half of it with the title, nearly all of it without, or somewhat less: then the editor decides."""
    found = repeat(
        post(1, "Bread", text("a", ends, middle)),
        post(2, "Bread" if titles == "same" else "Soup", text("b", ends, middle)),
    )
    assert (found and found.certain) == certain


def test_the_evidence_is_named() -> None:
    """Text, title and address; and whether there are edits."""
    first, whole = post(1, "Bread", text("a", 40, 0), "x"), text("a", 40, 0)
    for again, evidence in (
        (post(2, "Soup", whole), "the same text"),
        (post(2, "Bread", whole), "the same text and title"),
        (post(2, "Soup", whole, "x?v=2"), "the same text and address"),
        (post(2, "Bread", text("b", 40, 2), "x"), "the same text, apart from edits, and title and address"),
    ):
        found = repeat(first, again)
        assert found == Repeat(original=first, evidence=evidence, certain=True)


def test_three_tenths_of_a_text_are_named() -> None:
    """As evidence beside the title."""
    found = repeat(post(1, "Bread", text("a", 16, 12)), post(2, "Bread", text("b", 16, 12)))
    assert found
    assert found.evidence == "the same text, apart from edits, and title"


def test_a_title_and_an_address_without_a_text_are_doubtful() -> None:
    """Not if there is a text, nor if three entries have the title, nor without either."""
    first, again = post(1, "Bread", "", "x"), post(2, "Bread", "", "x")
    assert repeat(first, again) == Repeat(original=first, evidence="the same title and address", certain=False)
    assert repeat(first, replace(again, entry=replace(again.entry, title="Soup"))) is None
    assert repeat(first, post(2, "Bread", "")) is None
    assert repeat(first, again, post(3, "Bread", text("c", 0, 9), "z")) is None
    long = (post(1, "Bread", text("a", 0, 8), "x"), post(2, "Bread", text("b", 0, 8), "x"))
    assert repeat(*long) is None
    assert repeat(long[0], post(2, "Bread", text("b", 0, 7), "x"))


def test_a_short_text_of_a_column_is_doubtful() -> None:
    """Three entries with one title are a series."""
    first, again = (post(number, "Bread", text("a", 10, 0)) for number in (1, 2))
    found = repeat(first, again)
    assert found
    assert found.certain
    found = repeat(first, again, post(3, "Bread", text("c", 0, 20)))
    assert found
    assert not found.certain


def test_words_of_other_stories_prove_nothing() -> None:
    """What a third entry has in common with both is left out of the comparison."""
    first, again = post(1, "Bread", text("a", 36, 2)), post(2, "Soup", text("b", 36, 2))
    witness = post(3, "Salt", text("c", 36, 2))
    assert repeat(first, again)
    assert repeat(first, again, replace(witness, archived=True)) is None
    published = [replace(one, edition_week="2026-W05") for one in (first, witness)]
    assert repeat(published[0], again, published[1]) is None


def test_each_other_story_is_a_witness() -> None:
    """What one of them has and what another has are both left out."""
    first, again = post(1, "Bread", text("a", 80, 2)), post(2, "Soup", text("b", 80, 2))
    words = text("a", 80, 0).split()
    halves = [
        post(3, "Salt", " ".join(words[:41]), archived=True),
        post(4, "Kiln", " ".join(words[39:]), archived=True),
    ]
    assert repeat(first, again, halves[0])
    assert repeat(first, again, halves[1])
    assert repeat(first, again, *halves) is None


@pytest.mark.parametrize(("apart", "found"), [(30, True), (31, False)])
def test_recordings_of_one_length_are_one(apart: int, found: bool) -> None:
    """Advertising makes up half a minute; another title or length is another recording."""
    files = [Enclosure(url=f"https://cdn.example/{name}.mp3", media_type="audio/mpeg") for name in "ab"]
    first, again = (
        post(number, "Bread", text("a", 20, 0), enclosure=file, duration_seconds=1000 + apart * (number - 1))
        for number, file in enumerate(files, 1)
    )
    assert bool(repeat(first, again)) is found
    assert repeat(again, replace(first, entry_id=9, entry=replace(first.entry, guid="9", title="Soup"))) is None
    same_file = replace(again.entry, enclosure=files[0])
    assert repeat(first, replace(again, entry=same_file))
    unknown = replace(again.entry, duration_seconds=None)
    assert repeat(first, replace(again, entry=unknown))


def test_a_rerun_is_news() -> None:
    """If its title says so, and the original's does not."""
    whole = text("a", 40, 0)
    assert repeat(post(1, "Bread", whole), post(2, "Re-run: Bread", whole)) is None
    assert repeat(post(1, "Bread", whole), post(2, "Bread", whole, label="Re-run")) is None
    assert repeat(post(1, "Re-run: Bread", whole), post(2, "Re-run: Bread", whole))


def test_the_original_is_the_published_one_or_the_first() -> None:
    """An edition's entry is an original whenever it was stored; a certain repeat counts before a doubtful one."""
    whole = text("a", 40, 0)
    first, again = post(1, "Bread", whole), post(2, "Bread", whole)
    assert find_repeats([first, again], []).keys() == {2}
    assert repeat(post(9, "Bread", whole), again) is None
    published = post(9, "Bread", whole, edition_week="2026-W05")
    found = repeat(published, again, first)
    assert found
    assert found.original == published
    doubtful = post(3, "Soup", text("b", 35, 2), edition_week="2026-W05")
    found = repeat(doubtful, replace(again, entry_id=4), first)
    assert found
    assert (found.original, found.certain) == (first, True)


def test_what_was_left_behind_is_doubtful() -> None:
    """An original that no edition will carry proves no publication."""
    found = repeat(
        post(1, "Bread", text("a", 40, 0)), post(2, "Bread", text("a", 40, 0)), is_left_behind=lambda _: True
    )
    assert found
    assert not found.certain


@pytest.mark.parametrize(("sharing", "found"), [(12, True), (13, False)])
def test_a_key_of_many_entries_identifies_nothing(sharing: int, found: bool) -> None:
    """Twelve others may have it."""
    first, again = post(1, "Bread", text("a", 40, 0)), post(99, "Bread", text("a", 40, 0))
    others = [post(number, f"Soup {number}", text(f"c{number}x", 0, 40)) for number in range(2, sharing + 1)]
    assert bool(repeat(first, again, *others)) is found


def test_feeds_are_compared_apart() -> None:
    """The same text in another feed is no repeat."""
    first = post(1, "Bread", text("a", 40, 0))
    elsewhere = replace(first, entry_id=2, entry=replace(first.entry, feed_id="podcast"))
    assert find_repeats([elsewhere], [first]) == {}


def test_keys_of_new_entries_are_distinctive() -> None:
    """Those that no more than two entries have; feeds without a new entry are not read."""
    new, old = post(1, "Bread", text("a", 0, 9)), post(2, "Soup", text("b", 0, 9), archived=True)
    carried = post(3, "Salt", text("c", 0, 9), edition_week="2026-W05")
    quiet = replace(old, entry_id=4, entry=replace(old.entry, feed_id="quiet"))
    keys = compute_keys([new, old, carried, quiet])
    assert keys.keys() == {1, 2, 3}
    assert distinctive_keys(
        [new, old, carried], {1: frozenset({1, 2, 3}), 2: frozenset({2, 3}), 3: frozenset({3, 4})}
    ) == {
        1,
        2,
    }
