"""Split the beginning of sanitised HTML into passages: lines of text, headings, lists and pictures."""

from __future__ import annotations

import html as entities
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

PassageKind = Literal["text", "heading", "list", "quote", "picture", "table", "code", "rule"]

MAX_PASSAGES_CHARS = 30_000
"""Only this much of a text is split; what comes later is never shown in a newsletter."""
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*+)(?:[^<>\"]|\"[^\"]*\")*+>")
_LINK = re.compile(r"<a(?: [^<>]*)?>((?:(?!</?a\b).)*+)</a>", re.DOTALL)
_KINDS: dict[str, PassageKind] = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "heading"),
    **dict.fromkeys(("ul", "ol", "dl"), "list"),
    "p": "text",
    "blockquote": "quote",
    "figure": "picture",
    "table": "table",
    "pre": "code",
}
_VOID = frozenset({"img", "br", "hr"})
_TABLE_TAGS = frozenset({"hr", "table", "caption", "thead", "tbody", "tfoot", "tr", "td"})
_INNER_BLOCKS = frozenset({*_KINDS, "li", "dt", "dd", "tr", "td", "th", "figcaption", "caption", "hr", "br"})


class Passage(NamedTuple):
    """A line of text, or another block, and where it stands in its HTML."""

    kind: PassageKind
    start: int
    end: int
    """Its end, with the line breaks that follow it."""
    text: str
    """Plain text on one line."""
    link_chars: int = 0
    """How much of the text is links, blanks not counted."""


def split_passages(html: str, max_chars: int = MAX_PASSAGES_CHARS) -> tuple[Passage, ...]:
    """Return the passages in the first ``max_chars`` of sanitised HTML. A paragraph has one for each of its lines.

    >>> [(one.kind, one.text) for one in split_passages("<h2>Salt</h2><p>A pinch.<br>Taste.</p><ul><li>Fat</li></ul>")]
    [('heading', 'Salt'), ('text', 'A pinch.'), ('text', 'Taste.'), ('list', 'Fat')]
    """
    passages = _passages(html, 0, min(len(html), max_chars), frozenset({"hr"}))
    return tuple(one for one in passages if one.text or one.kind in ("picture", "rule"))


def _passages(html: str, start: int, end: int, separators: frozenset[str]) -> Iterator[Passage]:
    for kind, first, last in _blocks(html, start, end, separators):
        if kind == "text" and "<br" in html[first:last]:
            for line, line_end in _lines(html, first, last):
                yield _passage(kind, html, line, line_end)
        elif kind == "table" and _is_layout(html[first:last]):
            yield from _passages(html, first, last, _TABLE_TAGS)
        else:
            yield _passage(kind, html, first, last)


def _blocks(html: str, start: int, end: int, separators: frozenset[str]) -> Iterator[tuple[PassageKind, int, int]]:
    """Yield the blocks of HTML and the text between them, each with where it begins and ends."""
    kind: PassageKind = "text"
    block = ""
    depth = 0
    for tag in _TAG.finditer(html, start, end):
        closing, name = tag[1], tag[2]
        if block:
            depth += (-1 if closing else 1) if name == block else 0
            if depth == 0:
                yield kind, start, tag.start() if kind == "text" else tag.end()
                block, kind, start = "", "text", tag.end()
        elif name in separators or (name in _KINDS and not closing):
            yield "text", start, tag.start()
            start = tag.end()
            if name == "hr":
                yield "rule", tag.start(), tag.end()
            elif name not in separators:
                block, kind, depth = name, _KINDS[name], 1
                start = tag.end() if kind == "text" else tag.start()
    yield kind, start, end


def _lines(html: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where the lines of a text begin and end, line breaks included; those within an element do not count."""
    depth = 0
    for tag in _TAG.finditer(html, start, end):
        if tag[2] == "br" and depth <= 0:
            yield start, tag.end()
            start = tag.end()
        elif tag[2] not in _VOID:
            depth += -1 if tag[1] else 1
    yield start, end


def _is_layout(table: str) -> bool:
    """Check whether a table arranges pictures and paragraphs rather than data."""
    return "<th" not in table.replace("<thead", "") and ("<p>" in table or "<img" in table or "<br>" in table)


def _passage(kind: PassageKind, html: str, start: int, end: int) -> Passage:
    markup = html[start:end]
    text = passage_text(markup)
    if not text and kind == "text" and "<img" in markup:
        kind = "picture"
    links = sum(len(passage_text(link[1]).replace(" ", "")) for link in _LINK.finditer(markup)) if "<a" in markup else 0
    return Passage(kind, start, end, text, links)


def passage_text(html: str) -> str:
    """Return the text of sanitised HTML on one line.

    >>> passage_text("<b>Salt</b>&nbsp;&amp;<br>fat")
    'Salt & fat'
    """
    text = _TAG.sub(_blank, html) if "<" in html else html
    return " ".join(entities.unescape(text).split())


def _blank(tag: re.Match[str]) -> str:
    return " " if tag[2] in _INNER_BLOCKS else ""
