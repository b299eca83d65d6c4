"""Sentences, clauses and what is repeated, at their edges: one row for each branch and limit."""

from __future__ import annotations

from pipeline.text.furniture import furniture_keys, remove_from_text, remove_furniture, repeated_keys
from pipeline.text.opening import find_opening, is_beginning
from pipeline.text.sentences import quotations, split_sentences
from pipeline.text.similarity import (
    is_distinctive,
    normalised_words,
    one_letter_differs,
    shared_clause,
    title_key,
    within_one_edit,
)
from tests.rows import Rows, differences


def sentences_of(text: str) -> list[str]:
    """Return the sentences of a text."""
    return list(split_sentences(text))


def furniture_of(html: str, *summaries: str) -> list[str]:
    """Return the keys of what may be repeated, in order."""
    return sorted(furniture_keys(html, summaries))


def opening_of(body: str, *summaries: str) -> tuple[str, str, int]:
    """Return the text that a story begins with, the reason, and the rank."""
    found = find_opening(body, summaries=summaries)
    return found.html, found.reason, int(found.rank)


SIMILARITY: Rows = [
    (normalised_words, ("Don’t",), ("dont",)),
    (normalised_words, ("a_b",), ("a", "b")),
    (normalised_words, ("É ß",), ("e", "ss")),
    (normalised_words, ("A&B",), ("a", "and", "b")),
    (normalised_words, ("塩の道",), ("塩の道",)),
    (normalised_words, ("ﬁ",), ("fi",)),
    (title_key, ("A – B",), "a b"),
    (title_key, (" ! ",), "!"),
    (title_key, ("",), ""),
    (shared_clause, ("a b c, d", "x; a b c"), "a b c"),
    (shared_clause, ("abc, d", "abc"), ""),
    (shared_clause, ("abcd: x", "abcd"), "abcd"),
    (shared_clause, ("a b c", "x a b c y"), "a b c"),
    (
        shared_clause,
        ("one two three four five six x", "y one two three four five six"),
        "one two three four five six",
    ),
    (shared_clause, ("one two three four five", "y one two three four five x"), "one two three four five"),
    (shared_clause, ("one two x", "one two y"), ""),
    (shared_clause, ("塩の道を歩く人", "海と塩の道を歩く人"), "塩の道を歩く人"),
    (shared_clause, ("塩の、x", "塩の"), ""),
    (shared_clause, ("Salt roads", "salt Roads."), "salt roads"),
    (within_one_edit, ("a", "a"), True),
    (within_one_edit, ("a", "b"), True),
    (within_one_edit, ("a", ""), True),
    (within_one_edit, ("ab", "ba"), False),
    (within_one_edit, ("abc", "ac"), True),
    (within_one_edit, ("abc", "abcde"), False),
    (within_one_edit, ("abcd", "abxd"), True),
    (within_one_edit, ("", ""), True),
    (is_distinctive, ("a b c",), True),
    (is_distinctive, ("a b",), False),
    (is_distinctive, ("塩の道を歩",), False),
    (is_distinctive, ("塩の道を歩く",), True),
    (is_distinctive, ("塩の道を歩!",), False),
    (is_distinctive, ("éééééé",), False),
    (one_letter_differs, (["a", "b", "marmalade"], ["a", "b", "marmelade"]), True),
    (one_letter_differs, (["b", "marmalade"], ["b", "marmelade"]), False),
    (one_letter_differs, (["a", "b", "saltiest"], ["a", "b", "saltiesx"]), True),
    (one_letter_differs, (["a", "b", "salties"], ["a", "b", "saltiex"]), True),
    (one_letter_differs, (["a", "b", "saltie"], ["a", "b", "saltix"]), False),
    (one_letter_differs, (["a", "c", "marmalade"], ["a", "b", "marmelade"]), False),
    (one_letter_differs, (["a", "b", "c", "d"], ["a", "b", "c"]), False),
]


def test_similarity() -> None:
    """Words, titles and clauses that are compared."""
    assert differences(SIMILARITY) == []


