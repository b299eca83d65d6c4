"""Excerpts: the beginning of a body as Markdown, made once and then known.

In: sanitised bodies, what is known of them. Out: Markdown, and what had to be made. Pure. To make an excerpt is slow,
and so is loading what makes it; one that is known costs neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from types import MappingProxyType

from pipeline.text import markdown
from pipeline.text.from_html import to_markdown

MAKER = 1
"""Who makes them: raise it whenever another text may come of the same body, as when ``text/from_html.py``,
``text/markdown.py`` or a library under them changes. What is known of an earlier maker is then never asked for."""

NOTHING_KNOWN: Mapping[str, str] = MappingProxyType({})


def key_of(body_html: str, words: int, *, maker: int = MAKER) -> str:
    """Name the excerpt of a body, at most so many words long: 64 hexadecimal digits that stand for all it is made of.

    >>> key_of("<p>Bread.</p>", 60)[:8], key_of("<p>Bread.</p>", 30)[:8]
    ('c73e3158', '4fde377f')
    """
    return sha256(f"{maker} {words} {body_html}".encode("utf-8", "surrogatepass")).hexdigest()


class Excerpts:
    """Gives excerpts, those that are known as they are kept; ``made`` holds the others, by key.

    >>> found = Excerpts({key_of("<p>Salt.</p>", 60): "Salt, as it was kept."})
    >>> found.of("<p>Salt.</p>", 60), found.of("<p>Bread.</p>", 60)
    ('Salt, as it was kept.', 'Bread.')
    >>> list(found.made.values())
    ['Bread.']
    """

    def __init__(self, known: Mapping[str, str] = NOTHING_KNOWN) -> None:
        self._known = known
        self.made: dict[str, str] = {}

    def of(self, body_html: str, words: int) -> str:
        """Give the excerpt of a body, at most so many words long; empty when the body has no prose."""
        key = key_of(body_html, words)
        if key in self._known:
            return self._known[key]
        if key not in self.made:
            self.made[key] = markdown.excerpt(to_markdown(body_html), max_words=words)
        return self.made[key]
