"""Normalise and compare words and titles, for identity and pairing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

_APOSTROPHES = re.compile(r"[’‘'ʼ`´\u00ad\u200b-\u200d]")
_ACCENTS = re.compile(r"[\u0300-\u036f]")
_WORD = re.compile(r"[^\W_]+")
_CJK = re.compile("[\u3040-\u9fff\uac00-\ud7a3]")
_UNSPACED = re.compile("([\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])")
_CLAUSE = re.compile(r"[^,;:.!?()|·•–—―…،؛؟۔、，；：。！？（）｜「」“”\n]++")
_MIN_CLAUSE_CHARS = 4
_CONTAINED_WORDS = 3
_RUN_OF_WORDS = 6


def normalised_words(text: str) -> tuple[str, ...]:
    """Return the words of a text, independent of case, accents, quotes and punctuation.

    >>> normalised_words("“Don’t rush” — Café & Cake")
    ('dont', 'rush', 'cafe', 'and', 'cake')
    """
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text)))
    return tuple(_WORD.findall(unicodedata.normalize("NFKC", bare).casefold().replace("&", " and ")))


def title_key(title: str) -> str:
    """Return the same key for all spellings of a title; empty only for an empty title.

    >>> title_key("The Long Table – Part 2") == title_key("the long table: part 2")
    True
    >>> title_key("🌊")
    '🌊'
    """
    return " ".join(normalised_words(title)) or title.strip()


def shared_clause(first: str, second: str) -> str:
    """Return the words that two texts share as a clause; empty if there are none.

    Shared are a clause of both, a clause of three words that the other contains, and six words in a row. Case, accents
    and quotes do not matter. In Chinese and Japanese two characters count as a word.

    >>> shared_clause("Salt roads: a walk", "Also: A walk · Bread"), shared_clause("Salt roads", "Roads of salt")
    ('a walk', '')
    >>> shared_clause("Set the table for two", "Why we set the table for two or more")
    'set the table for two'
    """
    size = 2 if _UNSPACED.search(first) and _UNSPACED.search(second) else 1
    ours, theirs = _clauses(first), _clauses(second)
    both = {words for words in ours & theirs if len("".join(words)) >= _MIN_CLAUSE_CHARS}
    contained, longest_run = _CONTAINED_WORDS * size, _RUN_OF_WORDS * size
    for length in {len(words) for words in ours | theirs if contained <= len(words) <= longest_run} | {longest_run}:
        our_runs, their_runs = _runs(first, length), _runs(second, length)
        both |= (their_runs & ours) | (our_runs & theirs)
        if length == longest_run:
            both |= our_runs & their_runs
    longest = max(both, key=lambda words: (len(words), words), default=())
    return ("" if size == 2 else " ").join(longest)


@lru_cache(maxsize=256)
def _clauses(text: str) -> frozenset[tuple[str, ...]]:
    """Return the normalised words of each clause; each Chinese or Japanese character is one."""
    clauses = (" ".join(normalised_words(clause)) for clause in _CLAUSE.findall(text))
    return frozenset(tuple(_UNSPACED.sub(r" \1 ", clause).split()) for clause in clauses if clause)


@lru_cache(maxsize=512)
def _runs(text: str, length: int) -> frozenset[tuple[str, ...]]:
    """Return every run of ``length`` words within a clause of a text."""
    clauses = (words for words in _clauses(text) if len(words) >= length)
    return frozenset(words[start : start + length] for words in clauses for start in range(len(words) - length + 1))


def within_one_edit(first: str, second: str) -> bool:
    """Check whether two words differ by at most one changed, missing or extra character.

    >>> within_one_edit("marmalade", "marmelade"), within_one_edit("marmalade", "marmlade")
    (True, True)
    >>> within_one_edit("salt", "seal")
    False
    """
    short, long = sorted((first, second), key=len)
    for index in range(len(long)):
        if short[index : index + 1] != long[index]:
            return short[index:] == long[index + 1 :] or short[index + 1 :] == long[index + 1 :]
    return True


def is_distinctive(title: str) -> bool:
    """Check whether a title has three words, or as much text in a script without spaces.

    >>> is_distinctive("salt and smoke"), is_distinctive("salt"), is_distinctive("港町の朝ごはん")
    (True, False, True)
    """
    if len(title.split()) > 2:
        return True
    return not title.isascii() and title.isalpha() and len(title) > 5 and bool(_CJK.search(title))


def one_letter_differs(left: Sequence[str], right: Sequence[str]) -> bool:
    """Check whether two titles differ by one letter of one long word.

    >>> one_letter_differs(["a", "jar", "of", "marmelade"], ["a", "jar", "of", "marmalade"])
    True
    """
    if len(left) != len(right) or len(left) < 3:
        return False
    pairs = [(a, b) for a, b in zip(left, right, strict=True) if a != b]
    return len(pairs) == 1 and min(map(len, pairs[0])) > 6 and within_one_edit(*pairs[0])
