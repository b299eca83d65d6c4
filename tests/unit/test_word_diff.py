"""Every changed word is part of a reported change, and nothing else is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.word_diff import diff_words

WORDS = st.lists(st.sampled_from(["salt", "bread", "tide", "hearth", "net"]), max_size=40)


@given(WORDS, WORDS)
def test_changes_are_reported_where_words_differ(old: list[str], new: list[str]) -> None:
    """Whitespace is ignored, and each phrase consists of the words of its own text; of a long one, of parts of it."""
    changes = diff_words("  \n".join(old), "\u00a0".join(new))
    assert bool(changes) == (old != new)
    for before, after in changes:
        for phrase, words in ((before, old), (after, new)):
            assert all(" ".join(part.split()) in " ".join(words) for part in phrase.split("…"))


@given(WORDS, st.integers(0, 40))
def test_an_inserted_word_is_shown_with_context(words: list[str], place: int) -> None:
    """A few words around it help to find the place."""
    new = [*words[:place], "kelp", *words[place:]]
    ((_, after),) = diff_words(" ".join(words), " ".join(new))
    assert "kelp" in after.split()
    assert len(after.split()) <= 11


def test_distant_changes_are_separate() -> None:
    """Two changed words in a long text are two changes, without the text between them."""
    words = [f"w{number}" for number in range(100)]
    edited = [*words]
    edited[10], edited[90] = "ten", "ninety"
    assert diff_words(" ".join(words), " ".join(edited)) == [
        ("… w6 w7 w8 w9 w10 w11 w12 w13 w14 …", "… w6 w7 w8 w9 ten w11 w12 w13 w14 …"),
        ("… w86 w87 w88 w89 w90 w91 w92 w93 w94 …", "… w86 w87 w88 w89 ninety w91 w92 w93 w94 …"),
    ]


def test_a_rewritten_text_is_one_change() -> None:
    """It is shortened in the middle; that it is compared quickly, `test_linear_functions.py` checks."""
    ((before, after),) = diff_words("salt " * 3_000, "bread " * 3_000)
    assert (len(before.split()), len(after.split())) == (31, 31)