SENTENCES: Rows = [
    (sentences_of, ("One. Two",), ["One.", "Two"]),
    (sentences_of, ("One! two",), ["One! two"]),
    (sentences_of, ("“One?” she. Two",), ["“One?”", "she.", "Two"]),
    (sentences_of, ("One... Two",), ["One...", "Two"]),
    (sentences_of, ("Dr. Marsh. Two",), ["Dr. Marsh.", "Two"]),
    (sentences_of, ("On 3. May. Two",), ["On 3. May.", "Two"]),
    (sentences_of, ("On 300. May",), ["On 300.", "May"]),
    (sentences_of, ("A. B. Marsh. Two",), ["A. B. Marsh.", "Two"]),
    (sentences_of, ("z. B. das. Two",), ["z. B. das.", "Two"]),
    (sentences_of, ("(One. Two). Three",), ["(One. Two).", "Three"]),
    (sentences_of, ("“One. Two.” Three",), ["“One. Two.”", "Three"]),
    (sentences_of, ("One.Two",), ["One.Two"]),
    (sentences_of, ("One.) Two",), ["One.)", "Two"]),
    (sentences_of, ("One.” Two",), ["One.”", "Two"]),
    (sentences_of, ("…. Two",), ["…. Two"]),
    (sentences_of, ("塩。酸。",), ["塩。", "酸。"]),
    (sentences_of, ("「塩。」と言う。酸",), ["「塩。」と言う。", "酸"]),
    (sentences_of, ("「塩。」酸。",), ["「塩。」", "酸。"]),
    (sentences_of, ("塩！と。",), ["塩！", "と。"]),
    (sentences_of, ("Why?塩です",), ["Why?", "塩です"]),
    (sentences_of, ("etc. Two",), ["etc. Two"]),
    (sentences_of, ("U.S. Navy. Two",), ["U.S. Navy.", "Two"]),
    (sentences_of, ("Ph.D. Two",), ["Ph.D. Two"]),
    (sentences_of, ("He said: “Yes.” Then",), ["He said: “Yes.”", "Then"]),
    (sentences_of, ("One.\nTwo",), ["One.", "Two"]),
    (sentences_of, ("1. One. Two",), ["1. One.", "Two"]),
    (sentences_of, ('"One. Two." Three',), ['"One. Two."', "Three"]),
    (sentences_of, ("a) One. Two",), ["a) One.", "Two"]),
    (sentences_of, ("! Two. Three",), ["! Two.", "Three"]),
    (quotations, ("a (b) c",), [(2, 4)]),
    (quotations, ("(a [b] c)",), [(0, 8)]),
    (quotations, ("“a „b“ c”",), [(0, 8)]),
    (quotations, ('"a" b "c"',), [(0, 2), (6, 8)]),
    (quotations, ("(a",), []),
    (quotations, ("a)",), []),
    (quotations, ("([{(a)",), [(3, 5)]),
]


def test_sentences() -> None:
    """Where sentences and quotations end."""
    assert differences(SENTENCES) == []


