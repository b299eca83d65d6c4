"""Say when two texts are the same words: what identity and pairing compare.

In: strings. Out: keys, words, yes or no. Touches nothing; knows no entries.
"""

from __future__ import annotations

import re
import unicodedata

_APOSTROPHES = re.compile(r"[’‘'ʼ`´\u00ad\u200b-\u200d]")
_ACCENTS = re.compile(r"[\u0300-\u036f]")
_WORD = re.compile(r"[^\W_]+")


def normalised_words(text: str) -> tuple[str, ...]:
    """Split a text into words that do not depend on case, accents, quotes or punctuation.

    >>> words("“Don’t rush” — Café & Cake")
    ('dont', 'rush', 'cafe', 'and', 'cake')
    """
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text)))
    return tuple(_WORD.findall(unicodedata.normalize("NFKC", bare).casefold().replace("&", " and ")))


def title_key(title: str) -> str:
    """Give one key to all spellings of a title; empty only for an empty title.

    >>> title_key("The Long Table – Part 2") == title_key("the long table: part 2")
    True
    >>> title_key("🌊")
    '🌊'
    """
    return " ".join(normalised_words(title)) or title.strip()


def within_one_edit(one: str, other: str) -> bool:
    """Say whether one letter is changed, missing or too many, at most.

    >>> one_letter_apart("marmalade", "marmelade"), one_letter_apart("marmalade", "marmlade")
    (True, True)
    >>> one_letter_apart("salt", "seal")
    False
    """
    short, long = sorted((one, other), key=len)
    for place in range(len(long)):
        if short[place : place + 1] != long[place]:
            return short[place:] == long[place + 1 :] or short[place + 1 :] == long[place + 1 :]
    return True
