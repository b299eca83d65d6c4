"""Excerpts: the beginning of a body as Markdown, made once and then known.

In: sanitised bodies, what is known of them. Out: Markdown, and what had to be made. Pure. To make an excerpt is slow,
and so is loading what makes it; one that is known costs neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from types import MappingProxyType

from pipeline.text import markdown
from pipeline.text.html_to_markdown import to_markdown

EXCERPT_VERSION = 1
"""Who makes them: raise it whenever another text may come of the same body, as when ``text/from_html.py``,
``text/markdown.py`` or a library under them changes. What is known of an earlier maker is then never asked for."""

NO_EXCERPTS: Mapping[str, str] = MappingProxyType({})


def excerpt_key(body_html: str, max_words: int, *, version: int = EXCERPT_VERSION) -> str:
    """Name the excerpt of a body, at most so many words long: 64 hexadecimal digits that stand for all it is made of.

    >>> key_of("<p>Bread.</p>", 60)[:8], key_of("<p>Bread.</p>", 30)[:8]
    ('c73e3158', '4fde377f')
    """
    return sha256(f"{version} {max_words} {body_html}".encode("utf-8", "surrogatepass")).hexdigest()


class ExcerptCache:
    """Gives excerpts, those that are known as they are kept; ``made`` holds the others, by key.

    >>> found = Excerpts({key_of("<p>Salt.</p>", 60): "Salt, as it was kept."})
    >>> found.of("<p>Salt.</p>", 60), found.of("<p>Bread.</p>", 60)
    ('Salt, as it was kept.', 'Bread.')
    >>> list(found.made.values())
    ['Bread.']
    """

    def __init__(self, saved: Mapping[str, str] = NO_EXCERPTS) -> None:
        self._known = saved
        self.new: dict[str, str] = {}

    def get(self, body_html: str, max_words: int) -> str:
        """Give the excerpt of a body, at most so many words long; empty when the body has no prose."""
        key = excerpt_key(body_html, max_words)
        if key in self._known:
            return self._known[key]
        if key not in self.new:
            self.new[key] = markdown.excerpt(to_markdown(body_html), max_words=max_words)
        return self.new[key]
