"""Where the words of a text have changed, a few of them around each change.

In: two texts. Out: pairs of phrases, before and after. Touches nothing. Blanks and line breaks are no words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

CONTEXT_WORDS = 4
"""So many unchanged words stand on each side of a change."""
MAX_PHRASE_WORDS = 30
"""A phrase of more words is cut in its middle."""
MAX_COMPARED_WORDS = 4_000
"""Where more words than this lie between the first and the last change, it is one change: comparing takes too long."""


def diff_words(old: str, new: str) -> list[tuple[str, str]]:
    """Say where two texts differ: each change as it was and as it is.

    >>> rewordings("Leave the dough for  three hours.", "Leave the dough for four hours.")
    [('Leave the dough for three hours.', 'Leave the dough for four hours.')]
    >>> rewordings("Salt and\\npepper", "Salt and pepper")
    []
    """
    before, after = old.split(), new.split()
    head = _in_common(before, after)
    tail = _in_common(before[head:][::-1], after[head:][::-1])
    old_middle, new_middle = before[head : len(before) - tail], after[head : len(after) - tail]
    if not old_middle and not new_middle:
        return []
    start, end = max(0, head - CONTEXT_WORDS), max(0, tail - CONTEXT_WORDS)
    if len(old_middle) + len(new_middle) > MAX_COMPARED_WORDS:
        spans: Iterator[tuple[int, int, int, int]] = iter([(start, len(before) - end, start, len(after) - end)])
    else:
        spans = _spans(before[start : len(before) - end], after[start : len(after) - end], start)
    return [(_phrase(before, a, b), _phrase(after, c, d)) for a, b, c, d in spans]


def _in_common(one: Sequence[str], other: Sequence[str]) -> int:
    """Count the words at the beginning that are the same."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((number for number, (a, b) in pairs if a != b), min(len(one), len(other)))


def _spans(before: Sequence[str], after: Sequence[str], start: int) -> Iterator[tuple[int, int, int, int]]:
    """Find the stretches that differ, those near each other together."""
    for group in SequenceMatcher(a=before, b=after, autojunk=False).get_grouped_opcodes(CONTEXT_WORDS):
        _, a, _, c, _ = group[0]
        _, _, b, _, d = group[-1]
        yield a + start, b + start, c + start, d + start


def _phrase(words: Sequence[str], start: int, end: int) -> str:
    found = list(words[start:end])
    if len(found) > MAX_PHRASE_WORDS:
        found = [*found[: MAX_PHRASE_WORDS // 2], "…", *found[-MAX_PHRASE_WORDS // 2 :]]
    return " ".join([*["…"] * (start > 0), *found, *["…"] * (end < len(words))])
