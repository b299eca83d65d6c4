"""Keys under which a text is found again although some of its words were changed."""

from __future__ import annotations

import re
from heapq import nsmallest
from html import unescape
from zlib import crc32

from pipeline.text.similarity import normalised_words, title_key

Run = tuple[str, str, str]
MAX_KEY_CHARS = 2_500
"""Only this much of a text gives keys."""
_SAMPLED_RUNS = 32
"""Two texts that have half of their runs in common share a key almost certainly."""
_TAG = re.compile(r"<[^<>]*(?:>|$)")


def word_runs(html: str, max_chars: int) -> tuple[Run, ...]:
    """Return every run of three words in the beginning of a text or HTML, in order.

    >>> word_runs("<p>Salt, smoke &amp; time</p>", 100)
    (('salt', 'smoke', 'and'), ('smoke', 'and', 'time'))
    """
    words = normalised_words(unescape(_TAG.sub(" ", html[:max_chars])))
    return tuple(zip(words, words[1:], words[2:], strict=False))


def text_keys(feed_id: str, title: str, page: str, html: str) -> frozenset[int]:
    """Return the keys of an entry: those of its title and page, and of a fair sample of its runs of words.

    Entries of different feeds share none. ``page`` is the ``url_key`` of its page.

    >>> text = "<p>Banking the fire for the night takes a quiet hour and a little ash from the day before.</p>"
    >>> edited = text.replace("quiet", "calm")
    >>> len(text_keys("blog", "Fire", "a.example/fire", text) & text_keys("blog", "Ash", "a.example/ash", edited)) > 4
    True
    """
    keys = nsmallest(_SAMPLED_RUNS, {_key(feed_id, *run) for run in word_runs(html, MAX_KEY_CHARS)})
    names = (("title", title_key(title)), ("page", page_path(page)))
    return frozenset((*keys, *(_key(feed_id, *name) for name in names if name[1])))


def page_path(page: str) -> str:
    """Return a page's ``url_key`` without its query, or "" for a home page, which identifies nothing.

    >>> page_path("a.example/fire?v=2"), page_path("a.example?p=1")
    ('a.example/fire', '')
    """
    path = page.partition("?")[0]
    return path if "/" in path else ""


def _key(*words: str) -> int:
    return crc32(" ".join(words).encode("utf-8", "replace"))