FURNITURE: Rows = [
    (furniture_of, ("<p>One. Two three.</p>",), ["one", "one. two three", "two three"]),
    (
        furniture_of,
        ("<h2>Head</h2><p>A</p><p>B</p><p>C</p><p>D one. D two.</p>",),
        ["a", "b", "c", "d one. d two", "head"],
    ),
    (furniture_of, ("<p>123</p>",), []),
    (
        furniture_of,
        ("<p>Salt: Come 5 of 2.5 kg https://www.h.example/x</p>",),
        ["salt", "salt: come 0 of 2.5 kg www.h.example"],
    ),
    (furniture_of, ("<p>a b c d e f g h i</p>",), ["^a b c d e f g h", "a b c d e f g h i"]),
    (furniture_of, ("<p>Show | Salt came</p>",), ["show", "show | salt came"]),
    (furniture_of, ("<p>Show | salt</p>",), ["show | salt"]),
    (furniture_of, ("<p>A</p>", "Sum one. Sum two."), ["a", "sum one", "sum one. sum two", "sum two"]),
    (repeated_keys, ([{"a", "b"}, {"c", "a"}, {"a", "d"}, {"b"}],), frozenset({"a"})),
    (repeated_keys, ([{"a"}, {"a"}, {"a"}],), frozenset()),
    (
        remove_furniture,
        ("<p>The weekly</p><p>Salt came by sea in May.</p>", {"the weekly"}),
        "<p>Salt came by sea in May.</p>",
    ),
    (remove_furniture, ("<p>Salt came by sea. Bye now.</p>", {"bye now"}), "<p>Salt came by sea.</p>"),
    (remove_furniture, ("<p>Bye now. Salt came by sea.</p>", {"bye now"}), "<p> Salt came by sea.</p>"),
    (
        remove_furniture,
        ("<p>Ada bakes all day long. She came by sea.</p>", {"ada bakes all day long"}),
        "<p>Ada bakes all day long. She came by sea.</p>",
    ),
    (
        remove_furniture,
        ("<p>Ada bakes all day.</p><p>She came by sea.</p>", {"ada bakes all day"}),
        "<p>Ada bakes all day.</p><p>She came by sea.</p>",
    ),
    (
        remove_furniture,
        ("<p>Ada bakes all day.</p><p>Salt came by sea.</p>", {"ada bakes all day"}),
        "<p>Salt came by sea.</p>",
    ),
    (remove_furniture, ("<p>Show | Salt came by sea.</p>", {"show"}), "<p>Salt came by sea.</p>"),
    (remove_furniture, ("<p>Salt <b>came. Bye</b> now.</p>", {"bye now"}), "<p>Salt <b>came.</b></p>"),
    (remove_furniture, ("<p>x</p>", set()), "<p>x</p>"),
    (remove_furniture, ("", {"a"}), ""),
    (
        remove_furniture,
        ("<p>Salt came by sea in May.</p><p>a b c d e f g h i j k.</p>", {"^a b c d e f g h"}),
        "<p>Salt came by sea in May.</p>",
    ),
    (
        remove_furniture,
        ("<p>a b c d e f g h i j k.</p><p>Salt came by sea in May.</p>", {"^a b c d e f g h"}),
        "<p>a b c d e f g h i j k.</p><p>Salt came by sea in May.</p>",
    ),
    (remove_furniture, ("<p>One is here. <a href='x'>Bye now.</a></p>", {"bye now"}), "<p>One is here.</p>"),
    (remove_furniture, ("<p>A &amp; B came by. Bye now.</p>", {"bye now"}), "<p>A &amp; B came by.</p>"),
    (remove_from_text, ("One. Two. Three.", {"two"}), "One. Three."),
    (remove_from_text, ("One. He did.", {"one"}), "One. He did."),
    (remove_from_text, ("Show: Salt", {"show"}), "Salt"),
    (remove_from_text, ("One", {"one"}), ""),
    (remove_from_text, ("One  two", set()), "One two"),
]


def test_furniture() -> None:
    """What the entries of a feed repeat."""
    assert differences(FURNITURE) == []


