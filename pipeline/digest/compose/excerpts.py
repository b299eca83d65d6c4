"""Excerpts: the beginnings of bodies as Markdown, with a cache, as making one is slow."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from types import MappingProxyType

from pipeline.text import markdown
from pipeline.text.html_to_markdown import to_markdown

EXCERPT_VERSION = 3
"""Part of every key. Raise it when the same body may give another excerpt, as after a change of
``text/html_to_markdown.py``, ``text/markdown.py`` or a library they use; saved excerpts are then made again."""

NO_EXCERPTS: Mapping[str, str] = MappingProxyType({})


def excerpt_key(body_html: str, max_words: int, *, version: int = EXCERPT_VERSION) -> str:
    """Return the key of a body's excerpt of at most ``max_words`` words: a SHA-256 in hexadecimal.

    >>> excerpt_key("<p>Bread.</p>", 60)[:8], excerpt_key("<p>Bread.</p>", 30)[:8]
    ('bc5aff3f', '60f7af5b')
    """
    return sha256(f"{version} {max_words} {body_html}".encode("utf-8", "surrogatepass")).hexdigest()


class ExcerptCache:
    """Excerpts, saved ones and those made since.

    >>> cache = ExcerptCache({excerpt_key("<p>Salt.</p>", 60): "Salt, as saved."})
    >>> cache.get("<p>Salt.</p>", 60), cache.get("<p>Bread.</p>", 60)
    ('Salt, as saved.', 'Bread.')
    >>> list(cache.new.values())
    ['Bread.']
    """

    def __init__(self, saved: Mapping[str, str] = NO_EXCERPTS) -> None:
        self._saved = saved
        self.new: dict[str, str] = {}
        """Excerpts that had to be made, by key."""

    def get(self, body_html: str, max_words: int) -> str:
        """Return the excerpt of a body; empty if the body has no prose."""
        key = excerpt_key(body_html, max_words)
        if key in self._saved:
            return self._saved[key]
        if key not in self.new:
            self.new[key] = markdown.excerpt(to_markdown(body_html), max_words=max_words)
        return self.new[key]
