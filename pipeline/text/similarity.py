"""Normalise and compare words and titles, for identity and pairing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_APOSTROPHES = re.compile(r"[’‘'ʼ`´\u00ad\u200b-\u200d]")
_ACCENTS = re.compile(r"[\u0300-\u036f]")
_WORD = re.compile(r"[^\W_]+")
_CJK = re.compile("[\u3040-\u9fff\uac00-\ud7a3]")


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
