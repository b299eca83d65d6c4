"""Compare two texts word by word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

CONTEXT_WORDS = 4
"""Unchanged words shown on each side of a change."""
MAX_PHRASE_WORDS = 30
"""Longer phrases are shortened in the middle."""
MAX_COMPARED_WORDS = 4_000
"""If more words lie between the first and the last change, they are reported as first change, to save time."""


def diff_words(old: str, new: str) -> list[tuple[str, str]]:
    """Return the changes between two texts as (before, after) phrases with a few words of context.

    Whitespace is ignored.

    >>> diff_words("Leave the dough for  three hours.", "Leave the dough for four hours.")
    [('Leave the dough for three hours.', 'Leave the dough for four hours.')]
    >>> diff_words("Salt and\\npepper", "Salt and pepper")
    []
    """
    before, after = old.split(), new.split()
    head = _common_prefix(before, after)
    tail = _common_prefix(before[head:][::-1], after[head:][::-1])
    old_middle, new_middle = before[head : len(before) - tail], after[head : len(after) - tail]
    if not old_middle and not new_middle:
        return []
    start, end = max(0, head - CONTEXT_WORDS), max(0, tail - CONTEXT_WORDS)
    if len(old_middle) + len(new_middle) > MAX_COMPARED_WORDS:
        spans: Iterator[tuple[int, int, int, int]] = iter([(start, len(before) - end, start, len(after) - end)])
    else:
        spans = _spans(before[start : len(before) - end], after[start : len(after) - end], start)
    return [(_phrase(before, a, b), _phrase(after, c, d)) for a, b, c, d in spans]


def _common_prefix(first: Sequence[str], second: Sequence[str]) -> int:
    """Return the number of equal words at the beginning."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((number for number, (a, b) in pairs if a != b), min(len(first), len(second)))


def _spans(before: Sequence[str], after: Sequence[str], start: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield the differing ranges (before start, before end, after start, after end), nearby ones merged."""
    for opcodes in SequenceMatcher(a=before, b=after, autojunk=False).get_grouped_opcodes(CONTEXT_WORDS):
        _, a, _, c, _ = opcodes[0]
        _, _, b, _, d = opcodes[-1]
        yield a + start, b + start, c + start, d + start


def _phrase(words: Sequence[str], start: int, end: int) -> str:
    phrase = list(words[start:end])
    if len(phrase) > MAX_PHRASE_WORDS:
        phrase = [*phrase[: MAX_PHRASE_WORDS // 2], "…", *phrase[-MAX_PHRASE_WORDS // 2 :]]
    return " ".join([*["…"] * (start > 0), *phrase, *["…"] * (end < len(words))])