OPENINGS: Rows = [
    (
        opening_of,
        ("<p>Salt came by sea. So did rope.</p>",),
        ("<p>Salt came by sea. So did rope.</p>", "its first paragraph", 0),
    ),
    (
        opening_of,
        ("<p>By Ada Marsh</p><p>3 May 2026</p><p>Salt came by sea.</p>",),
        ("<p>Salt came by sea.</p>", "its third paragraph, after a byline and a date", 0),
    ),
    (
        opening_of,
        ("<h2>Sponsored by</h2><p>Salt came by sea.</p><p>Rope came, too.</p>",),
        ("<p>Rope came, too.</p>", "its second paragraph, after a sponsor", 0),
    ),
    (
        opening_of,
        ("<p>Sponsored by us</p><p>Salt came by sea.</p>",),
        ("<p>Salt came by sea.</p>", "its second paragraph, after a sponsor", 0),
    ),
    (opening_of, ("",), ("", "nothing: it has no sentence of its own", 3)),
    (opening_of, ("<p>By Ada Marsh</p>",), ("", "nothing: it has no sentence of its own", 3)),
    (
        opening_of,
        ("<p>Salt came by sea.</p>", "How a harbour waits."),
        (
            "<p>How a harbour waits.</p><p>Salt came by sea.</p>",
            "the summary of its publisher, then its first paragraph",
            0,
        ),
    ),
    (
        opening_of,
        ("<p>Salt came by sea.</p>", "Salt came by sea. And"),
        ("<p>Salt came by sea.</p>", "its first paragraph", 0),
    ),
    (
        opening_of,
        ("<p>Salt came by sea.</p>", "How a harbour came to wait for the tide every day of the long year."),
        (
            "<p>How a harbour came to wait for the tide every day of the long year.</p>",
            "the summary of its publisher",
            0,
        ),
    ),
    (
        opening_of,
        ("<ul><li>a</li></ul>", "How a harbour waits."),
        ("<p>How a harbour waits.</p>", "the summary of its publisher", 0),
    ),
    (
        opening_of,
        ("<p>Salt came by sea.</p>", "How a harbour…"),
        ("<p>Salt came by sea.</p>", "its first paragraph", 0),
    ),
    (opening_of, ("<p>Salt came by sea.</p>", ""), ("<p>Salt came by sea.</p>", "its first paragraph", 0)),
    (
        opening_of,
        ("<p>Sponsored by:</p><p>Salt came by sea.</p><p>Rope came, too.</p>",),
        ("<p>Rope came, too.</p>", "its third paragraph, after a sponsor", 0),
    ),
    (
        opening_of,
        ("<h2>Salt</h2><p>Salt came by sea.</p>",),
        ("<p>Salt came by sea.</p>", "its first paragraph, after a heading", 0),
    ),
    (
        opening_of,
        ("<figure><img></figure><p>Salt came by sea.</p>",),
        ("<p>Salt came by sea.</p>", "its first paragraph, after a picture", 0),
    ),
    (
        opening_of,
        ("<p>All of the salt that we ever bought came</p><p>by sea.</p>",),
        ("<p>All of the salt that we ever bought came by sea.</p>", "its first paragraph", 0),
    ),
    (
        opening_of,
        ("<p>Salt came by sea.</p><ul><li>a</li></ul><p>Rope came.</p>",),
        ("<p>Salt came by sea.</p><ul><li>a</li></ul><p>Rope came.</p>", "its first paragraph", 0),
    ),
    (
        opening_of,
        ("<p>Salt came by sea.</p><figure><img></figure><p>Rope came.</p>",),
        ("<p>Salt came by sea.</p><p>Rope came.</p>", "its first paragraph", 0),
    ),
    (
        opening_of,
        ("<blockquote><p>Salt came by sea.</p></blockquote>",),
        ("<blockquote><p>Salt came by sea.</p></blockquote>", "its first quote", 1),
    ),
    (
        opening_of,
        ("<p>Salt came by</p>",),
        ("<p>Salt came by</p>", "its first paragraph (half a sentence; there is nothing better)", 1),
    ),
    (
        opening_of,
        ("<p>Ha.</p><p>x: y</p><p>Salt came by sea one day.</p>",),
        ("<p>Ha.</p><p>x: y</p><p>Salt came by sea one day.</p>", "its first paragraph", 0),
    ),
    (is_beginning, ("Salt came by sea.", "<p>Salt came by sea</p>"), True),
    (is_beginning, ("Salt came", "<p>Salts came</p>"), False),
    (is_beginning, ("a b c d e f X", "<p>a b c d e f Y</p>"), True),
    (is_beginning, ("a b c d e X", "<p>a b c d e Y</p>"), False),
    (is_beginning, ("Salt", "<p>Sea salt</p>"), True),
]


def test_openings() -> None:
    """The text that a story begins with, and why."""
    assert differences(OPENINGS) == []
