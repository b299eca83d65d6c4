"""Say when two texts are the same words: what identity and pairing compare.

In: strings. Out: keys, words, shares. Touches nothing; knows no entries.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

_APOSTROPHES = re.compile(r"[’‘'ʼ`´\u00ad\u200b-\u200d]")
_ACCENTS = re.compile(r"[\u0300-\u036f]")
_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> tuple[str, ...]:
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
    return " ".join(words(title)) or title.strip()


def overlap(some: Collection[str], others: Collection[str]) -> float:
    """Say which share of the smaller collection's words the other one holds too, 0 to 1.

    >>> overlap(words("bread and salt"), words("Salt, bread and a little patience"))
    1.0
    """
    fewer, more = sorted((set(some), set(others)), key=len)
    return len(fewer & more) / len(fewer) if fewer else 0.0
